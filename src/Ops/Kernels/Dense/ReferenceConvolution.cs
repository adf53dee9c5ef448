using System.Numerics;

namespace Optc.Ops.Kernels;

/// <summary>Convolutions written as their definition: slow, obvious, and what the fast kernels are compared with.</summary>
/// <remarks>
/// The order of additions is that of TFLite's reference kernels (<c>reference/conv.h</c>,
/// <c>reference/depthwiseconv_float.h</c>): kernel row, kernel column, channel; product and sum are rounded separately
/// and the bias is added last. In float this reproduces TFLite Micro bit for bit.
/// </remarks>
public static class ReferenceConvolution
{
    /// <summary>Order of the weights of a convolution.</summary>
    public enum WeightOrder
    {
        /// <summary><c>[O, KH, KW, C / G]</c>.</summary>
        OutputFirst,

        /// <summary><c>[KH, KW, O]</c>: depthwise, one product per tap.</summary>
        OutputLast,
    }

    /// <summary>Float convolution with activation limits.</summary>
    /// <param name="x">x <c>[N, H, W, C]</c>.</param>
    /// <param name="weights">Weights in <paramref name="order"/>.</param>
    /// <param name="bias">O values or empty.</param>
    /// <param name="low">Lower limit; a NaN stays a NaN.</param>
    /// <param name="y">y <c>[N, OH, OW, O]</c>.</param>
    public static void Run(
        Conv2DGeometry geometry,
        WeightOrder order,
        ReadOnlySpan<float> x,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> bias,
        float low,
        float high,
        Span<float> y)
    {
        Accumulate(geometry, order, x, 0f, weights, y);
        for (int i = 0; i < geometry.OutputLength; i++)
        {
            float value = bias.IsEmpty ? y[i] : y[i] + bias[i % geometry.OutputChannels];
            value = value < low ? low : value;
            y[i] = value > high ? high : value;
        }
    }

    /// <summary>Integer convolution: the accumulators before requantization, wrapping.</summary>
    /// <param name="zeroPoint">Zero point of x, subtracted from every element; padding contributes nothing.</param>
    /// <param name="bias">O values or empty.</param>
    /// <param name="accumulators">Sums <c>[N, OH, OW, O]</c>.</param>
    public static void Run<TX, TAccumulator>(
        Conv2DGeometry geometry,
        WeightOrder order,
        ReadOnlySpan<TX> x,
        TAccumulator zeroPoint,
        ReadOnlySpan<sbyte> weights,
        ReadOnlySpan<TAccumulator> bias,
        Span<TAccumulator> accumulators)
        where TX : unmanaged, IBinaryInteger<TX>
        where TAccumulator : unmanaged, IBinaryInteger<TAccumulator>
    {
        Accumulate(geometry, order, x, zeroPoint, weights, accumulators);
        if (!bias.IsEmpty)
        {
            for (int i = 0; i < geometry.OutputLength; i++)
            {
                accumulators[i] = unchecked(accumulators[i] + bias[i % geometry.OutputChannels]);
            }
        }
    }

    private static void Accumulate<TX, TW, TAccumulator>(
        Conv2DGeometry geometry,
        WeightOrder order,
        ReadOnlySpan<TX> x,
        TAccumulator zeroPoint,
        ReadOnlySpan<TW> weights,
        Span<TAccumulator> sums)
        where TX : unmanaged, INumber<TX>
        where TW : unmanaged, INumber<TW>
        where TAccumulator : unmanaged, INumber<TAccumulator>
    {
        geometry.Validate();
        (Window height, Window width) = (geometry.Height, geometry.Width);
        int channels = geometry.GroupInputChannels;
        int at = 0;
        for (int image = 0; image < geometry.Batch; image++)
        {
            for (int oy = 0; oy < height.Output; oy++)
            {
                for (int ox = 0; ox < width.Output; ox++)
                {
                    for (int o = 0; o < geometry.OutputChannels; o++)
                    {
                        int firstChannel = o / geometry.GroupOutputChannels * channels;
                        TAccumulator sum = TAccumulator.Zero;
                        for (int ky = 0; ky < height.Kernel; ky++)
                        {
                            for (int kx = 0; kx < width.Kernel; kx++)
                            {
                                int iy = height.Start(oy) + (ky * height.Dilation);
                                int ix = width.Start(ox) + (kx * width.Dilation);
                                if (iy < 0 || iy >= height.Input || ix < 0 || ix >= width.Input)
                                {
                                    continue;
                                }

                                int from = ((((image * height.Input) + iy) * width.Input) + ix) * geometry.InputChannels;
                                int tap = (ky * width.Kernel) + kx;
                                for (int c = 0; c < channels; c++)
                                {
                                    int weight = order == WeightOrder.OutputFirst
                                        ? (((o * height.Kernel * width.Kernel) + tap) * channels) + c
                                        : (((tap * channels) + c) * geometry.OutputChannels) + o;
                                    TAccumulator value = TAccumulator.CreateTruncating(x[from + firstChannel + c]);
                                    TAccumulator product = (value - zeroPoint)
                                        * TAccumulator.CreateTruncating(weights[weight]);
                                    sum = unchecked(sum + product);
                                }
                            }
                        }

                        sums[at++] = sum;
                    }
                }
            }
        }
    }
}
