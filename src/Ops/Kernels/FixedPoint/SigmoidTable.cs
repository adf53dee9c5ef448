using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>Logistic and hyperbolic tangent of the int16 operators and of the recurrent ones: a table, interpolated.</summary>
/// <remarks>
/// Source: <c>reference/integer_ops/logistic.h</c> and <c>tanh.h</c> of TFLite. The 256 entries of the reference are a
/// literal; here they follow from the rule that reproduces all of them: the logistic function at steps of 1/24, lowered
/// by half of the error of a linear interpolation in the middle of the step.
/// </remarks>
public static class SigmoidTable
{
    /// <summary>
    /// <c>65536 / (1 + exp(-i / 24))</c>, adjusted for interpolation; the last entry is 65535, so that the ends fit 16 bits.
    /// </summary>
    public static ReadOnlySpan<ushort> Values => Table;

    private static ushort[] Table { get; } = Build();

    /// <summary><c>round(2^15 / (1 + exp(-x)))</c> by the table.</summary>
    /// <param name="x">Input, in units of its scale; its zero point is 0.</param>
    /// <param name="input">How <paramref name="x"/> becomes a position in the table.</param>
    /// <returns>Q0.15: in units of 2^-15, zero point 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Logistic(short x, SigmoidInput input)
    {
        int position = input.Scale(x);
        uint magnitude = Magnitude(position);
        uint index = magnitude >> 9;
        uint value = index >= 255
            ? 0x7FFFu << 10
            : ((uint)Table[index] << 9) + ((magnitude & 511) * (uint)(Table[index + 1] - Table[index]));
        uint rounded = position >= 0 ? value + 512 : (1u << 25) - value + 511;
        return (short)(rounded >> 10);
    }

    /// <summary><c>round(2^15 * tanh(x))</c> by the table.</summary>
    /// <param name="x">Input, in units of its scale; its zero point is 0.</param>
    /// <param name="input">How <paramref name="x"/> becomes a position in the table.</param>
    /// <returns>Q0.15: in units of 2^-15, zero point 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Tanh(short x, SigmoidInput input)
    {
        int position = input.Scale(x);
        uint magnitude = Magnitude(position);
        uint index = magnitude >> 8;
        int value = index >= 255
            ? 0xFFFF << 8
            : (Table[index] << 8) + ((int)(magnitude & 255) * (Table[index + 1] - Table[index]));
        int rounded = position >= 0 ? value - (1 << 23) + (1 << 7) : -value + (1 << 23) + (1 << 7) - 1;
        return (short)(rounded >> 8);
    }

    private static uint Magnitude(int value) => (uint)(value < 0 ? -value : value);

    private static ushort[] Build()
    {
        ushort[] table = new ushort[256];
        for (int i = 0; i < 255; i++)
        {
            double sag = ((Curve(i) + Curve(i + 1)) / 2) - Curve(i + 0.5);
            table[i] = (ushort)Math.Floor(Curve(i) - (sag / 2) + 0.5);
        }

        table[255] = ushort.MaxValue;
        return table;

        static double Curve(double i) => 65536 / (1 + Math.Exp(-i / 24));
    }
}
