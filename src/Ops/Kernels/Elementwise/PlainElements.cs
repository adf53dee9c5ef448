using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary><c>a + b</c>, limited; integers wrap before the limits apply.</summary>
internal readonly struct SumOf<T>(Limits<T> limits) : IPlainElement<T>
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) => limits.Clamp(unchecked(first + second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second) => limits.Clamp(first + second);
}

/// <summary><c>a - b</c>, limited; integers wrap before the limits apply.</summary>
internal readonly struct DifferenceOf<T>(Limits<T> limits) : IPlainElement<T>
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) => limits.Clamp(unchecked(first - second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second) => limits.Clamp(first - second);
}

/// <summary><c>a * b</c>, limited; integers wrap before the limits apply.</summary>
internal readonly struct ProductOf<T>(Limits<T> limits) : IPlainElement<T>
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) => limits.Clamp(unchecked(first * second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second) => limits.Clamp(first * second);
}

/// <summary><c>a / b</c> of floats, limited.</summary>
internal readonly struct RatioOf(Limits<float> limits) : IPlainElement<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Invoke(float first, float second) => limits.Clamp(first / second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Invoke(Vector256<float> first, Vector256<float> second) => limits.Clamp(first / second);
}

/// <summary><c>(a - b)^2</c>; integers wrap.</summary>
internal readonly struct SquaredDifferenceOf<T> : IPlainElement<T>
    where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second)
    {
        T difference = unchecked(first - second);
        return unchecked(difference * difference);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second)
    {
        Vector256<T> difference = first - second;
        return difference * difference;
    }
}

/// <summary><c>a &gt; b ? a : b</c>; the second operand where either is NaN, as in the reference.</summary>
internal readonly struct LargerOf<T> : IPlainElement<T>
    where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) => first > second ? first : second;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(first, second), first, second);
}

/// <summary><c>a &lt; b ? a : b</c>; the second operand where either is NaN, as in the reference.</summary>
internal readonly struct SmallerOf<T> : IPlainElement<T>
    where T : unmanaged, INumber<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Invoke(T first, T second) => first < second ? first : second;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Invoke(Vector256<T> first, Vector256<T> second) =>
        Vector256.ConditionalSelect(Vector256.LessThan(first, second), first, second);
}
