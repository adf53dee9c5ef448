namespace Optc.Formats.EthosU;

/// <summary>How hard <see cref="WeightCodec.Encode"/> looks for a short stream.</summary>
public enum WeightCodecMode
{
    /// <summary>The bytes of Arm's encoder.</summary>
    Compatible,

    /// <summary>The shortest stream that the search over sections, palettes, divisors and zero runs finds; never longer than the other.</summary>
    Smallest,
}
