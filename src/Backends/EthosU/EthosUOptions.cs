using Optc.Formats.EthosU;

namespace Optc.Backends.EthosU;

/// <summary>How a model is packed.</summary>
/// <param name="Accelerator">The processor.</param>
public sealed record EthosUOptions(Accelerator Accelerator)
{
    /// <summary>OFM channels of a block, of layers that have so many; <see langword="null"/> takes for each layer the depth with the fewest bytes.</summary>
    /// <remarks>Of depths with equal bytes the largest is taken: the inputs are read once for each block.</remarks>
    public int? BlockDepth { get; init; }

    /// <summary>OFM channels of a slice, for weights that are copied into fast memory slice by slice; <see langword="null"/> for the whole depth.</summary>
    public int? SliceDepth { get; init; }

    public WeightCodecMode Codec { get; init; } = WeightCodecMode.Compatible;
}
