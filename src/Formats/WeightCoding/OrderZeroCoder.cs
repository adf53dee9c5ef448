namespace Optc.Formats.WeightCoding;

/// <summary>
/// "Coded weights, order-0": what an ideal coder takes that knows how often each code occurs in the tensor, and nothing of its neighbours:
/// ceil(N H0 / 8) bytes, and two bytes for each distinct code, which is its table.
/// </summary>
/// <remarks>
/// H0 is the entropy of the codes of the tensor in bits. Huffman and arithmetic coders come close to it; coders that adapt inside of a tensor, as the
/// Ethos-U stream does, can do better.
/// </remarks>
public sealed class OrderZeroCoder : IWeightCoder
{
    /// <summary>Bytes of the table for each distinct code.</summary>
    public const int BytesPerCode = 2;

    internal OrderZeroCoder()
    {
    }

    public string Name => "order-0";

    public string Description => "coded weights, order-0";

    /// <summary>Entropy of the codes in bits per weight; 0 without weights.</summary>
    public static double Entropy(ReadOnlySpan<short> weights) => weights.IsEmpty ? 0 : InformationBits(Counts(weights), weights.Length) / weights.Length;

    public long CountBits(ReadOnlySpan<short> weights)
    {
        if (weights.IsEmpty)
        {
            return 0;
        }

        int[] counts = Counts(weights);
        int distinct = counts.Length - counts.AsSpan().Count(0);
        return 8 * ((long)Math.Ceiling(InformationBits(counts, weights.Length) / 8) + (BytesPerCode * distinct));
    }

    public override string ToString() => Name;

    private static int[] Counts(ReadOnlySpan<short> weights)
    {
        int[] counts = new int[1 << 16];
        foreach (short weight in weights)
        {
            counts[(ushort)weight]++;
        }

        return counts;
    }

    private static double InformationBits(ReadOnlySpan<int> counts, int total)
    {
        double bits = 0;
        foreach (int count in counts)
        {
            bits += count is 0 ? 0 : count * Math.Log2((double)total / count);
        }

        return bits;
    }
}
