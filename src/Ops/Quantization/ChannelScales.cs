using Optc.Ir;

namespace Optc.Ops.Quantization;

/// <summary>Scales and zero points of a tensor, with the layout of its elements: <c>[outer, channel, inner]</c>.</summary>
/// <param name="Scales">One for each channel; a tensor with a single scale is one channel.</param>
/// <param name="ZeroPoints">One for each channel, within the range of the element type.</param>
/// <param name="Inner">Consecutive elements of one channel.</param>
internal sealed record ChannelScales(float[] Scales, int[] ZeroPoints, int Inner)
{
    /// <param name="type">Fully known type.</param>
    /// <param name="low">Smallest raw value of the element type.</param>
    /// <param name="high">Largest raw value.</param>
    /// <param name="what">What the tensor is to the operator, for the message.</param>
    /// <exception cref="OpRuleException">
    /// The type is not quantized; its scales do not fit its axis or are not positive and finite; a zero point is no value
    /// of the element type.
    /// </exception>
    public static ChannelScales Of(TensorType type, int low, int high, string what)
    {
        if (type.Quant is not { Scales.IsEmpty: false, ZeroPoints.IsEmpty: false } quant)
        {
            throw new OpRuleException($"{what} must be quantized") { Found = type.ToString() };
        }

        int channels = quant.Scales.Length;
        int inner = Extent(type.Shape.Dims.AsSpan(), what);
        if (channels > 1)
        {
            if ((uint)quant.Axis >= (uint)type.Shape.Rank
                || type.Shape[quant.Axis] != channels
                || (quant.ZeroPoints.Length != 1 && quant.ZeroPoints.Length != channels))
            {
                throw new OpRuleException($"the scales of {what} do not fit its shape") { Found = type.ToString() };
            }

            inner = Extent(type.Shape.Dims.AsSpan()[(quant.Axis + 1)..], what);
        }

        int[] zeroPoints = new int[channels];
        for (int c = 0; c < channels; c++)
        {
            long zero = quant.ZeroPointAt(c);
            if (!float.IsFinite(quant.Scales[c]) || quant.Scales[c] <= 0)
            {
                throw new OpRuleException($"a scale of {what} is not positive and finite") { Found = $"{quant.Scales[c]:R}" };
            }

            zeroPoints[c] = zero >= low && zero <= high
                ? (int)zero
                : throw new OpRuleException($"a zero point of {what} is outside of its element type")
                {
                    Found = $"{zero}",
                    Expected = $"{low} to {high}",
                };
        }

        return new([.. quant.Scales], zeroPoints, inner);
    }

    private static int Extent(ReadOnlySpan<int> dims, string what)
    {
        long extent = dims.Contains(0) ? 0 : 1;
        foreach (int dim in dims)
        {
            extent *= dim;
            if (extent > int.MaxValue)
            {
                throw new OpRuleException($"{what} is too large") { Expected = $"at most {int.MaxValue} elements" };
            }
        }

        return (int)extent;
    }
}
