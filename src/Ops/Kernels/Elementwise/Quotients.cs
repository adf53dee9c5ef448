using System.Numerics;
using System.Runtime.CompilerServices;
using Optc.Ir;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary><c>a / b</c> of integers, truncated towards zero, wrapping, limited.</summary>
internal readonly struct TruncatedQuotient(Limits<int> limits) : IBinaryElement<int, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second) => limits.Clamp(second switch
    {
        0 => throw Division.ByZero(),
        -1 => unchecked(-first),
        _ => first / second,
    });
}

/// <summary>Quotient of two quantized 8-bit numbers.</summary>
internal readonly struct QuantizedQuotient<T>(QuotientRule rule) : IBinaryElement<T, T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) =>
        T.CreateTruncating(rule.Divide(int.CreateTruncating(first), int.CreateTruncating(second)));
}

/// <summary>Division of raw 8-bit numbers, by the reciprocal of the divisor.</summary>
/// <param name="firstZero">Zero point of the first operand.</param>
/// <param name="secondZero">Zero point of the second operand.</param>
/// <param name="resultZero">Zero point of the result.</param>
/// <param name="factor">From <c>s1 / s2</c> to the scale of the result.</param>
/// <param name="range">Limits of the result.</param>
/// <remarks>Source: <c>DivElementwise</c> of TFLite's <c>reference/div.h</c>.</remarks>
internal sealed class QuotientRule(int firstZero, int secondZero, int resultZero, FixedPoint factor, ActivationRange range)
{
    private const int LargestDivisor = 255;

    private readonly (int Inverse, int Shift)[] _reciprocals =
        [default, .. Enumerable.Range(1, LargestDivisor).Select(b => FixedPointMath.Reciprocal(b, integerBits: 31))];

    /// <exception cref="OpRuleException">
    /// The divisor is 0, or the factor is so large that the reference would shift by a negative number.
    /// </exception>
    public int Divide(int first, int second)
    {
        int dividend = first - firstZero;
        int divisor = second - secondZero;
        if (divisor == 0)
        {
            throw Division.ByZero();
        }

        if (divisor < 0)
        {
            dividend = -dividend;
            divisor = -divisor;
        }

        (int inverse, int reciprocalShift) = _reciprocals[divisor];
        int headroom = dividend == 0 ? 31 : BitOperations.LeadingZeroCount((uint)(dividend ^ (dividend >> 31))) - 1;
        int quotient = FixedPoint.RoundingHighProduct(dividend << headroom, inverse);
        int shift = reciprocalShift + headroom - factor.Exponent;
        if (shift < 0)
        {
            throw new OpRuleException("the scales of a quotient give a shift that the kernel does not have")
            {
                Found = $"{shift} bits to the right",
                Expected = "0 or more",
            };
        }

        // For more than 31 bits the reference has no result; what is left of the quotient is 0.
        int scaled = shift > 31 ? 0 : FixedPoint.RoundingShiftRight(FixedPoint.RoundingHighProduct(quotient, factor.Mantissa), shift);
        return range.Clamp(resultZero + scaled);
    }
}

/// <summary><c>floor(a / b)</c> of integers, wrapping.</summary>
internal readonly struct FlooredQuotient<T> : IBinaryElement<T, T, T>
    where T : unmanaged, IBinaryInteger<T>, ISignedNumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second)
    {
        if (second == T.Zero)
        {
            throw Division.ByZero();
        }

        if (second == T.NegativeOne)
        {
            return unchecked(-first);
        }

        (T quotient, T remainder) = T.DivRem(first, second);
        return remainder != T.Zero && T.IsNegative(remainder) != T.IsNegative(second) ? quotient - T.One : quotient;
    }
}

/// <summary><c>floor(a / b)</c> of floats, divided in double precision.</summary>
internal readonly struct FlooredRatio : IBinaryElement<float, float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Invoke(float first, float second) =>
        second == 0 ? throw Division.ByZero() : (float)Math.Floor((double)first / second);
}

/// <summary>What <c>floor(a / b)</c> leaves of a, with the sign of b, for integers.</summary>
internal readonly struct FlooredRemainder<T> : IBinaryElement<T, T, T>
    where T : unmanaged, IBinaryInteger<T>, ISignedNumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second)
    {
        if (second == T.Zero)
        {
            throw Division.ByZero();
        }

        if (second == T.NegativeOne)
        {
            return T.Zero;
        }

        T remainder = first % second;
        return remainder != T.Zero && T.IsNegative(remainder) != T.IsNegative(second) ? remainder + second : remainder;
    }
}

/// <summary>What <c>floor(a / b)</c> leaves of a, with the sign of b, for floats; NaN for a divisor of 0.</summary>
internal readonly struct FlooredFloatRemainder : IBinaryElement<float, float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Invoke(float first, float second)
    {
        float remainder = first % second;
        return remainder != 0 && (remainder < 0) != (second < 0) ? remainder + second : remainder;
    }
}

internal static class Division
{
    public static OpRuleException ByZero() => new("an element is divided by 0");
}
