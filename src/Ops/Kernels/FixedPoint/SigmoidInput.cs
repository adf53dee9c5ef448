using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// How a raw int16 input becomes a position in the <see cref="SigmoidTable"/>:
/// <c>(x * Multiplier + 2^(Shift - 1)) / 2^Shift</c>, in steps of <c>1 / (3 * 4096)</c>.
/// </summary>
/// <param name="Multiplier">Up to 16 bits for the scales the reference accepts.</param>
/// <param name="Shift">Right shift, 0 to 31; 0 rounds nothing.</param>
public readonly record struct SigmoidInput(int Multiplier, int Shift)
{
    /// <summary>The input of an LSTM's gates: Q3.12, that is a scale of 2^-12.</summary>
    public static SigmoidInput Gate { get; } = new(3, 0);

    /// <summary>The input of an int16 LOGISTIC operator.</summary>
    /// <param name="scale">Scale of the input, positive and finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    /// <remarks>Source: <c>LogisticPrepare</c> of TFLite Micro.</remarks>
    public static SigmoidInput ForLogistic(float scale) => Of(scale, largestShift: 0);

    /// <summary>The input of an int16 TANH operator.</summary>
    /// <inheritdoc cref="ForLogistic" path="/param"/>
    /// <inheritdoc cref="ForLogistic" path="/exception"/>
    /// <remarks>Source: <c>TanhPrepare</c> of TFLite Micro.</remarks>
    public static SigmoidInput ForTanh(float scale) => Of(scale, largestShift: 1);

    /// <summary>The cell state of an LSTM, whose tanh is the output before the gate.</summary>
    /// <param name="scale">Scale of the cell state; rounded to the nearest power of two.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    /// <remarks>Source: the <c>Tanh</c> of TFLite Micro's <c>lstm_eval</c>.</remarks>
    public static SigmoidInput ForCellState(float scale)
    {
        Check(scale);
        int shift = 12 + (int)MathF.Round(LogToBaseTwo(scale), MidpointRounding.AwayFromZero);
        return shift >= 0 ? new(FixedPoint.ShiftLeftWrapping(3, shift), 0) : new(3, Math.Min(-shift, 31));
    }

    /// <summary>The position in the table, lower 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Scale(short x)
    {
        int rounding = Shift > 0 ? 1 << (Shift - 1) : 0;
        return unchecked((x * Multiplier) + rounding) >> Shift;
    }

    private static SigmoidInput Of(float scale, int largestShift)
    {
        Check(scale);
        float log = LogToBaseTwo(scale);
        float rounded = MathF.Round(log, MidpointRounding.AwayFromZero);
        int shift = 12 + (int)rounded;
        if (MathF.Abs(log - rounded) < 1e-3f && shift >= 0 && shift <= largestShift)
        {
            return new(3 << shift, 0);
        }

        double multiplier = (double)scale * 4096 * 3;
        int down = 0;
        while (multiplier <= short.MaxValue / 2.0 && down <= 30)
        {
            multiplier *= 2;
            down++;
        }

        return new((int)multiplier, down);
    }

    /// <summary>In float32 throughout, as the reference: <c>log(x) * (1 / log(2))</c>.</summary>
    private static float LogToBaseTwo(float x) => MathF.Log(x) * (1 / MathF.Log(2));

    private static void Check(float scale)
    {
        if (!float.IsFinite(scale) || scale <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(scale), scale, "A scale is positive and finite.");
        }
    }
}
