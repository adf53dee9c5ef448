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

    /// <summary>Weights by symbol.</summary>
    public static ReadOnlySpan<short> Weights => WeightTable;

    private static readonly short[] WeightTable = [.. Enumerable.Range(0, Count).Select(s => (short)ToWeight(s))];

    /// <summary>The symbol of a weight, 0 for zero.</summary>
    public static int Of(int weight) => (2 * Math.Abs(weight)) | (weight >>> 31);

    public static int ToWeight(int symbol) => (symbol & 1) != 0 ? -(symbol >> 1) : symbol >> 1;
}
