using System.Numerics;
using static Optc.Ops.Kernels.FixedPoint;

namespace Optc.Ops.Kernels;

/// <summary>Exponential, logistic, hyperbolic tangent, reciprocal, root and logarithm on 32-bit integers.</summary>
/// <remarks>
/// <para>Qn names a number with n integer bits: its value is <c>raw / 2^(31 - n)</c>. Products of a Qa and a Qb by
/// <see cref="RoundingHighProduct"/> are Q(a + b).</para>
/// <para>Source: the gemmlowp fixed-point library and <c>kernels/internal/common.h</c> as TFLite's reference kernels use
/// them; reproduced bit for bit, including which steps round, wrap and saturate.</para>
/// </remarks>
public static class FixedPointMath
{
    private const int One = int.MaxValue;

    /// <summary><c>2^31 * exp(-2^j)</c> for j = -2..4, rounded.</summary>
    private static ReadOnlySpan<int> ExpOfMinusPowersOfTwo =>
        [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

    /// <summary><c>exp(a)</c> for <c>a &lt;= 0</c>.</summary>
    /// <param name="a">Exponent in Q<paramref name="integerBits"/>, not positive.</param>
    /// <param name="integerBits">0 to 29.</param>
    /// <returns>Q0; 2^31 - 1 for 0.</returns>
    public static int ExpOfNegative(int a, int integerBits)
    {
        int quarter = 1 << (29 - integerBits);
        int fraction = (a & (quarter - 1)) - quarter;
        int result = ExpNearZero(fraction << integerBits);
        int quarters = fraction - a;
        for (int j = -2; j <= 4 && j < integerBits; j++)
        {
            if ((quarters & (1 << (31 - integerBits + j))) != 0)
            {
                result = RoundingHighProduct(result, ExpOfMinusPowersOfTwo[j + 2]);
            }
        }

        if (integerBits > 5 && a < -(1 << (36 - integerBits)))
        {
            result = 0;
        }

        return a == 0 ? One : result;
    }

    /// <summary><c>exp(a)</c> for <c>-1/4 &lt;= a &lt; 0</c>, by a polynomial around -1/8.</summary>
    /// <param name="a">Q0.</param>
    /// <returns>Q0.</returns>
    public static int ExpNearZero(int a)
    {
        const int ExpOfMinusEighth = 1895147668;
        const int Third = 715827883;
        int x = a + (1 << 28);
        int x2 = RoundingHighProduct(x, x);
        int x3 = RoundingHighProduct(x2, x);
        int x4 = RoundingHighProduct(x2, x2);
        int cubic = RoundingHighProduct(RoundingShiftRight(x4, 2) + x3, Third);
        int tail = RoundingShiftRight(cubic + x2, 1);
        return ExpOfMinusEighth + RoundingHighProduct(ExpOfMinusEighth, x + tail);
    }

    /// <summary><c>1 / (1 + a)</c> for <c>0 &lt;= a &lt; 1</c>.</summary>
    /// <param name="a">Q0.</param>
    /// <returns>Q0.</returns>
    public static int ReciprocalOfOnePlus(int a) => ShiftLeftSaturating(TwiceReciprocalOfOnePlus(a), 1);

    /// <summary><c>(1 - a) / (1 + a)</c> for <c>0 &lt;= a &lt; 1</c>.</summary>
    /// <param name="a">Q0.</param>
    /// <returns>Q0.</returns>
    public static int OneMinusOverOnePlus(int a) =>
        ShiftLeftSaturating(TwiceReciprocalOfOnePlus(a) - (1 << 29), 2);

    /// <summary><c>1 / (1 + exp(-a))</c>.</summary>
    /// <param name="a">Q<paramref name="integerBits"/>.</param>
    /// <param name="integerBits">0 to 29.</param>
    /// <returns>Q0; one half, 2^30, for 0.</returns>
    public static int Logistic(int a, int integerBits)
    {
        if (a == 0)
        {
            return 1 << 30;
        }

        int positive = ReciprocalOfOnePlus(ExpOfNegative(MinusMagnitude(a), integerBits));
        return a > 0 ? positive : One - positive;
    }

    /// <summary>Hyperbolic tangent.</summary>
    /// <param name="a">Q<paramref name="integerBits"/>.</param>
    /// <param name="integerBits">0 to 28.</param>
    /// <returns>Q0.</returns>
    /// <remarks>The same raw value read with one more integer bit is the doubled argument of the exponential.</remarks>
    public static int Tanh(int a, int integerBits)
    {
        if (a == 0)
        {
            return 0;
        }

        int positive = OneMinusOverOnePlus(ExpOfNegative(MinusMagnitude(a), integerBits + 1));
        return a > 0 ? positive : -positive;
    }

    /// <summary>
    /// The largest difference of raw inputs that a table-free kernel evaluates:
    /// <c>floor((2^n - 1) * 2^(31 - n) / 2^e)</c> (<c>CalculateInputRadius</c>).
    /// </summary>
    /// <param name="integerBits">n, 0 to 31.</param>
    /// <param name="leftShift">e, the exponent of the input multiplier; a negative one enlarges the radius.</param>
    /// <returns>The radius, limited to <see cref="int.MaxValue"/>.</returns>
    public static int InputRadius(int integerBits, int leftShift)
    {
        double radius = ((1L << integerBits) - 1) * Math.ScaleB(1, 31 - integerBits - leftShift);
        return (int)Math.Floor(radius);
    }

    /// <summary><c>1 / x</c> (<c>GetReciprocal</c>).</summary>
    /// <param name="x">Positive, in Q<paramref name="integerBits"/>.</param>
    /// <param name="integerBits">0 to 31; 31 for a plain integer.</param>
    /// <returns><c>1 / x = Value / 2^31 / 2^Shift</c>: the value in Q0 and the bits to shift it right.</returns>
    public static (int Value, int Shift) Reciprocal(int x, int integerBits)
    {
        int headroom = BitOperations.LeadingZeroCount((uint)x);
        int fraction = (int)(((uint)x << headroom) - (1u << 31));
        return (ReciprocalOfOnePlus(fraction), integerBits - headroom);
    }

    /// <summary><c>1 / sqrt(x)</c> of an integer (<c>GetInvSqrtQuantizedMultiplierExp</c>), by Newton's method in Q3.</summary>
    /// <param name="x">An integer; 1 or less gives the largest factor below one.</param>
    /// <returns>The factor <c>Mantissa * 2^(Exponent - 31)</c>; its mantissa is not normalised.</returns>
    public static FixedPoint InverseSquareRoot(int x)
    {
        if (x <= 1)
        {
            return new(One, 0);
        }

        const int OneAndAHalf = 402653184; // Q3
        const int HalfSquareRootOfTwo = 1518500250; // Q0
        int shift = 11;
        while (x >= 1 << 29)
        {
            x /= 4;
            shift++;
        }

        int pairs = ((BitOperations.LeadingZeroCount((uint)x) - 1) / 2) - 1;
        shift -= pairs;
        x <<= 2 * pairs;
        int half = RoundingShiftRight(x >> 1, 1);
        int root = 1 << 28;
        for (int i = 0; i < 5; i++)
        {
            int cube = ShiftLeftSaturating(RoundingHighProduct(RoundingHighProduct(root, root), root), 6);
            int next = RoundingHighProduct(OneAndAHalf, root) - RoundingHighProduct(half, cube);
            root = ShiftLeftSaturating(next, 3);
        }

        int mantissa = RoundingHighProduct(root, HalfSquareRootOfTwo);
        return shift < 0 ? new(mantissa << -shift, 0) : new(mantissa, -shift);
    }

    /// <summary>Natural logarithm of a number not below one (<c>log_x_for_x_greater_than_or_equal_to_1</c>).</summary>
    /// <param name="x">Q12, at least 2^19.</param>
    /// <returns>Q5.</returns>
    public static int LogOfSum(int x)
    {
        const int InputBits = 12;
        const int HalfSquareRootOfTwo = 1518500250; // Q0
        const int HalfSquareRootOfTwoPlusOne = 1805811301; // (sqrt(1/2) + 1) / 2 in Q0
        const int LogOfTwo = 1488522236; // Q0
        const int Quarter = 1 << 23; // Q6

        int headroom = BitOperations.LeadingZeroCount((uint)x);
        int scaledLow = RoundingHighProduct(ShiftRounding(x, headroom - 1), HalfSquareRootOfTwo);
        int mantissaLow = ShiftRounding(scaledLow, 1);
        int powerLow = SaturatingAdd(ShiftRounding(InputBits - headroom, 25), Quarter);

        int headroomHigh = BitOperations.LeadingZeroCount((uint)RoundingHighProduct(x, HalfSquareRootOfTwo)) - 1;
        int mantissaHigh = ShiftRounding(x, headroomHigh);
        int powerHigh = SaturatingAdd(ShiftRounding(InputBits - headroomHigh, 25), -Quarter);

        int mantissa = Math.Min(mantissaLow, mantissaHigh);
        int power = Math.Max(powerLow, powerHigh);

        int mean = HalvedSum(mantissa, HalfSquareRootOfTwoPlusOne);
        int g = unchecked((mantissa - HalfSquareRootOfTwoPlusOne) * 2);
        int g2 = RoundingHighProduct(g, g);
        int numerator = RoundingHighProduct(g, mantissa)
            + RoundingHighProduct(RoundingHighProduct(g, g2), 117049297);
        int denominator = RoundingHighProduct(mean, 1057819769 + g + RoundingHighProduct(127690142, g2))
            + RoundingHighProduct(638450708, g);
        int fraction = RoundingHighProduct(ShiftRounding(numerator, -6), ReciprocalOfOnePlus(denominator));
        return ShiftRounding(RoundingHighProduct(power, LogOfTwo) + fraction, 1);
    }

    /// <summary><c>2 / (1 + a)</c> in Q2, by three steps of Newton's method.</summary>
    private static int TwiceReciprocalOfOnePlus(int a)
    {
        const int FortyEightSeventeenths = 1515870810; // Q2
        const int MinusThirtyTwoSeventeenths = -1010580540; // Q2
        int halfDenominator = HalvedSum(a, One);
        int x = FortyEightSeventeenths + RoundingHighProduct(halfDenominator, MinusThirtyTwoSeventeenths);
        for (int i = 0; i < 3; i++)
        {
            int error = (1 << 29) - RoundingHighProduct(halfDenominator, x);
            x += ShiftLeftSaturating(RoundingHighProduct(x, error), 2);
        }

        return x;
    }

    /// <summary><c>-|a|</c>, which exists for every integer.</summary>
    private static int MinusMagnitude(int a) => a > 0 ? -a : a;

    /// <summary><c>(a + b) / 2</c>, halves away from zero, without overflow (<c>RoundingHalfSum</c>).</summary>
    private static int HalvedSum(int a, int b)
    {
        long sum = (long)a + b;
        return (int)((sum + (sum >= 0 ? 1 : -1)) / 2);
    }

    private static int SaturatingAdd(int a, int b) =>
        (int)Math.Min(Math.Max((long)a + b, int.MinValue), int.MaxValue);
}
