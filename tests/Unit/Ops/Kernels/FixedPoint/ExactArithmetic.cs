using System.Numerics;
using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Ops.Kernels;

/// <summary>
/// The definitions of the integer kernels over unbounded integers: quotients are formed exactly and rounded by a named
/// rule. No shift, no mask, no 64-bit product, so that it shares no mistake with the code it checks.
/// </summary>
internal static class ExactArithmetic
{
    public static BigInteger Floor(BigInteger dividend, BigInteger divisor)
    {
        BigInteger quotient = BigInteger.DivRem(dividend, divisor, out BigInteger rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    public static BigInteger HalvesUp(BigInteger dividend, BigInteger divisor) =>
        Floor((2 * dividend) + divisor, 2 * divisor);

    public static BigInteger HalvesAwayFromZero(BigInteger dividend, BigInteger divisor) =>
        dividend.Sign < 0 ? -HalvesUp(-dividend, divisor) : HalvesUp(dividend, divisor);

    public static BigInteger Power(int exponent) => BigInteger.Pow(2, exponent);

    public static int Wrap(BigInteger value)
    {
        BigInteger rest = value - (Floor(value, Power(32)) * Power(32));
        return (int)(rest >= Power(31) ? rest - Power(32) : rest);
    }

    public static int Saturate(BigInteger value) =>
        (int)BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, value));

    public static int HighProduct(int a, int b) => Saturate(HalvesUp((BigInteger)a * b, Power(31)));

    public static int ShiftRight(int value, int bits) => (int)HalvesAwayFromZero(value, Power(bits));

    public static int Scale(FixedPoint factor, int value)
    {
        int shifted = Wrap(value * Power(Math.Max(factor.Exponent, 0)));
        return ShiftRight(HighProduct(shifted, factor.Mantissa), Math.Max(-factor.Exponent, 0));
    }

    public static int ScaleLong(FixedPoint factor, long value)
    {
        BigInteger mantissa = BigInteger.Min(short.MaxValue, HalvesUp(factor.Mantissa, Power(16)));
        return factor.Exponent <= 15
            ? Wrap(HalvesUp(value * mantissa, Power(15 - factor.Exponent)))
            : Wrap(value * mantissa * Power(factor.Exponent - 15));
    }

    /// <summary>The factor of a real number, from the exact fraction that the double stands for.</summary>
    public static FixedPoint Normalize(double factor)
    {
        if (factor == 0)
        {
            return default;
        }

        (BigInteger numerator, BigInteger denominator) = Fraction(factor);
        int exponent = 0;
        while (numerator >= denominator)
        {
            denominator *= 2;
            exponent++;
        }

        while (2 * numerator < denominator)
        {
            numerator *= 2;
            exponent--;
        }

        BigInteger mantissa = HalvesUp(numerator * Power(31), denominator);
        if (mantissa == Power(31))
        {
            mantissa = Power(30);
            exponent++;
        }

        return exponent < -31 ? default : new((int)mantissa, exponent);
    }

    private static (BigInteger Numerator, BigInteger Denominator) Fraction(double value)
    {
        BigInteger denominator = BigInteger.One;
        while (value != Math.Floor(value))
        {
            value *= 2;
            denominator *= 2;
        }

        return (new BigInteger(value), denominator);
    }
}
