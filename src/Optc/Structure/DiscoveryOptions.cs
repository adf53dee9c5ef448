namespace Optc.Structure;

/// <summary>From when on zeros and repeated values are taken for intended.</summary>
public sealed record DiscoveryOptions
{
    public static DiscoveryOptions Default { get; } = new();

    /// <summary>Part of a weight that is zero, at least; integers have some zeros by rounding.</summary>
    public double LeastSparsity { get; init; } = 0.2;

    /// <summary>Different values of a float weight, at most.</summary>
    public int MostCodes { get; init; } = 256;

    /// <summary>Different values of an integer weight, at most: those of 8 bits are 256 without anybody's doing.</summary>
    public int MostIntegerCodes { get; init; } = 64;

    /// <summary>Values for each code, at least, in the tensor or in the channel that the codebook is for.</summary>
    public int LeastMembers { get; init; } = 4;
}
