using System.Numerics;

namespace Optc.Formats.EthosU;

/// <summary>
/// Weights as the stream names them: twice the magnitude, and one more if the weight is negative. Symbol 1 is "minus zero", a
/// second name of zero.
/// </summary>
internal static class WeightSymbol
{
    /// <summary>Largest magnitude of a weight: an 8-bit code with its zero point taken off.</summary>
    public const int LargestWeight = 255;

    /// <summary>Symbols, and also indices of the stream: 0 to 511.</summary>
    public const int Count = 512;

    public const int MinusZero = 1;

    private static readonly short[] WeightTable = [.. Enumerable.Range(0, Count).Select(ToWeight)];

    /// <summary>Weights by symbol.</summary>
    public static ReadOnlySpan<short> Weights => WeightTable;

    /// <summary>The symbols of weights, 0 for zero.</summary>
    public static ushort[] Of(ReadOnlySpan<short> weights)
    {
        ushort[] symbols = GC.AllocateUninitializedArray<ushort>(weights.Length);
        int at = 0;
        for (; at <= weights.Length - Vector<short>.Count; at += Vector<short>.Count)
        {
            Vector<short> weight = new(weights[at..]);
            Vector<short> sign = Vector.LessThan(weight, Vector<short>.Zero);
            (Vector.ShiftLeft(Vector.Abs(weight), 1) - sign).As<short, ushort>().CopyTo(symbols, at);
        }

        for (; at < weights.Length; at++)
        {
            symbols[at] = (ushort)((2 * Math.Abs((int)weights[at])) | (weights[at] >>> 31));
        }

        return symbols;
    }

    /// <summary>How often each symbol occurs.</summary>
    public static void CountInto(ReadOnlySpan<ushort> symbols, Span<int> counts)
    {
        // Two tables, so that equal neighbours do not wait for each other.
        Span<int> odd = stackalloc int[Count];
        odd.Clear();
        counts = counts[..Count];
        counts.Clear();
        while (symbols.Length >= 2)
        {
            counts[symbols[0] & (Count - 1)]++;
            odd[symbols[1] & (Count - 1)]++;
            symbols = symbols[2..];
        }

        if (!symbols.IsEmpty)
        {
            counts[symbols[0] & (Count - 1)]++;
        }

        for (int at = 0; at < Count; at += Vector<int>.Count)
        {
            (new Vector<int>(counts[at..]) + new Vector<int>(odd[at..])).CopyTo(counts[at..]);
        }
    }

    private static short ToWeight(int symbol) => (short)((symbol & 1) != 0 ? -(symbol >> 1) : symbol >> 1);
}
