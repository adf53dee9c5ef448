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
