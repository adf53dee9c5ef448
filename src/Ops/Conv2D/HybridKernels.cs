using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Float activations with 8- or 4-bit weights: the activations are quantized while running.</summary>
/// <remarks>
/// <c>y = f32(f32(acc * s_x) * s_w[c]) + bias</c> with <c>acc = sum w (q - z)</c>, exact in int32. Parameters of x are
/// taken for each row of a dense layer, each pixel of a 1x1 convolution, each image of any other. Source: XNNPACK's
/// <c>qd8_f32_qc8w</c> kernels, as LiteRT's default build applies them.
/// </remarks>
internal static class HybridKernels
{
    /// <summary>A convolution whose image is quantized as a whole; 1x1 with stride 1 is a dense layer over its pixels.</summary>
    public static Kernel Convolution(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (Window h, Window w) = (geometry.Height, geometry.Width);
        if (h is { Kernel: 1, Stride: 1 } && w is { Kernel: 1, Stride: 1 } && geometry.Groups == 1)
        {
            int pixels = checked(geometry.Batch * h.Input * w.Input);
            return Dense(context, pixels, geometry.InputChannels, geometry.OutputChannels, activation);
        }

        // Padding must contribute the zero point, which is known only while running: the quantized image is padded first.
        int height = checked(h.Before + h.Input + h.After);
        int width = checked(w.Before + w.Input + w.After);
        Conv2DGeometry padded = geometry with
        {
            Batch = 1,
            Height = Window.Valid(height, h.Kernel, h.Stride, h.Dilation),
            Width = Window.Valid(width, w.Kernel, w.Stride, w.Dilation),
        };
        sbyte[] weights = SpatialRules.Weights8(SpatialRules.ConstantWeights(context, 1));
        int[] sums = RowSums(weights, geometry.OutputChannels);
        float[] scales = Expand(SpatialRules.WeightScales(context.Input(1), axis: 0, geometry.OutputChannels), geometry.OutputChannels);
        PreparedInt8Conv2D product = new(padded, weights, [], inputZeroPoint: 0, requantizer: null);
        (float low, float high) = SpatialRules.Limits(activation);
        int channels = geometry.InputChannels;
        int rowLength = w.Input * channels;
        int imageLength = checked(h.Input * rowLength);
        int outputLength = checked((int)padded.OutputLength);
        Scratch image = context.Reserve((long)imageLength);
        Scratch bordered = context.Reserve(padded.InputLength);
        Scratch accumulators = context.Reserve(padded.OutputLength * sizeof(int));
        Scratch scratch = context.Reserve(product.ScratchBytes);
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<float> y = context.Out<float>(0);
            ReadOnlySpan<float> bias = context.Has(2) ? context.In<float>(2) : [];
            Span<sbyte> plain = image.Span<sbyte>()[..imageLength];
            Span<sbyte> withBorder = bordered.Span<sbyte>()[..(int)padded.InputLength];
            Span<int> acc = accumulators.Span<int>()[..outputLength];
            for (int n = 0; n < geometry.Batch; n++)
            {
                ReadOnlySpan<float> values = x.Slice(n * imageLength, imageLength);
                RowQuantizer quantizer = RowQuantizer.For(values);
                quantizer.Quantize(values, plain);
                withBorder.Fill((sbyte)quantizer.ZeroPoint);
                for (int row = 0; row < h.Input; row++)
                {
                    plain.Slice(row * rowLength, rowLength)
                        .CopyTo(withBorder[((((h.Before + row) * width) + w.Before) * channels)..]);
                }

                product.RunAccumulators(withBorder, acc, scratch.Bytes());
                Dequantize(acc, y.Slice(n * outputLength, outputLength), quantizer, scales, sums, bias, low, high);
            }
        };
    }

    /// <summary>A dense layer <c>x [M, K], w [N, K] -> y [M, N]</c>, each row quantized by itself.</summary>
    public static Kernel Dense(KernelContext context, int m, int k, int n, FusedActivation activation)
    {
        sbyte[] weights = SpatialRules.Weights8(SpatialRules.ConstantWeights(context, 1));
        int[] sums = RowSums(weights, n);
        float[] scales = Expand(SpatialRules.WeightScales(context.Input(1), axis: 0, n), n);
        PreparedInt8Conv2D product = new(Conv2DGeometry.Dense(1, k, n), weights, [], inputZeroPoint: 0, requantizer: null);
        (float low, float high) = SpatialRules.Limits(activation);
        Scratch row = context.Reserve(k);
        Scratch accumulators = context.Reserve(n * (long)sizeof(int));
        Scratch scratch = context.Reserve(product.ScratchBytes);
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<float> y = context.Out<float>(0);
            ReadOnlySpan<float> bias = context.Has(2) ? context.In<float>(2) : [];
            Span<sbyte> quantized = row.Span<sbyte>()[..k];
            Span<int> acc = accumulators.Span<int>()[..n];
            for (int i = 0; i < m; i++)
            {
                ReadOnlySpan<float> values = x.Slice(i * k, k);
                RowQuantizer quantizer = RowQuantizer.For(values);
                quantizer.Quantize(values, quantized);
                product.RunAccumulators(quantized, acc, scratch.Bytes());
                Dequantize(acc, y.Slice(i * n, n), quantizer, scales, sums, bias, low, high);
            }
        };
    }

    /// <summary>A depthwise convolution, each image quantized by itself.</summary>
    public static Kernel Depthwise(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        TensorData weights = SpatialRules.ConstantWeights(context, 1);
        int channels = geometry.OutputChannels;
        sbyte[] taps = SpatialRules.Weights8(weights);
        float[] scales = Expand(SpatialRules.WeightScales(context.Input(1), axis: 3, channels), channels);
        (float low, float high) = SpatialRules.Limits(activation);
        Conv2DGeometry single = geometry with { Batch = 1 };
        int imageLength = checked((int)single.InputLength);
        int outputLength = checked((int)single.OutputLength);
        Scratch image = context.Reserve(imageLength);
        Scratch accumulators = context.Reserve(outputLength * (long)sizeof(int));
        int[] noCorrection = new int[channels];
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<float> y = context.Out<float>(0);
            ReadOnlySpan<float> bias = context.Has(2) ? context.In<float>(2) : [];
            Span<sbyte> quantized = image.Span<sbyte>()[..imageLength];
            Span<int> acc = accumulators.Span<int>()[..outputLength];
            for (int n = 0; n < geometry.Batch; n++)
            {
                ReadOnlySpan<float> values = x.Slice(n * imageLength, imageLength);
                RowQuantizer quantizer = RowQuantizer.For(values);
                quantizer.Quantize(values, quantized);
                ReferenceConvolution.Run(single, ReferenceConvolution.WeightOrder.OutputLast, quantized, quantizer.ZeroPoint, taps, [], acc);
                Dequantize(acc, y.Slice(n * outputLength, outputLength), quantizer, scales, noCorrection, bias, low, high);
            }
        };
    }

    private static void Dequantize(
        ReadOnlySpan<int> accumulators,
        Span<float> y,
        RowQuantizer quantizer,
        float[] scales,
        int[] sums,
        ReadOnlySpan<float> bias,
        float low,
        float high)
    {
        int channels = scales.Length;
        for (int i = 0; i < y.Length; i += channels)
        {
            for (int c = 0; c < channels; c++)
            {
                float scaled = (accumulators[i + c] - (quantizer.ZeroPoint * sums[c])) * quantizer.Scale;
                scaled *= scales[c];
                float value = bias.IsEmpty ? scaled : scaled + bias[c];
                y[i + c] = Math.Min(Math.Max(value, low), high);
            }
        }
    }

    private static int[] RowSums(sbyte[] weights, int rows)
    {
        int[] sums = new int[rows];
        int length = weights.Length / rows;
        for (int i = 0; i < weights.Length; i++)
        {
            sums[i / length] += weights[i];
        }

        return sums;
    }

    private static float[] Expand(float[] scales, int channels)
    {
        float[] expanded = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            expanded[c] = scales.Length == 1 ? scales[0] : scales[c];
        }

        return expanded;
    }
}
