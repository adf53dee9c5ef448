using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// A real factor as the integer kernels use it: <c>Mantissa * 2^(Exponent - 31)</c>.
/// </summary>
/// <param name="Mantissa">
/// Q0.31 fraction: 0 or in <c>[2^30, 2^31)</c>; negative, <c>[-2^31, -2^30]</c>, only from <see cref="FromSignedReal"/>.
/// </param>
/// <param name="Exponent">Power of two; positive shifts left before, negative shifts right after the product.</param>
/// <remarks>
/// Source: <c>QuantizeMultiplier</c> and <c>MultiplyByQuantizedMultiplier</c> of TFLite's reference kernels, in their
/// default mode with two roundings: the high product sends ties up, the shift sends ties away from zero. Reproduced bit
/// for bit; a "more exact" variant would be a defect. Where the reference aborts (a shift outside of its range) the
/// methods here return the value of the same formula over unbounded integers, and never throw.
/// </remarks>
public readonly record struct FixedPoint(int Mantissa, int Exponent)
{
    /// <summary>
    /// True where the reference demands a factor "smaller than one": <c>0 &lt; m &lt; 1</c>, so that no left shift occurs.
    /// </summary>
    public bool IsSmallerThanOne => Mantissa > 0 && Exponent <= 0;

    /// <summary>
    /// The 15-bit mantissa of <see cref="ScaleLong"/>: <see cref="Mantissa"/> rounded to its upper 16 bits, halves up,
    /// saturated to 32767.
    /// </summary>
    public int Mantissa16 => Mantissa >= 0x7FFF_0000 ? short.MaxValue : (Mantissa + (1 << 15)) >> 16;

    /// <summary>Rounds a real factor to 31 fractional bits, halves away from zero.</summary>
    /// <param name="factor">Dimensionless ratio of scales, e.g. <c>s_x * s_w / s_y</c>.</param>
    /// <returns>The nearest representable factor; zero when <paramref name="factor"/> is below <c>2^-32</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is negative, NaN or infinite.</exception>
    public static FixedPoint FromReal(double factor) =>
        TryFromReal(factor, out FixedPoint result)
            ? result
            : throw new ArgumentOutOfRangeException(
                FactorName, factor, "A scale ratio is finite and not negative.");

    /// <summary>Parameter name of the exceptions for a ratio that is no factor, by which a caller knows them.</summary>
    public const string FactorName = "factor";

    /// <summary>As <see cref="FromReal"/>, without the exception.</summary>
    /// <returns>False when <paramref name="factor"/> is negative, NaN or infinite.</returns>
    public static bool TryFromReal(double factor, out FixedPoint result)
    {
        bool valid = double.IsFinite(factor) && factor >= 0;
        result = valid ? Normalize(factor) : default;
        return valid;
    }

    /// <summary>As <see cref="FromReal"/>, for the one factor that may be negative: the slope of a leaky rectifier.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is NaN or infinite.</exception>
    public static FixedPoint FromSignedReal(double factor) =>
        double.IsFinite(factor)
            ? Normalize(factor)
            : throw new ArgumentOutOfRangeException(FactorName, factor, "A factor is finite.");

    /// <summary>The same factor without its sign.</summary>
    public FixedPoint Abs() => Mantissa >= 0 ? this
        : Mantissa == int.MinValue ? new(1 << 30, Exponent + 1)
        : new(-Mantissa, Exponent);

    /// <summary>The factor as a formula, e.g. <c>1073741824 * 2^-31</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Mantissa} * 2^{Exponent - 31}");

    /// <summary>Multiplies a 32-bit accumulator by this factor, rounding twice.</summary>
    /// <param name="value">
    /// Accumulator in units of the input scale. <c>value * 2^max(Exponent, 0)</c> keeps its lower 32 bits, as in the
    /// reference.
    /// </param>
    /// <returns>The product in units of the output scale, before the output zero point is added.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Scale(int value)
    {
        int exponent = Exponent;
        return exponent <= 0
            ? RoundingShiftRight(RoundingHighProduct(value, Mantissa), -exponent)
            : RoundingHighProduct(ShiftLeftWrapping(value, exponent), Mantissa);
    }

    /// <summary>Multiplies a 64-bit accumulator by this factor, with a 15-bit mantissa and one rounding, halves up.</summary>
    /// <param name="value">
    /// Accumulator in units of the input scale, <c>|value| &lt; 2^47</c>; the reference wants an exponent in
    /// <c>[-31, 8)</c>.
    /// </param>
    /// <returns>The lower 32 bits of the product, in units of the output scale, before the zero point is added.</returns>
    /// <remarks>
    /// Source: the <c>int64_t</c> overload of <c>MultiplyByQuantizedMultiplier</c>, used by the int16 kernels. It is no
    /// overload of <see cref="Scale"/> here: the results differ, and an implicit widening must not choose between them.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ScaleLong(long value)
    {
        long product = value * Mantissa16;
        int shift = 15 - Exponent;
        return shift switch
        {
            > 62 => 0,
            > 0 => (int)((product + (1L << (shift - 1))) >> shift),
            > -32 => (int)(product << -shift),
            _ => 0,
        };
    }

    /// <summary>
    /// <c>a * b / 2^31</c>, halves up, in saturating arithmetic: the product of two Q0.31 numbers
    /// (<c>SaturatingRoundingDoublingHighMul</c>).
    /// </summary>
    /// <returns>The product; <c>2^31 - 1</c> for <c>a = b = -2^31</c>, the only case that overflows.</returns>
    /// <remarks>
    /// The reference adds <c>2^30</c> or <c>1 - 2^30</c> by sign and truncates the quotient; that is the floor of
    /// <c>(a * b + 2^30) / 2^31</c> for either sign.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int RoundingHighProduct(int a, int b)
    {
        long high = (((long)a * b) + (1L << 30)) >> 31;
        return high > int.MaxValue ? int.MaxValue : (int)high;
    }

    /// <summary>The 16-bit form of <see cref="RoundingHighProduct"/>: <c>a * b / 2^15</c>, halves up, saturating.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short RoundingHighProduct16(short a, short b)
    {
        int high = ((a * b) + (1 << 14)) >> 15;
        return high > short.MaxValue ? short.MaxValue : (short)high;
    }

    /// <summary><c>value / 2^bits</c>, halves away from zero (<c>RoundingDivideByPOT</c>).</summary>
    /// <param name="bits">
    /// 0 to 31 in the reference; more than 31 is computed by the same rule; a negative count is a mistake of the caller
    /// (asserted) and leaves the value as it is.
    /// </param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int RoundingShiftRight(int value, int bits)
    {
        if ((uint)bits > 31)
        {
            return RoundingShiftRightBeyond(value, bits);
        }

        int mask = (int)((1u << bits) - 1);
        int threshold = (mask >> 1) + (int)((uint)value >> 31);
        return (value >> bits) + ((value & mask) > threshold ? 1 : 0);
    }

    /// <summary><c>value * 2^bits</c>, limited to 32 bits.</summary>
    /// <param name="bits">Any non-negative count; from 31 upwards every non-zero value saturates.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftLeftSaturating(int value, int bits)
    {
        Debug.Assert(bits >= 0, "A left shift has a count of zero or more.");
        long wide = (long)value << Math.Min(bits, 32);
        return wide > int.MaxValue ? int.MaxValue : wide < int.MinValue ? int.MinValue : (int)wide;
    }

    /// <summary>
    /// <c>value * 2^exponent</c>: <see cref="ShiftLeftSaturating"/> for a positive exponent, else
    /// <see cref="RoundingShiftRight"/> (<c>SaturatingRoundingMultiplyByPOT</c>, <c>Rescale</c>).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRounding(int value, int exponent) =>
        exponent >= 0 ? ShiftLeftSaturating(value, exponent) : RoundingShiftRight(value, -exponent);

    /// <summary>The lower 32 bits of <c>value * 2^bits</c>; zero from 32 bits on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftLeftWrapping(int value, int bits) => (uint)bits > 31 ? 0 : value << bits;

    /// <summary>The lower 32 bits, two's complement.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WrapToInt32(long value) => unchecked((int)value);

    /// <summary>Limits to -128..127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static sbyte SaturateToInt8(int value) =>
        (sbyte)Math.Min(Math.Max(value, sbyte.MinValue), sbyte.MaxValue);

    /// <summary>Limits to -32768..32767.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short SaturateToInt16(int value) =>
        (short)Math.Min(Math.Max(value, short.MinValue), short.MaxValue);

    private static FixedPoint Normalize(double factor)
    {
        if (factor == 0)
        {
            return default;
        }

        int exponent = Math.ILogB(factor) + 1;
        long mantissa = (long)Math.Round(Math.ScaleB(factor, 31 - exponent), MidpointRounding.AwayFromZero);
        if (Math.Abs(mantissa) == 1L << 31)
        {
            mantissa /= 2;
            exponent++;
        }

        return exponent < -31 ? default : new((int)mantissa, exponent);
    }

    private static int RoundingShiftRightBeyond(int value, int bits)
    {
        Debug.Assert(bits >= 0, "A right shift has a count of zero or more.");
        return bits switch
        {
            < 0 => value,
            32 when value == int.MinValue => -1,
            _ => 0,
        };
    }
}
