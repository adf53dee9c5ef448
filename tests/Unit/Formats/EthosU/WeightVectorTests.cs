using Optc.Formats.EthosU;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

/// <summary>Against streams and orders that others made.</summary>
public sealed class WeightVectorTests
{
    public static TheoryData<string> All => WeightVector.Names();

    public static TheoryData<string> Reordered => WeightVector.Names(reordered: true);

    [SharedTheory]
    [MemberData(nameof(All))]
    public void Compatible_streams_have_the_bytes_of_the_reference(string name)
    {
        WeightVector vector = WeightVector.Read(name);

        Assert.Equal(Convert.ToHexString(vector.Stream), Convert.ToHexString(WeightCodec.Encode(vector.Weights)));
    }

    [SharedTheory]
    [MemberData(nameof(All))]
    public void Reference_streams_decode_exactly(string name)
    {
        WeightVector vector = WeightVector.Read(name);

        Assert.Equal(vector.Weights, WeightCodec.Decode(vector.Stream, vector.Weights.Length));
    }

    [SharedTheory]
    [MemberData(nameof(All))]
    public void Smallest_streams_are_never_larger_and_decode_exactly(string name)
    {
        WeightVector vector = WeightVector.Read(name);

        byte[] stream = WeightCodec.Encode(vector.Weights, WeightCodecMode.Smallest);

        Assert.InRange(stream.Length, WeightCodec.Alignment, vector.Stream.Length);
        Assert.Equal(vector.Weights, WeightCodec.Decode(stream));
    }

    [SharedTheory]
    [MemberData(nameof(Reordered))]
    public void Weights_are_reordered_like_the_reference(string name)
    {
        WeightVector vector = WeightVector.Read(name);

        Assert.Equal(vector.Weights, WeightReordering.Reorder(vector.Source, vector.Shape, vector.Options!));
        Assert.Equal(vector.Weights.Length, WeightReordering.CountReordered(vector.Shape, vector.Options!));
    }
}
