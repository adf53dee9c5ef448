using System.Numerics;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

internal readonly struct FloatSum : IFloatReducer
{
    public float Initial => 0;

    public float Add(float sum, float value) => sum + value;

    public Vector256<float> Add(Vector256<float> sums, Vector256<float> values) => sums + values;
}

internal readonly struct FloatProduct : IFloatReducer
{
    public float Initial => 1;

    public float Add(float sum, float value) => sum * value;

    public Vector256<float> Add(Vector256<float> sums, Vector256<float> values) => sums * values;
}

/// <summary>By comparison, as the reference: a NaN does not win.</summary>
internal readonly struct FloatMax : IFloatReducer
{
    public float Initial => float.NegativeInfinity;

    public float Add(float sum, float value) => value > sum ? value : sum;

    public Vector256<float> Add(Vector256<float> sums, Vector256<float> values) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(values, sums), values, sums);
}

/// <inheritdoc cref="FloatMax"/>
internal readonly struct FloatMin : IFloatReducer
{
    public float Initial => float.PositiveInfinity;

    public float Add(float sum, float value) => value < sum ? value : sum;

    public Vector256<float> Add(Vector256<float> sums, Vector256<float> values) =>
        Vector256.ConditionalSelect(Vector256.LessThan(values, sums), values, sums);
}

/// <summary>Sum in <typeparamref name="TSum"/>, wrapping.</summary>
internal readonly struct IntegerSum<T, TSum> : IReducer<T, TSum>
    where T : unmanaged, IBinaryInteger<T>
    where TSum : unmanaged, IBinaryInteger<TSum>
{
    public TSum Initial => TSum.Zero;

    public TSum Add(TSum sum, T value) => unchecked(sum + TSum.CreateTruncating(value));
}

/// <summary>Product, wrapping.</summary>
internal readonly struct IntegerProduct<T> : IReducer<T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public T Initial => T.One;

    public T Add(T sum, T value) => unchecked(sum * value);
}

internal readonly struct IntegerMax<T> : IReducer<T, T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    public T Initial => T.MinValue;

    public T Add(T sum, T value) => value > sum ? value : sum;
}

internal readonly struct IntegerMin<T> : IReducer<T, T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    public T Initial => T.MaxValue;

    public T Add(T sum, T value) => value < sum ? value : sum;
}

/// <summary>True, 1, when any element is not 0.</summary>
internal readonly struct AnyReducer : IReducer<byte, byte>
{
    public byte Initial => 0;

    public byte Add(byte sum, byte value) => value != 0 ? (byte)1 : sum;
}

/// <summary>True, 1, when no element is 0.</summary>
internal readonly struct AllReducer : IReducer<byte, byte>
{
    public byte Initial => 1;

    public byte Add(byte sum, byte value) => value == 0 ? (byte)0 : sum;
}

/// <summary>
/// Product of quantized numbers, brought back to the grid after each factor so that it fits 32 bits. Starts as
/// <see cref="long.MinValue"/>, which no product is.
/// </summary>
/// <remarks>Source: <c>QuantizedReduceProd</c> of LiteRT's <c>reference/reduce.h</c>.</remarks>
internal readonly struct QuantizedProduct<T>(int zeroPoint, FixedPoint factor) : IReducer<T, long>
    where T : unmanaged, IBinaryInteger<T>
{
    public long Initial => long.MinValue;

    public long Add(long sum, T value)
    {
        int centred = int.CreateTruncating(value) - zeroPoint;
        return sum == long.MinValue ? centred : factor.ScaleLong(sum * centred);
    }
}
