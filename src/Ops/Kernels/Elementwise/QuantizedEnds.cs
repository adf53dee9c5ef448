using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>How an operand reaches the common scale: <c>((x - ZeroPoint) * 2^LeftShift) * Factor</c>.</summary>
/// <param name="zeroPoint">Zero point of the operand.</param>
/// <param name="leftShift">Bits that the common scale has more, 0 to 31; the shifted value keeps its lower 32 bits.</param>
/// <param name="factor">Dimensionless.</param>
internal readonly struct QuantizedInput(int zeroPoint, int leftShift, FixedPoint factor)
{
    private readonly FixedPointLanes _lanes = new(factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Scale(int raw) => factor.Scale(unchecked(raw - zeroPoint) << leftShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Scale(Vector256<int> raw) => _lanes.Scale((raw - Vector256.Create(zeroPoint)) << leftShift);
}

/// <summary>How a computed number becomes a result: <c>clamp(acc * Factor + ZeroPoint)</c>.</summary>
/// <param name="zeroPoint">Zero point of the result.</param>
/// <param name="factor">From the scale of the accumulator to that of the result.</param>
/// <param name="range">Limits of the result, within its type.</param>
internal readonly struct QuantizedResult(int zeroPoint, FixedPoint factor, ActivationRange range)
{
    private readonly FixedPointLanes _lanes = new(factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Of(int accumulator) => range.Clamp(unchecked(factor.Scale(accumulator) + zeroPoint));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Of(Vector256<int> accumulator) =>
        range.Clamp(_lanes.Scale(accumulator) + Vector256.Create(zeroPoint));
}

/// <summary>Limits of raw integers on eight lanes.</summary>
internal static class ActivationRangeLanes
{
    /// <summary><see cref="ActivationRange.Clamp"/> of each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Clamp(this ActivationRange range, Vector256<int> values) =>
        Avx2.Min(Avx2.Max(values, Vector256.Create(range.Low)), Vector256.Create(range.High));
}
