namespace Optc.Formats.WeightCoding;

/// <summary>What some weights take in one coder.</summary>
/// <param name="Coder">Name of the coder.</param>
/// <param name="Weights">Number of weights.</param>
/// <param name="Bits">Bits of all of them.</param>
public sealed record WeightCost(string Coder, long Weights, long Bits)
{
    /// <summary>Whole bytes.</summary>
    public long Bytes => (Bits + 7) / 8;

    /// <summary>0 without weights.</summary>
    public double BitsPerWeight => Weights == 0 ? 0 : (double)Bits / Weights;

    /// <summary>Of one tensor.</summary>
    /// <inheritdoc cref="IWeightCoder.CountBits(ReadOnlySpan{short})"/>
    public static WeightCost Of(IWeightCoder coder, ReadOnlySpan<short> weights) => new(coder.Name, weights.Length, coder.CountBits(weights));

    /// <summary>Of all weights of a model.</summary>
    /// <inheritdoc cref="IWeightCoder.CountPayloadBits(IEnumerable{ReadOnlyMemory{short}})"/>
    public static WeightCost Of(IWeightCoder coder, IReadOnlyCollection<ReadOnlyMemory<short>> tensors) =>
        new(coder.Name, tensors.Sum(t => (long)t.Length), coder.CountPayloadBits(tensors));
}
