using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

/// <summary>The fast adjoints against their definition in double precision, over windows that crop, pad, skip and dilate.</summary>
public sealed class ConvolutionGradientTests
{
    private static readonly SimdPath[] Paths = [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];

    [Fact]
    public void Input_gradient_is_the_adjoint_on_every_path()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            float[] weights = random.Floats(geometry.WeightLength);
            float[] dy = random.Floats(geometry.OutputLength);
            double[] expected = new double[geometry.InputLength];
            Visit(geometry, depthwise: false, (x, w, y) => expected[x] += (double)weights[w] * dy[y]);
            Check(seed, geometry, expected, path =>
            {
                PreparedConv2DInputGradient gradient = new(geometry, path);
                gradient.Load(weights);
                return Chunks(geometry, gradient.ChunkCount, gradient.ScratchBytes, (chunk, dx, scratch) => gradient.RunChunk(chunk, dy, dx, scratch));
            });
        }
    }

    [Fact]
    public void Depthwise_input_gradient_is_the_adjoint_on_every_path()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Depthwise();
            float[] weights = random.Floats(geometry.WeightLength);
            float[] dy = random.Floats(geometry.OutputLength);
            double[] expected = new double[geometry.InputLength];
            Visit(geometry, depthwise: true, (x, w, y) => expected[x] += (double)weights[w] * dy[y]);
            Check(seed, geometry, expected, path =>
            {
                PreparedDepthwiseConv2DInputGradient gradient = new(geometry, path);
                gradient.Load(weights);
                return Chunks(geometry, gradient.ChunkCount, gradient.ScratchBytes, (chunk, dx, scratch) => gradient.RunChunk(chunk, dy, dx, scratch));
            });
        }
    }

    [Fact]
    public void Weight_gradient_is_the_adjoint_on_every_path()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = seed % 4 == 0 ? random.Pointwise() : random.Dense();
            float[] x = random.Floats(geometry.InputLength);
            float[] dy = random.Floats(geometry.OutputLength);
            double[] expected = new double[geometry.WeightLength];
            Visit(geometry, depthwise: false, (from, w, y) => expected[w] += (double)x[from] * dy[y]);
            Check(seed, geometry, expected, path =>
            {
                PreparedConv2DWeightGradient gradient = new(geometry, path);
                float[] partials = new float[gradient.PartialLength];
                Array.Fill(partials, float.NaN);
                float[] dw = new float[geometry.WeightLength];
                byte[] scratch = new byte[gradient.ScratchBytes];
                for (int slot = gradient.SlotCount - 1; slot >= 0; slot--)
                {
                    Array.Fill(scratch, (byte)0xff);
                    gradient.RunSlot(slot, x, dy, partials, scratch);
                }

                for (int part = gradient.PartCount - 1; part >= 0; part--)
                {
                    gradient.Reduce(part, partials, dw);
                }

                return dw;
            });
        }
    }

    [Fact]
    public void Depthwise_weight_gradient_is_the_adjoint_on_every_path()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Conv2DGeometry geometry = random.Depthwise();
            float[] x = random.Floats(geometry.InputLength);
            float[] dy = random.Floats(geometry.OutputLength);
            double[] expected = new double[geometry.WeightLength];
            Visit(geometry, depthwise: true, (from, w, y) => expected[w] += (double)x[from] * dy[y]);
            Check(seed, geometry, expected, path =>
            {
                PreparedDepthwiseConv2DWeightGradient gradient = new(geometry, path);
                float[] partials = new float[gradient.PartialLength];
                Array.Fill(partials, float.NaN);
                float[] dw = new float[geometry.WeightLength];
                for (int slot = gradient.SlotCount - 1; slot >= 0; slot--)
                {
                    byte[] scratch = new byte[gradient.ScratchBytes];
                    Array.Fill(scratch, (byte)0xff);
                    gradient.RunSlot(slot, x, dy, partials, scratch);
                }

                gradient.Reduce(partials, dw);
                return dw;
            });
        }
    }

    private delegate void ChunkRun(int chunk, Span<float> dx, Span<byte> scratch);

    private static float[] Chunks(Conv2DGeometry geometry, int chunks, int scratchBytes, ChunkRun run)
    {
        float[] dx = new float[geometry.InputLength];
        Array.Fill(dx, float.NaN);
        for (int chunk = chunks - 1; chunk >= 0; chunk--)
        {
            byte[] scratch = new byte[scratchBytes];
            Array.Fill(scratch, (byte)0xff);
            run(chunk, dx, scratch);
        }

        return dx;
    }

    private static void Check(int seed, Conv2DGeometry geometry, double[] expected, Func<SimdPath, float[]> run)
    {
        float[] portable = run(SimdPath.Portable);
        double scale = Math.Max(1, expected.Select(Math.Abs).DefaultIfEmpty().Max());
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(portable[i] - expected[i]) <= 1e-5 * scale, $"seed {seed}, {geometry}, element {i}: {portable[i]:R}, expected {expected[i]:R}");
        }

        foreach (SimdPath path in Paths)
        {
            Assert.True(portable.AsSpan().SequenceEqual(run(path)), $"seed {seed}, {path} differs, {geometry}");
        }
    }

    /// <summary>Every product of the forward convolution as indices of input, weight and output.</summary>
    private static void Visit(Conv2DGeometry geometry, bool depthwise, Action<int, int, int> product)
    {
        (Window height, Window width) = (geometry.Height, geometry.Width);
        (int inputs, int outputs) = (geometry.GroupInputChannels, geometry.GroupOutputChannels);
        for (int pixel = 0; pixel < geometry.Batch * height.Output * width.Output; pixel++)
        {
            for (int tap = 0; tap < height.Kernel * width.Kernel; tap++)
            {
                int row = height.Start(pixel / width.Output % height.Output) + (tap / width.Kernel * height.Dilation);
                int column = width.Start(pixel % width.Output) + (tap % width.Kernel * width.Dilation);
                if (row < 0 || row >= height.Input || column < 0 || column >= width.Input)
                {
                    continue;
                }

                int image = pixel / width.Output / height.Output;
                int from = ((((image * height.Input) + row) * width.Input) + column) * geometry.InputChannels;
                for (int o = 0; o < geometry.OutputChannels; o++)
                {
                    for (int c = 0; c < inputs; c++)
                    {
                        int weight = depthwise
                            ? (tap * geometry.OutputChannels) + o
                            : (((o * height.Kernel * width.Kernel) + tap) * inputs) + c;
                        product(from + (o / outputs * inputs) + c, weight, (pixel * geometry.OutputChannels) + o);
                    }
                }
            }
        }
    }
}
