using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class Int16ConvolutionTests
{
    private static IEnumerable<SimdPath> Paths => Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported);

    [Fact]
    public void Convolution_is_exact_on_every_path()
    {
        for (int seed = 0; seed < 80; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            sbyte[] weights = random.Bytes(geometry.WeightLength);
            Check(random, seed, geometry, ReferenceConvolution.WeightOrder.OutputFirst, weights);
        }
    }

    [Fact]
    public void Depthwise_is_exact_on_every_path()
    {
        for (int seed = 0; seed < 80; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Depthwise();
            sbyte[] weights = random.Bytes(geometry.WeightLength);
            Check(random, seed, geometry, ReferenceConvolution.WeightOrder.OutputLast, weights);
        }
    }

    [Theory]
    [InlineData(509)]
    [InlineData(510)]
    [InlineData(511)]
    [InlineData(3000)]
    public void The_largest_sums_pass_32_bits(int depth)
    {
        Conv2DGeometry dense = Conv2DGeometry.Dense(3, depth, 17);
        Conv2DGeometry segments = new(1, Window.Valid(2, 2, 1), Window.Valid(depth, depth, 1), 4, 6, 2);
        Conv2DGeometry depthwise = new(1, Window.Valid(4, 4, 1), Window.Valid(depth, depth, 1), 9, 9, 9);
        foreach (Conv2DGeometry geometry in new[] { dense, segments, depthwise })
        {
            sbyte[] weights = new sbyte[geometry.WeightLength];
            Array.Fill(weights, sbyte.MinValue);
            short[] x = new short[geometry.InputLength];
            Array.Fill(x, short.MinValue);
            foreach (SimdPath path in Paths)
            {
                long[] actual = new long[geometry.OutputLength];
                if (geometry == depthwise)
                {
                    PreparedInt16DepthwiseConv2D layer = new(geometry, weights, [], 32767, null, path: path);
                    layer.RunAccumulators(x, actual, new byte[layer.ScratchBytes]);
                }
                else
                {
                    PreparedInt16Conv2D layer = new(geometry, weights, [], 32767, null, path: path);
                    layer.RunAccumulators(x, actual, new byte[layer.ScratchBytes]);
                }

                Assert.All(actual, value => Assert.Equal(65535L * 128 * geometry.Depth, value));
            }
        }
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        Conv2DGeometry geometry = new(1, Window.Same(16, 3, 1), Window.Same(16, 3, 1), 5, 7);
        RandomConvolution random = new(1);
        short[] x = random.Shorts(geometry.InputLength);
        short[] y = new short[geometry.OutputLength];
        PreparedInt16Conv2D layer = new(geometry, random.Bytes(geometry.WeightLength), [], 0, random.Stage16(7, false));
        byte[] scratch = new byte[layer.ScratchBytes];
        layer.Run(x, y, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        layer.Run(x, y, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void Check(
        RandomConvolution random,
        int seed,
        Conv2DGeometry geometry,
        ReferenceConvolution.WeightOrder order,
        sbyte[] weights)
    {
        short[] x = random.Shorts(geometry.InputLength);
        bool narrow = seed % 2 == 0;
        long[] bias = seed % 3 == 0 ? [] : [.. random.Ints(geometry.OutputChannels, 1_000_000).Select(b => (long)b)];
        int zeroPoint = seed % 3 == 1 ? random.Between(short.MinValue, short.MaxValue) : 0;
        Requantizer stage = random.Stage16(geometry.OutputChannels, uniform: seed % 5 == 0);
        long[] expected = new long[geometry.OutputLength];
        ReferenceConvolution.Run<short, long>(geometry, order, x, zeroPoint, weights, bias, expected);
        short[] expectedOutput =
        [
            .. expected.Select((sum, i) => (short)(narrow
                ? stage.Requantize16(unchecked((int)sum), i % geometry.OutputChannels)
                : stage.RequantizeLong(sum, i % geometry.OutputChannels))),
        ];
        foreach (SimdPath path in Paths)
        {
            long[] accumulators = new long[expected.Length];
            short[] y = new short[expected.Length];
            if (order == ReferenceConvolution.WeightOrder.OutputFirst)
            {
                PreparedInt16Conv2D layer = new(geometry, weights, bias, zeroPoint, stage, narrow, path);
                layer.RunAccumulators(x, accumulators, Dirty(layer.ScratchBytes));
                for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
                {
                    layer.RunChunk(chunk, x, y, Dirty(layer.ScratchBytes));
                }
            }
            else
            {
                PreparedInt16DepthwiseConv2D layer = new(geometry, weights, bias, zeroPoint, stage, narrow, path);
                layer.RunAccumulators(x, accumulators, Dirty(layer.ScratchBytes));
                for (int chunk = layer.ChunkCount - 1; chunk >= 0; chunk--)
                {
                    layer.RunChunk(chunk, x, y, Dirty(layer.ScratchBytes));
                }
            }

            Assert.True(expected.AsSpan().SequenceEqual(accumulators), $"seed {seed}, {path}, sums, {geometry}");
            Assert.True(expectedOutput.AsSpan().SequenceEqual(y), $"seed {seed}, {path}, narrow {narrow}, {geometry}");
        }
    }

    private static byte[] Dirty(int length)
    {
        byte[] scratch = new byte[length];
        Array.Fill(scratch, (byte)0xA5);
        return scratch;
    }
}
