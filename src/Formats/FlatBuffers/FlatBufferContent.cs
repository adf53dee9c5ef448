namespace Optc.Formats.FlatBuffers;

/// <summary>A finished FlatBuffer, in pieces.</summary>
internal sealed class FlatBufferContent(IReadOnlyList<ReadOnlyMemory<byte>> segments, int length)
{
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
