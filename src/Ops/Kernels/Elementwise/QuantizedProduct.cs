using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>Product of two quantized numbers.</summary>
/// <param name="firstZero">Zero point of the first operand.</param>
/// <param name="secondZero">Zero point of the second operand.</param>
/// <param name="result">From <c>s1 * s2</c> to the scale of the result.</param>
/// <remarks>Source: <c>MulElementwise</c> of TFLite's <c>reference/integer_ops/mul.h</c>.</remarks>
internal readonly struct QuantizedProduct(int firstZero, int secondZero, QuantizedResult result) : IQuantizedElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second) => result.Of(unchecked((first - firstZero) * (second - secondZero)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Invoke(Vector256<int> first, Vector256<int> second) =>
        result.Of((first - Vector256.Create(firstZero)) * (second - Vector256.Create(secondZero)));
}

/// <summary>Product as XNNPACK rounds it (<see cref="FloatRequantizer"/>).</summary>
/// <inheritdoc cref="QuantizedProduct" path="/param"/>
internal readonly struct OnceRoundedProduct(
    FloatRequantizer factor, int firstZero, int secondZero, int resultZero, ActivationRange range) : IQuantizedElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Invoke(int first, int second) =>
        factor.Requantize((first - firstZero) * (second - secondZero), resultZero, range);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Invoke(Vector256<int> first, Vector256<int> second)
    {
        Vector256<int> product = (first - Vector256.Create(firstZero)) * (second - Vector256.Create(secondZero));
        Vector256<float> scaled = Avx.ConvertToVector256Single(product) * Vector256.Create(factor.Factor);
        Vector256<float> low = Vector256.Create((float)(range.Low - resultZero));
        Vector256<float> high = Vector256.Create((float)(range.High - resultZero));
        return Avx.ConvertToVector256Int32(Avx.Min(Avx.Max(scaled, low), high)) + Vector256.Create(resultZero);
    }
}
