using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class DepthwiseConvolutionTests
{
    private static IEnumerable<SimdPath> Paths => Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported);

    [Fact]
    public void Float_is_the_definition_within_rounding_and_the_same_bits_on_every_path()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Depthwise();
            float[] x = random.Floats(geometry.InputLength);
            float[] weights = random.Floats(geometry.WeightLength);
            float[] bias = seed % 3 == 0 ? [] : random.Floats(geometry.OutputChannels);
            float low = seed % 2 == 0 ? float.NegativeInfinity : -0.5f;
            float high = seed % 2 == 0 ? float.PositiveInfinity : 1f;
            float[]? first = null;
            foreach (SimdPath path in Paths)
            {
                PreparedDepthwiseConv2D layer = new(geometry, weights, bias, low, high, path);
                float[] y = new float[geometry.OutputLength];
                Array.Fill(y, float.NaN);
                for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
                {
                    layer.RunChunk(chunk, x, y, Dirty(layer.ScratchBytes));
                }

                FloatConvolutionTests.AssertClose(
                    geometry, ReferenceConvolution.WeightOrder.OutputLast, x, weights, bias, low, high, y, seed);
                first ??= y;
                Assert.True(first.AsSpan().SequenceEqual(y), $"seed {seed}, {path}, {geometry}");
            }
        }
    }

    [Fact]
    public void Int8_is_exact_on_every_path()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Depthwise();
            sbyte[] x = random.Bytes(geometry.InputLength);
            sbyte[] weights = random.Bytes(geometry.WeightLength);
            int[] bias = seed % 3 == 0 ? [] : random.Ints(geometry.OutputChannels, 100_000);
            int zeroPoint = random.Between(-128, 127);
            Requantizer stage = random.Stage(geometry.OutputChannels, uniform: seed % 5 == 0);
            int[] expected = new int[geometry.OutputLength];
            ReferenceConvolution.Run<sbyte, int>(
                geometry, ReferenceConvolution.WeightOrder.OutputLast, x, zeroPoint, weights, bias, expected);
            sbyte[] expectedOutput =
                [.. expected.Select((sum, i) => (sbyte)stage.Requantize(sum, i % geometry.OutputChannels))];
            foreach (SimdPath path in Paths)
            {
                PreparedInt8DepthwiseConv2D layer = new(geometry, weights, bias, zeroPoint, stage, path);
                int[] accumulators = new int[expected.Length];
                sbyte[] y = new sbyte[expected.Length];
                layer.RunAccumulators(x, accumulators, Dirty(layer.ScratchBytes));
                for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
                {
                    layer.RunChunk(chunk, x, y, Dirty(layer.ScratchBytes));
                }

                Assert.True(expected.AsSpan().SequenceEqual(accumulators), $"seed {seed}, {path}, {geometry}");
                Assert.True(expectedOutput.AsSpan().SequenceEqual(y), $"seed {seed}, {path}, {geometry}");
            }
        }
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        Conv2DGeometry geometry = new(1, Window.Same(16, 3, 1), Window.Same(16, 3, 1), 21, 42, 21);
        RandomConvolution random = new(1);
        float[] x = random.Floats(geometry.InputLength);
        float[] y = new float[geometry.OutputLength];
        sbyte[] qx = random.Bytes(geometry.InputLength);
        sbyte[] qy = new sbyte[geometry.OutputLength];
        PreparedDepthwiseConv2D layer = new(geometry, random.Floats(geometry.WeightLength), []);
        PreparedInt8DepthwiseConv2D quantized = new(
            geometry, random.Bytes(geometry.WeightLength), [], 3, random.Stage(42, false));
        byte[] scratch = new byte[Math.Max(layer.ScratchBytes, quantized.ScratchBytes)];
        layer.Run(x, y, scratch);
        quantized.Run(qx, qy, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        layer.Run(x, y, scratch);
        quantized.Run(qx, qy, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Groups_that_are_not_channels_are_refused()
    {
        Conv2DGeometry geometry = new(1, Window.Same(4, 3, 1), Window.Same(4, 3, 1), 4, 4, 2);
        Assert.Throws<ArgumentException>(() => new PreparedDepthwiseConv2D(geometry, new float[72], []));
        Assert.Throws<ArgumentException>(() => new PreparedInt8DepthwiseConv2D(geometry, new sbyte[72], [], 0, null));
    }

    private static byte[] Dirty(int length)
    {
        byte[] scratch = new byte[length];
        Array.Fill(scratch, (byte)0xFF);
        return scratch;
    }
}
