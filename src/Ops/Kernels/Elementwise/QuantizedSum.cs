using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>
/// Sum or difference of two quantized numbers: both are brought to a common scale with <c>LeftShift</c> more bits, added,
/// and brought to the scale of the result.
/// </summary>
/// <remarks>Source: <c>AddElementwise</c> of TFLite's <c>reference/integer_ops/add.h</c>.</remarks>
internal readonly struct QuantizedSum : IQuantizedElement
{
    private readonly QuantizedInput _first;
    private readonly QuantizedInput _second;
    private readonly QuantizedResult _result;
    private readonly int _sign;

    /// <param name="subtract">True for <c>first - second</c>.</param>
    public QuantizedSum(QuantizedInput first, QuantizedInput second, QuantizedResult result, bool subtract)
    {
        _first = first;
        _second = second;
        _result = result;
        _sign = subtract ? -1 : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second) =>
        _result.Of(unchecked(_first.Scale(first) + (_second.Scale(second) ^ _sign) - _sign));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Invoke(Vector256<int> first, Vector256<int> second)
    {
        Vector256<int> sign = Vector256.Create(_sign);
        return _result.Of(_first.Scale(first) + (_second.Scale(second) ^ sign) - sign);
    }
}

/// <summary>Sum or difference as XNNPACK rounds it (<see cref="XnnpackSum"/>).</summary>
/// <param name="firstZero">Zero point of the first operand, an int8 number.</param>
/// <param name="secondZero">Zero point of the second operand, an int8 number.</param>
/// <param name="resultZero">Zero point of the result.</param>
internal readonly struct OnceRoundedSum(
    XnnpackSum sum, int firstZero, int secondZero, int resultZero, ActivationRange range) : IQuantizedElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second) =>
        range.Clamp(sum.Combine(first - firstZero, second - secondZero) + resultZero);

    /// <summary>In 32 bits: <c>2 * 255 * 2^21 + 2^29</c> does not overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Invoke(Vector256<int> first, Vector256<int> second)
    {
        Vector256<int> scaled = ((first - Vector256.Create(firstZero)) * Vector256.Create(sum.First))
            + ((second - Vector256.Create(secondZero)) * Vector256.Create(sum.Second))
            + Vector256.Create(1 << (sum.Shift - 1));
        return range.Clamp((scaled >> sum.Shift) + Vector256.Create(resultZero));
    }
}
