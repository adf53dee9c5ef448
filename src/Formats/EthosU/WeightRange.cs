namespace Optc.Formats.EthosU;

/// <summary>Where the channels of one core in one slice of the depth are: scale and bias entries, zeros up to 16 bytes, weight stream.</summary>
/// <param name="Slice">Index of the slice.</param>
/// <param name="Core">Index of the core.</param>
/// <param name="Offset">First byte, a multiple of 16.</param>
/// <param name="ScaleBytes">Bytes of the entries without the zeros behind them.</param>
/// <param name="WeightOffset">Start of the stream, counted from <paramref name="Offset"/>: a multiple of 16.</param>
/// <param name="WeightBytes">Bytes of the stream, a multiple of 16; 0 for a core that has no channel in this slice.</param>
public readonly record struct WeightRange(int Slice, int Core, int Offset, int ScaleBytes, int WeightOffset, int WeightBytes)
{
    /// <summary>The byte behind the range.</summary>
    public int End => Offset + WeightOffset + WeightBytes;
}
