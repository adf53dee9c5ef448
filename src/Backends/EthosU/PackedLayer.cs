using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Optc.Formats.EthosU;

namespace Optc.Backends.EthosU;

/// <summary>A layer in the blob of a package.</summary>
/// <param name="Name">Name of the layer in the model.</param>
/// <param name="Operator">Name of the op in the model.</param>
/// <param name="Layout">Order and cuts of the weights.</param>
/// <param name="Ranges">Slice after slice, core after core; offsets are from the start of the blob.</param>
/// <param name="ReorderedWeights">Weights of all streams with their padding.</param>
/// <param name="ContentHash">
/// SHA-256 of the weights in OHWI, each in two bytes, little endian, then of the entries of all output channels, ten bytes each: 64 hexadecimal digits.
/// </param>
public sealed record PackedLayer(
    string Name, string Operator, TensorLayout Layout, ImmutableArray<WeightRange> Ranges, int ReorderedWeights, string ContentHash)
{
    /// <summary>Weights of the model.</summary>
    public int SourceWeights => Layout.Shape.Count;

    /// <summary>First byte in the blob.</summary>
    public int Offset => Ranges[0].Offset;

    /// <summary>Bytes in the blob.</summary>
    public int Length => Ranges[^1].End - Offset;

    /// <summary>Bytes of the weight streams.</summary>
    public long StreamBytes => Ranges.Sum(r => (long)r.WeightBytes);

    /// <summary>Bytes of the entries of bias and scale, with the zeros behind them.</summary>
    public long ScaleBytes => Ranges.Sum(r => (long)r.WeightOffset);

    /// <summary>Bits of the streams for each weight of the model.</summary>
    public double BitsPerWeight => 8.0 * StreamBytes / SourceWeights;

    /// <summary>Bytes of the largest slice of even and of odd number: the two buffers that hold slices in turn.</summary>
    public (int Even, int Odd) BufferBytes => (LargestSlice(0), LargestSlice(1));

    /// <summary>The <see cref="ContentHash"/>: of two layouts that read the same bytes only one gives it.</summary>
    internal static string Hash(ReadOnlySpan<short> weights, ImmutableArray<ScaleEntry> entries)
    {
        byte[] bytes = new byte[(sizeof(short) * weights.Length) + (ScaleEntry.Length * entries.Length)];
        for (int i = 0; i < weights.Length; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(sizeof(short) * i), weights[i]);
        }

        for (int i = 0; i < entries.Length; i++)
        {
            entries[i].Write(bytes.AsSpan((sizeof(short) * weights.Length) + (ScaleEntry.Length * i), ScaleEntry.Length));
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private int LargestSlice(int parity) => Ranges.Where(r => r.Slice % 2 == parity)
        .GroupBy(r => r.Slice)
        .Select(slice => slice.Max(r => r.End) - slice.Min(r => r.Offset))
        .DefaultIfEmpty()
        .Max();
}

/// <summary>A layer that is not in the package.</summary>
/// <param name="Name">Name of the layer in the model.</param>
/// <param name="Operator">Name of the op in the model.</param>
/// <param name="Reason">Why the hardware cannot take it as it is.</param>
public sealed record LayerLeftOut(string Name, string Operator, string Reason);

/// <summary>What a package holds for a layer.</summary>
/// <param name="Weights">OHWI, zero point taken off: <see cref="WeightShape.Count"/> elements.</param>
/// <param name="Entries">Bias and scale of each output channel.</param>
public sealed record LayerContent(ReadOnlyMemory<short> Weights, ImmutableArray<ScaleEntry> Entries);
