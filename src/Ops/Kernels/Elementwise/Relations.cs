using System.Numerics;
using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>A relation of two numbers, implemented by a struct so that loops over it are specialised.</summary>
internal interface IRelation
{
    static abstract bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool>;
}

internal readonly struct EqualRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first == second;
}

internal readonly struct NotEqualRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first != second;
}

internal readonly struct GreaterRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first > second;
}

internal readonly struct GreaterEqualRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first >= second;
}

internal readonly struct LessRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first < second;
}

internal readonly struct LessEqualRelation : IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<T>(T first, T second)
        where T : IComparisonOperators<T, T, bool> => first <= second;
}

/// <summary>One element of a comparison of numbers that mean themselves.</summary>
internal readonly struct Related<T, TRelation> : IBinaryElement<T, T, bool>
    where T : IComparisonOperators<T, T, bool>
    where TRelation : struct, IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Invoke(T first, T second) => TRelation.Holds(first, second);
}

/// <summary>One element of a comparison of bytes that stand for other numbers.</summary>
/// <param name="first">The number for each byte of the first operand.</param>
/// <param name="second">The number for each byte of the second operand.</param>
internal readonly struct RelatedByTable<TRelation>(int[] first, int[] second) : IBinaryElement<byte, byte, bool>
    where TRelation : struct, IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Invoke(byte left, byte right) => TRelation.Holds(first[left], second[right]);
}

/// <summary>One element of a comparison of quantized 16-bit numbers, brought to steps of 1/256 of the real unit.</summary>
/// <param name="first">Scale of the first operand.</param>
/// <param name="firstZero">Its zero point.</param>
/// <param name="second">Scale of the second operand.</param>
/// <param name="secondZero">Its zero point.</param>
internal readonly struct RelatedReals<TRelation>(FixedPoint first, int firstZero, FixedPoint second, int secondZero)
    : IBinaryElement<short, short, bool>
    where TRelation : struct, IRelation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Invoke(short left, short right) => TRelation.Holds(
        first.Scale((left - firstZero) << RealFractions.Bits), second.Scale((right - secondZero) << RealFractions.Bits));
}

/// <summary>The common unit of compared numbers: <c>2^-Bits</c>.</summary>
internal static class RealFractions
{
    public const int Bits = 8;
}
