using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Bounds;

/// <summary>
/// Sums of products as the integer kernels take them: <c>acc[p, o] = bias[o] + sum over taps t and inputs i of (x[t, i] - z_x) w[t, i, o]</c>,
/// then <c>y = clamp(round(acc * factor[o]) + z_y)</c>. Taps outside of the image do not count.
/// </summary>
/// <remarks>Source: the reference kernels of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED; see <see cref="Requantizer"/>.</remarks>
public sealed class ProductSum
{
    private readonly Requantizer _twice;
    private readonly Requantizer _float;
    private readonly ActivationRange _range;
    private readonly int _zeroPoint;

    private ProductSum(Conv2DGeometry geometry, bool isDepthwise, int[] weights, int[] bias, int inputZeroPoint, Requantizer twice, Requantizer inFloat)
    {
        IsDepthwise = isDepthwise;
        (Geometry, Weights, Bias, InputZeroPoint, _twice, _float) = (geometry, weights, bias, inputZeroPoint, twice, inFloat);
        (_range, _zeroPoint) = (twice.Range, twice.ZeroPoint);
    }

    /// <summary>Windows and channels; a dense layer is a convolution over its rows. Either one group, or as many as inputs.</summary>
    public Conv2DGeometry Geometry { get; }

    /// <summary>Weights less their zero point: <c>[KH * KW, C, O]</c>, of a depthwise convolution <c>[KH * KW, O]</c>.</summary>
    public int[] Weights { get; }

    /// <summary>One for each output; zeros when there is no bias.</summary>
    public int[] Bias { get; }

    public int InputZeroPoint { get; }

    public int Outputs => Geometry.OutputChannels;

    public int Inputs => Geometry.InputChannels;

    public int Taps => Geometry.Height.Kernel * Geometry.Width.Kernel;

    public bool IsDepthwise { get; }

    /// <summary>The weight by which an output counts an input at a tap; 0 for one of another group.</summary>
    public int Weight(int tap, int input, int output)
    {
        if (!IsDepthwise)
        {
            return Weights[(((tap * Inputs) + input) * Outputs) + output];
        }

        return output / (Outputs / Inputs) == input ? Weights[(tap * Outputs) + output] : 0;
    }

    /// <summary>Which taps lie outside of the image for some output position.</summary>
    public bool[] PaddedTaps()
    {
        bool[] rows = Outside(Geometry.Height);
        bool[] columns = Outside(Geometry.Width);
        bool[] padded = new bool[Taps];
        for (int t = 0; t < padded.Length; t++)
        {
            padded[t] = rows[t / columns.Length] || columns[t % columns.Length];
        }

        return padded;
    }

    /// <summary>Smallest or largest output of an accumulator under several roundings.</summary>
    /// <returns><see langword="false"/> when a left shift overflows, so that the output can be anything.</returns>
    public bool TryRequantize(int accumulator, int output, Roundings roundings, out int low, out int high)
    {
        (low, high) = (int.MaxValue, int.MinValue);
        FixedPoint factor = _twice.Factors[_twice.IsUniform ? 0 : output];
        if (factor.Exponent > 30 || (factor.Exponent > 0 && Math.Abs((long)accumulator) >= 1L << (31 - factor.Exponent)))
        {
            (low, high) = (_range.Low, _range.High);
            return false;
        }

        if (roundings.HasFlag(Roundings.Double))
        {
            low = high = _twice.Requantize(accumulator, output);
        }

        if (roundings.HasFlag(Roundings.Single))
        {
            int y = _range.Clamp(checked((int)Math.Clamp(Once(accumulator, factor) + _zeroPoint, int.MinValue, int.MaxValue)));
            (low, high) = (Math.Min(low, y), Math.Max(high, y));
        }

        if (roundings.HasFlag(Roundings.Float32))
        {
            int y = _float.Requantize(accumulator, output);
            (low, high) = (Math.Min(low, y), Math.Max(high, y));
        }

        return true;
    }

    /// <summary>The range that outputs are limited to.</summary>
    public ActivationRange Range => _range;

    /// <summary>The ratio of scales of an output, in float32 as XNNPACK computes it.</summary>
    public static float ScaleRatio(TensorType x, TensorType w, TensorType y, int output) =>
        FloatRequantizer.Of(x.Scale, w.Quant!.Scales[w.Quant.IsPerAxis ? output : 0], y.Scale).Factor;

    internal static ProductSum? Convolution(OpOperands operands, Conv2DGeometry geometry, FusedActivation activation) =>
        geometry.Groups == 1 ? Of(operands, geometry, ReferenceConvolution.WeightOrder.OutputFirst, activation, isDense: false) : null;

    internal static ProductSum? Depthwise(OpOperands operands, Conv2DGeometry geometry, FusedActivation activation) =>
        Of(operands, geometry, ReferenceConvolution.WeightOrder.OutputLast, activation, isDense: false);

    internal static ProductSum? Dense(OpOperands operands, Conv2DGeometry geometry, FusedActivation activation) =>
        Of(operands, geometry, ReferenceConvolution.WeightOrder.OutputFirst, activation, isDense: true);

    private static ProductSum? Of(OpOperands operands, Conv2DGeometry geometry, ReferenceConvolution.WeightOrder order, FusedActivation activation, bool isDense)
    {
        (TensorType x, TensorType w, TensorType y) = (operands[0], operands[1], operands.Declared[0]);
        bool isUnsigned = x.DType is DType.U8;
        if (x.DType is not (DType.I8 or DType.U8) || w.DType != x.DType || y.DType != x.DType || x.Quant is null || y.Quant is null
            || operands.Constant(1) is not { Sparse: null } weights || (operands.Has(2) && operands.Constant(2) is not { DType: DType.I32, Sparse: null }))
        {
            return null;
        }

        int[] codes = isUnsigned ? Array.ConvertAll(weights.Span<byte>().ToArray(), b => (int)b) : Array.ConvertAll(weights.Span<sbyte>().ToArray(), b => (int)b);

        // Only uint8, and dense int8 layers with one zero point, have weights that are not symmetric.
        int zero = w.Quant is { IsPerAxis: false } quant && (isUnsigned || isDense) ? checked((int)quant.ZeroPoint) : 0;
        ActivationRange range = SpatialRules.RangeOf(activation, y);
        bool isDepthwise = order is ReferenceConvolution.WeightOrder.OutputLast;
        float[] scales = SpatialRules.WeightScales(w, isDepthwise ? 3 : 0, geometry.OutputChannels);
        try
        {
            Requantizer Stage(RoundingProfile profile) => isDense || isUnsigned
                ? Requantizer.ForFullyConnected(profile, x.Scale, scales, y.Scale, y.ZeroPoint, range)
                : Requantizer.ForConvolution(profile, x.Scale, scales, y.Scale, y.ZeroPoint, range);
            int[] bias = operands.Has(2) ? operands.Constant(2)!.Span<int>().ToArray() : new int[geometry.OutputChannels];
            return new(
                geometry, isDepthwise, Arranged(codes, geometry, isDepthwise, zero), bias, x.ZeroPoint, Stage(RoundingProfile.Tflm), Stage(RoundingProfile.Xnnpack));
        }
        catch (ArgumentException)
        {
            // Ratios of scales that no runtime can take.
            return null;
        }
    }

    private static int[] Arranged(int[] codes, Conv2DGeometry geometry, bool isDepthwise, int zero)
    {
        int[] weights = new int[codes.Length];
        if (isDepthwise)
        {
            for (int i = 0; i < codes.Length; i++)
            {
                weights[i] = codes[i] - zero;
            }

            return weights;
        }

        int outputs = geometry.OutputChannels;
        int depth = geometry.Depth;
        for (int o = 0; o < outputs; o++)
        {
            for (int d = 0; d < depth; d++)
            {
                weights[(d * outputs) + o] = codes[(o * depth) + d] - zero;
            }
        }

        return weights;
    }

    private static bool[] Outside(Window window)
    {
        bool[] outside = new bool[window.Kernel];
        for (int y = 0; y < window.Output; y++)
        {
            (int first, int end) = window.Taps(y);
            for (int t = 0; t < outside.Length; t++)
            {
                outside[t] |= t < first || t >= end;
            }
        }

        return outside;
    }

    /// <summary>One rounding, halves up (<c>TFLITE_SINGLE_ROUNDING</c>).</summary>
    private static long Once(int accumulator, FixedPoint factor)
    {
        int shift = 31 - factor.Exponent;
        return shift > 62 ? 0 : (((long)accumulator * factor.Mantissa) + (1L << (shift - 1))) >> shift;
    }
}
