namespace Optc.Formats.FlatBuffers;

/// <summary>A finished FlatBuffer, in pieces; large ones are slices of what it was made from.</summary>
public sealed class FlatBufferContent(IReadOnlyList<ReadOnlyMemory<byte>> segments, int length)
{
    /// <summary>Bytes in all.</summary>
    public int Length => length;

    public void WriteTo(Stream stream)
    {
        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            stream.Write(segment.Span);
        }
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[length];
        int position = 0;
        foreach (ReadOnlyMemory<byte> segment in segments)
        {
            segment.CopyTo(bytes.AsMemory(position));
            position += segment.Length;
        }

        return bytes;
    }
}
