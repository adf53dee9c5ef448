using System.Runtime.InteropServices;

namespace Optc.Formats.WeightCoding;

/// <summary>The length of what a general compressor makes of the bytes, at its best level.</summary>
/// <remarks>
/// A byte for each weight, or two (little endian) for all weights of a payload that has one outside of int8. Several tensors are compressed as one
/// stretch of bytes. The figure depends on the version of the compressor inside .NET by a fraction of a percent.
/// </remarks>
public sealed class DeflateCoder : IWeightCoder
{
    private readonly Func<Stream, Stream> _open;

    internal DeflateCoder(string name, string description, Func<Stream, Stream> open) => (Name, Description, _open) = (name, description, open);

    public string Name { get; }

    public string Description { get; }

    public bool JoinsTensors => true;

    public long CountBits(ReadOnlySpan<short> weights) => CountBytes(ToBytes(weights)) * 8;

    public long CountPayloadBits(IEnumerable<ReadOnlyMemory<short>> tensors)
    {
        short[] payload = [.. tensors.SelectMany(t => t.ToArray())];
        return CountBits(payload);
    }

    /// <summary>Bytes that any bytes take, such as a file or float weights.</summary>
    public long CountBytes(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream sink = new();
        using (Stream compressor = _open(sink))
        {
            compressor.Write(bytes);
        }

        return sink.Length;
    }

    public override string ToString() => Name;

    private static byte[] ToBytes(ReadOnlySpan<short> weights)
    {
        if (weights.ContainsAnyExceptInRange<short>(sbyte.MinValue, sbyte.MaxValue))
        {
            return MemoryMarshal.AsBytes(weights).ToArray();
        }

        byte[] bytes = new byte[weights.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = unchecked((byte)weights[i]);
        }

        return bytes;
    }
}
