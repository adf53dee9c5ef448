using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// XNNPACK's change of an int8 grid, with 8 fractional bits: <c>y = ((x - z_x) * Factor + 128) / 256 + z_y</c>, halves up.
/// </summary>
/// <param name="Factor">Ratio of the scales times 256.</param>
/// <remarks>
/// Source: XNNPACK's <c>qs8-vcvt</c> and <c>qs8-vlrelu</c> micro-kernels and their parameters, as LiteRT's WebAssembly build
/// computes QUANTIZE and LEAKY_RELU; <see cref="RoundingProfile.Xnnpack"/>.
/// </remarks>
public readonly record struct XnnpackRescale(int Factor)
{
    /// <summary>Prepares a change of grid.</summary>
    /// <param name="ratio">Scale of the operand over that of the result, in float32; negative for a negative slope.</param>
    /// <returns>
    /// False when the ratio is beyond 128 or below 1/256 in magnitude: XNNPACK leaves such an operator to LiteRT's own
    /// kernel, which rounds as <see cref="RoundingProfile.Tflm"/>.
    /// </returns>
    public static bool TryCreate(float ratio, out XnnpackRescale rescale)
    {
        rescale = new((int)MathF.Round(256 * ratio, MidpointRounding.ToEven));
        return MathF.Abs(ratio) is >= 1f / 256 and <= 128;
    }

    /// <summary>The result before its zero point is added and it is limited.</summary>
    /// <param name="centred"><c>x - z_x</c>, at most 255 in magnitude.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Apply(int centred) => ((centred * Factor) + 128) >> 8;
}
