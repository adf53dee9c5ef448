namespace Optc.Passes.Fold;

/// <summary>How far <see cref="FoldConstants"/> may go.</summary>
public sealed record FoldConstantsOptions
{
    public static FoldConstantsOptions Default { get; } = new();

    /// <summary>Bytes by which a constant may be larger than the constants that vanish with its node.</summary>
    /// <remarks>An operator costs a file about as much; more would trade size for nothing that the user asked for.</remarks>
    public long Growth { get; init; } = 256;

    /// <summary>
    /// Also computes DEQUANTIZE, and nodes on constants that are stored sparse, whatever they grow to: the file then
    /// holds float and dense numbers in place of what was compressed.
    /// </summary>
    public bool Decompress { get; init; }
}
