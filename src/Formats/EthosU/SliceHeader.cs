namespace Optc.Formats.EthosU;

/// <summary>How the weights of one slice are coded: the 23 bits at its start.</summary>
/// <param name="RunDivisor">ZDIV: Golomb-Rice divisor of the zero runs, 0 to 3; or <see cref="NoRuns"/>.</param>
/// <param name="Weights">Coded weights, 1 to 32768.</param>
/// <param name="Divisor">WDIV: Golomb-Rice divisor of the indices, 0 to 5; or <see cref="Uncompressed"/>.</param>
/// <param name="IsTruncated">WTRUNC: the quotient is one digit, 0 to 2.</param>
/// <param name="HasSetup">NEWPAL: a palette setup follows.</param>
internal readonly record struct SliceHeader(int RunDivisor, int Weights, int Divisor, bool IsTruncated, bool HasSetup)
{
    public const int Bits = 23;

    public const int NoRuns = 6;

    public const int EndMark = 7;

    public const int Uncompressed = 7;

    public const int MaxWeights = 32768;

    public bool HasRuns => RunDivisor != NoRuns;

    public bool IsUncompressed => Divisor == Uncompressed;

    /// <summary>Zero runs of the slice: one after each weight, and one before the first where a setup begins.</summary>
    public int Runs => HasRuns ? Weights + (HasSetup ? 1 : 0) : 0;

    public void Write(BitWriter writer) => writer.Write(
        (ulong)(uint)(RunDivisor | ((Weights - 1) << 3) | (Divisor << 18) | (IsTruncated ? 1 << 21 : 0) | (HasSetup ? 1 << 22 : 0)),
        Bits);
}
