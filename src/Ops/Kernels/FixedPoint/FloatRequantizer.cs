using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// Requantization with one rounding, in float32: <c>y = clamp(rint((float)acc * Factor) + zero point)</c>, where
/// <c>rint</c> sends halves to even.
/// </summary>
/// <param name="Factor">Ratio of scales, computed in float32: <c>f32(f32(s_x * s_w) / s_y)</c>.</param>
/// <remarks>
/// Source: XNNPACK's <c>qs8</c> convolution, fully-connected and multiplication micro-kernels (<c>fp32</c>
/// requantization), which LiteRT's default build uses; <see cref="RoundingProfile.Xnnpack"/>.
/// </remarks>
public readonly record struct FloatRequantizer(float Factor)
{
    /// <summary>The factor for a product of two quantities.</summary>
    /// <param name="left">Scale of the input.</param>
    /// <param name="right">Scale of the weights, or of the second input.</param>
    /// <param name="output">Scale of the output.</param>
    public static FloatRequantizer Of(float left, float right, float output) => new(left * right / output);

    /// <summary>One output value.</summary>
    /// <param name="accumulator">In units of the input scale; above 2^24 it is rounded to float32 first, halves to even.</param>
    /// <param name="zeroPoint">Zero point of the output.</param>
    /// <param name="range">Limits of the output, at most 2^24 away from <paramref name="zeroPoint"/>.</param>
    /// <remarks>
    /// The limits are applied before the conversion to an integer, as in the source: they are integers, so rounding
    /// does not change their order, and no conversion overflows.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Requantize(int accumulator, int zeroPoint, ActivationRange range)
    {
        float scaled = accumulator * Factor;
        float limited = MathF.Min(MathF.Max(scaled, range.Low - zeroPoint), range.High - zeroPoint);
        return (int)MathF.Round(limited, MidpointRounding.ToEven) + zeroPoint;
    }
}
