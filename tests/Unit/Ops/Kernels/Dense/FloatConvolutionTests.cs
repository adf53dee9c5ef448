using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class FloatConvolutionTests
{
    public static TheoryData<SimdPath> Paths => [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Convolution_is_the_definition_within_rounding(SimdPath path)
    {
        for (int seed = 0; seed < 120; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            float[] x = random.Floats(geometry.InputLength);
            float[] weights = random.Floats(geometry.WeightLength);
            float[] bias = seed % 3 == 0 ? [] : random.Floats(geometry.OutputChannels);
            float low = seed % 2 == 0 ? float.NegativeInfinity : -0.5f;
            float high = seed % 2 == 0 ? float.PositiveInfinity : 1f;

            float[] actual = Run(new PreparedConv2D(geometry, weights, bias, low, high, path), x);

            AssertClose(geometry, ReferenceConvolution.WeightOrder.OutputFirst, x, weights, bias, low, high, actual, seed);
        }
    }

    [Fact]
    public void Every_path_gives_the_same_bits()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            float[] x = random.Floats(geometry.InputLength);
            float[] weights = random.Floats(geometry.WeightLength);
            float[] bias = random.Floats(geometry.OutputChannels);
            float[] expected = Run(new PreparedConv2D(geometry, weights, bias, path: SimdPath.Portable), x);
            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                float[] actual = Run(new PreparedConv2D(geometry, weights, bias, path: path), x);
                Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}, {path}, {geometry}");
            }
        }
    }

    [Fact]
    public void Chunks_in_any_order_give_the_bits_of_a_whole_run()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Dense();
            float[] x = random.Floats(geometry.InputLength);
            PreparedConv2D layer = new(geometry, random.Floats(geometry.WeightLength), []);
            float[] whole = Run(layer, x);
            float[] chunked = new float[whole.Length];
            Array.Fill(chunked, float.NaN);
            for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
            {
                byte[] scratch = new byte[layer.ScratchBytes];
                Array.Fill(scratch, (byte)0xFF);
                layer.RunChunk(chunk, x, chunked, scratch);
            }

            Assert.True(whole.AsSpan().SequenceEqual(chunked), $"seed {seed}, {geometry}");
        }
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        Conv2DGeometry geometry = new(1, Window.Same(16, 3, 1), Window.Same(16, 3, 1), 5, 7);
        RandomConvolution random = new(1);
        float[] x = random.Floats(geometry.InputLength);
        float[] y = new float[geometry.OutputLength];
        PreparedConv2D layer = new(geometry, random.Floats(geometry.WeightLength), []);
        byte[] scratch = new byte[layer.ScratchBytes];
        layer.Run(x, y, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        layer.Run(x, y, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_NaN_passes_the_activation_and_infinity_is_limited()
    {
        Conv2DGeometry geometry = Conv2DGeometry.Dense(3, 1, 1);
        foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
        {
            PreparedConv2D layer = new(geometry, [1f], [], float.MinValue, float.MaxValue, path);
            float[] y = Run(layer, [float.NaN, float.PositiveInfinity, float.NegativeInfinity]);
            Assert.Equal([float.NaN, float.MaxValue, float.MinValue], y);
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Conv2DGeometry geometry = new(1, Window.Same(4, 3, 1), Window.Same(4, 3, 1), 2, 3);
        Assert.Throws<ArgumentException>(() => new PreparedConv2D(geometry, new float[53], []));
        Assert.Throws<ArgumentException>(() => new PreparedConv2D(geometry, new float[54], new float[2]));
        Assert.Throws<ArgumentException>(() => new PreparedConv2D(geometry with { Groups = 2 }, new float[54], []));
        PreparedConv2D layer = new(geometry, new float[54], []);
        byte[] scratch = new byte[layer.ScratchBytes];
        Assert.Throws<ArgumentException>(() => layer.Run(new float[31], new float[48], scratch));
        Assert.Throws<ArgumentException>(() => layer.Run(new float[32], new float[47], scratch));
        Assert.Throws<ArgumentException>(() => layer.Run(new float[32], new float[48], scratch.AsSpan(1)));
    }

    internal static void AssertClose(
        Conv2DGeometry geometry,
        ReferenceConvolution.WeightOrder order,
        float[] x,
        float[] weights,
        float[] bias,
        float low,
        float high,
        float[] actual,
        int seed)
    {
        float[] expected = new float[geometry.OutputLength];
        float[] magnitude = new float[geometry.OutputLength];
        ReferenceConvolution.Run(geometry, order, x, weights, bias, low, high, expected);
        ReferenceConvolution.Run(
            geometry,
            order,
            [.. x.Select(MathF.Abs)],
            [.. weights.Select(MathF.Abs)],
            [.. bias.Select(MathF.Abs)],
            float.NegativeInfinity,
            float.PositiveInfinity,
            magnitude);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                MathF.Abs(expected[i] - actual[i]) <= 1e-5f * magnitude[i],
                $"seed {seed}, {geometry}, element {i}: {expected[i]} expected, {actual[i]} found");
        }
    }

    private static float[] Run(PreparedConv2D layer, float[] x)
    {
        float[] y = new float[layer.Geometry.OutputLength];
        Array.Fill(y, float.NaN);
        layer.Run(x, y, new byte[layer.ScratchBytes]);
        return y;
    }
}
