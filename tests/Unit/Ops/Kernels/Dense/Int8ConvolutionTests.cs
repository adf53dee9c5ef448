using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class Int8ConvolutionTests
{
    [Fact]
    public void Accumulators_are_exact_on_every_path()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            sbyte[] x = random.Bytes(geometry.InputLength);
            sbyte[] weights = random.Bytes(geometry.WeightLength);
            int[] bias = seed % 3 == 0 ? [] : random.Ints(geometry.OutputChannels, int.MaxValue / 2);
            int zeroPoint = random.Between(-128, 127);
            int[] expected = new int[geometry.OutputLength];
            ReferenceConvolution.Run<sbyte, int>(
                geometry, ReferenceConvolution.WeightOrder.OutputFirst, x, zeroPoint, weights, bias, expected);

            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                PreparedInt8Conv2D layer = new(geometry, weights, bias, zeroPoint, null, path);
                int[] actual = new int[expected.Length];
                layer.RunAccumulators(x, actual, Dirty(layer.ScratchBytes));
                Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}, {path}, {geometry}");
            }
        }
    }

    [Fact]
    public void Outputs_are_the_requantized_accumulators_in_both_rounding_profiles()
    {
        for (int seed = 0; seed < 80; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            sbyte[] x = random.Bytes(geometry.InputLength);
            sbyte[] weights = random.Bytes(geometry.WeightLength);
            int[] bias = random.Ints(geometry.OutputChannels, 100_000);
            int zeroPoint = random.Between(-128, 127);
            Requantizer stage = random.Stage(geometry.OutputChannels, uniform: seed % 5 == 0);
            int[] accumulators = new int[geometry.OutputLength];
            ReferenceConvolution.Run<sbyte, int>(
                geometry, ReferenceConvolution.WeightOrder.OutputFirst, x, zeroPoint, weights, bias, accumulators);

            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                PreparedInt8Conv2D layer = new(geometry, weights, bias, zeroPoint, stage, path);
                sbyte[] actual = new sbyte[accumulators.Length];
                for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
                {
                    layer.RunChunk(chunk, x, actual, Dirty(layer.ScratchBytes));
                }

                for (int i = 0; i < actual.Length; i++)
                {
                    int expected = stage.Requantize(accumulators[i], i % geometry.OutputChannels);
                    Assert.True(
                        expected == actual[i],
                        $"seed {seed}, {path}, {stage.Profile}, {geometry}, element {i}: {expected}, {actual[i]}");
                }
            }
        }
    }

    [Fact]
    public void The_largest_sums_do_not_saturate()
    {
        Conv2DGeometry geometry = Conv2DGeometry.Dense(2, 4096, 17);
        sbyte[] x = new sbyte[geometry.InputLength];
        sbyte[] weights = new sbyte[geometry.WeightLength];
        Array.Fill(x, sbyte.MinValue);
        Array.Fill(weights, sbyte.MinValue);
        foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
        {
            PreparedInt8Conv2D layer = new(geometry, weights, [], 127, null, path);
            int[] actual = new int[geometry.OutputLength];
            layer.RunAccumulators(x, actual, new byte[layer.ScratchBytes]);
            Assert.All(actual, value => Assert.Equal(4096 * 255 * 128, value));
        }
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        Conv2DGeometry geometry = new(1, Window.Same(16, 3, 1), Window.Same(16, 3, 1), 5, 7);
        RandomConvolution random = new(1);
        sbyte[] x = random.Bytes(geometry.InputLength);
        sbyte[] y = new sbyte[geometry.OutputLength];
        PreparedInt8Conv2D layer = new(geometry, random.Bytes(geometry.WeightLength), [], 3, random.Stage(7, false));
        byte[] scratch = new byte[layer.ScratchBytes];
        layer.Run(x, y, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        layer.Run(x, y, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        Conv2DGeometry geometry = new(1, Window.Same(4, 3, 1), Window.Same(4, 3, 1), 2, 3);
        Requantizer stage = new RandomConvolution(1).Stage(2, false);
        Assert.Throws<ArgumentException>(() => new PreparedInt8Conv2D(geometry, new sbyte[53], [], 0, null));
        Assert.Throws<ArgumentException>(() => new PreparedInt8Conv2D(geometry, new sbyte[54], new int[2], 0, null));
        Assert.Throws<ArgumentException>(() => new PreparedInt8Conv2D(geometry, new sbyte[54], [], 0, stage));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PreparedInt8Conv2D(geometry, new sbyte[54], [], 128, null));
        PreparedInt8Conv2D layer = new(geometry, new sbyte[54], [], 0, null);
        byte[] scratch = new byte[layer.ScratchBytes];
        Assert.Throws<InvalidOperationException>(() => layer.Run(new sbyte[32], new sbyte[48], scratch));
        Assert.Throws<ArgumentException>(() => layer.RunAccumulators(new sbyte[31], new int[48], scratch));
        Assert.Throws<ArgumentException>(() => layer.RunAccumulators(new sbyte[32], new int[47], scratch));
    }

    private static byte[] Dirty(int length)
    {
        byte[] scratch = new byte[length];
        Array.Fill(scratch, (byte)0xA5);
        return scratch;
    }
}
