using Optc.Formats.EthosU;

namespace Optc.Formats.WeightCoding;

/// <summary>The length of the <see cref="WeightCodec">Ethos-U weight stream</see>, in whole units of 16 bytes.</summary>
internal sealed class EthosUCoder(string name, string description, WeightCodecMode mode) : IWeightCoder
{
    public string Name => name;

    public string Description => description;

    public long CountBits(ReadOnlySpan<short> weights) => weights.IsEmpty ? 0 : 8L * WeightCodec.Encode(weights, mode).Length;

    public CodeLengths EstimateLengths(ReadOnlySpan<short> weights) => StreamLengths.Of(weights, mode);

    public override string ToString() => name;
}
