using System.Collections.Immutable;
using System.IO.Compression;
using Optc.Formats.EthosU;

namespace Optc.Formats.WeightCoding;

/// <summary>The coders that optc can ask for the size of weights.</summary>
public static class WeightCoders
{
    /// <summary>Arm's Ethos-U stream as Arm's encoder makes it, in the order given, without scales.</summary>
    public static IWeightCoder EthosU { get; } = new EthosUCoder("ethos-u", "Ethos-U stream, compatible", WeightCodecMode.Compatible);

    /// <summary>The shortest Ethos-U stream that optc finds.</summary>
    public static IWeightCoder EthosUSmallest { get; } = new EthosUCoder("ethos-u-smallest", "Ethos-U stream, smallest", WeightCodecMode.Smallest);

    /// <summary>gzip of the bytes of the weights.</summary>
    public static DeflateCoder Gzip { get; } = new("gzip", "gzip of the weights", static sink => new GZipStream(sink, CompressionLevel.SmallestSize, leaveOpen: true));

    /// <summary>zlib of the bytes of the weights: deflate with a shorter frame.</summary>
    public static DeflateCoder Zlib { get; } = new("zlib", "zlib of the weights", static sink => new ZLibStream(sink, CompressionLevel.SmallestSize, leaveOpen: true));

    /// <summary>The bound of coders that give each code of a tensor its own length: its entropy and a table.</summary>
    public static OrderZeroCoder OrderZero { get; } = new();

    public static ImmutableArray<IWeightCoder> All { get; } = [EthosU, EthosUSmallest, Gzip, Zlib, OrderZero];

    /// <summary>The coder of this name, or <see langword="null"/>.</summary>
    public static IWeightCoder? Find(string name) => All.FirstOrDefault(c => c.Name == name);
}
