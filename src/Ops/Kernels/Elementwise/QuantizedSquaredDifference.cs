using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>Square of the difference of two quantized numbers, which are brought to a common scale first.</summary>
/// <remarks>Source: <c>SquaredDifference</c> of TFLite Micro's <c>squared_difference.cc</c>. The square wraps.</remarks>
internal readonly struct QuantizedSquaredDifference(QuantizedInput first, QuantizedInput second, QuantizedResult result)
    : IQuantizedElement
{
    private readonly QuantizedInput _first = first;
    private readonly QuantizedInput _second = second;
    private readonly QuantizedResult _result = result;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second)
    {
        int difference = unchecked(_first.Scale(first) - _second.Scale(second));
        return _result.Of(unchecked(difference * difference));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Invoke(Vector256<int> first, Vector256<int> second)
    {
        Vector256<int> difference = _first.Scale(first) - _second.Scale(second);
        return _result.Of(difference * difference);
    }
}
