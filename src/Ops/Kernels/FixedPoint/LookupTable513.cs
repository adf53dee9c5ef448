using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>A function of one int16 number as 512 segments of 128 values each, interpolated linearly.</summary>
/// <remarks>
/// Source: <c>LUTPopulate</c> and <c>LUTLookup</c> for int16 in TFLite's <c>kernels/internal/common.h</c>; everything is
/// computed in float32, and each node is lowered by half of the error in the middle of its segment.
/// </remarks>
public sealed class LookupTable513
{
    public const int Length = 513;

    private const int Segments = Length - 1;

    private readonly short[] values = new short[Length];

    /// <summary>Samples a function.</summary>
    /// <param name="function">From real input to real output; called at nodes and midpoints.</param>
    /// <param name="inputScale">Real units per raw input.</param>
    /// <param name="inputZeroPoint">Raw input of real 0.</param>
    /// <param name="outputScale">Real units per raw output.</param>
    /// <param name="outputZeroPoint">
    /// Raw output of real 0. Like the reference, this uses it for the span of the output only and does not add it.
    /// </param>
    public LookupTable513(
        Func<float, float> function, float inputScale, int inputZeroPoint, float outputScale, int outputZeroPoint)
    {
        float low = inputScale * (short.MinValue - inputZeroPoint);
        float high = inputScale * (short.MaxValue - inputZeroPoint);
        float outputLow = outputScale * (short.MinValue - outputZeroPoint);
        float outputHigh = outputScale * (short.MaxValue - outputZeroPoint);
        float step = (high - low) / Segments;
        float halfStep = step / 2;
        float inverse = 65536 / (outputHigh - outputLow);
        for (int i = 0; i < Segments; i++)
        {
            float node = low + (i * step);
            float value = Round(function(node) * inverse);
            float next = function(low + ((i + 1) * step)) * inverse;
            float interpolated = Round((next + value) / 2);
            float middle = Round(function(node + halfStep) * inverse);
            values[i] = Saturate(value - Round((interpolated - middle) / 2));
        }

        values[Segments] = Saturate(Round(function(high) * inverse));
    }

    public ReadOnlySpan<short> Values => values;

    /// <summary>The function at a raw input.</summary>
    /// <remarks>The slope of a segment keeps 16 bits, as in the reference.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public short Lookup(short raw)
    {
        int segment = 256 + (raw >> 7);
        int value = values[segment];
        short slope = unchecked((short)(values[segment + 1] - value));
        return unchecked((short)(value + (((slope * (raw & 127)) + 64) >> 7)));
    }

    private static float Round(float value) => MathF.Round(value, MidpointRounding.AwayFromZero);

    private static short Saturate(float value) =>
        (short)MathF.Min(MathF.Max(value, short.MinValue), short.MaxValue);
}
