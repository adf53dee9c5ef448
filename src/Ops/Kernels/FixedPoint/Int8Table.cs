using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>A function of one int8 number as the table of its 256 results.</summary>
/// <remarks>
/// Source: <c>LUTPopulateInt8</c> of TFLite's <c>kernels/internal/common.h</c> and <c>PopulateLookupTable</c> of the ELU
/// kernel: float32 throughout, multiplied by the inverse output scale, rounded halves away from zero.
/// </remarks>
public sealed class Int8Table
{
    private readonly sbyte[] values = new sbyte[256];

    private Int8Table(Func<int, int> raw)
    {
        for (int q = sbyte.MinValue; q <= sbyte.MaxValue; q++)
        {
            values[(byte)q] = FixedPoint.SaturateToInt8(raw(q));
        }
    }

    /// <summary>The results, by the bit pattern of the input: 0..127, then -128..-1.</summary>
    public ReadOnlySpan<sbyte> Values => values;

    /// <summary>Tabulates a real function between two quantizations.</summary>
    /// <param name="function">From real input to real output.</param>
    /// <param name="inputScale">Real units per raw input.</param>
    /// <param name="inputZeroPoint">Raw input of real 0.</param>
    /// <param name="outputScale">Real units per raw output.</param>
    /// <param name="outputZeroPoint">Raw output of real 0.</param>
    /// <returns>The table; results beyond the int8 range are saturated, NaN becomes raw 0.</returns>
    public static Int8Table OfReal(
        Func<float, float> function, float inputScale, int inputZeroPoint, float outputScale, int outputZeroPoint)
    {
        float inverse = 1 / outputScale;
        return new(q =>
        {
            float real = function(inputScale * (q - inputZeroPoint));
            float rounded = MathF.Round(real * inverse, MidpointRounding.AwayFromZero);
            return (int)(rounded + outputZeroPoint);
        });
    }

    /// <summary>Tabulates an integer kernel of one input, so that a tensor needs one look-up per element.</summary>
    /// <param name="kernel">From raw input, -128..127, to raw output; saturated to int8.</param>
    public static Int8Table OfRaw(Func<int, int> kernel) => new(kernel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public sbyte Lookup(sbyte raw) => values[(byte)raw];

    /// <summary>Looks up every element.</summary>
    /// <param name="x">Raw inputs.</param>
    /// <param name="y">Raw outputs, as many; may be the same memory.</param>
    /// <exception cref="ArgumentException"><paramref name="y"/> is shorter than <paramref name="x"/>.</exception>
    public void Apply(ReadOnlySpan<sbyte> x, Span<sbyte> y)
    {
        if (y.Length < x.Length)
        {
            throw new ArgumentException("The result is shorter than the input.", nameof(y));
        }

        ReadOnlySpan<sbyte> table = values;
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = table[(byte)x[i]];
        }
    }
}
