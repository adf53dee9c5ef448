namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Bytes that grow at their front. Small pieces are copied into chunks; large ones are only referenced, so that a file
/// needs little memory beside the data it is made of.
/// </summary>
internal sealed class SegmentRope
{
    private const int ChunkSize = 1 << 16;

    private readonly List<ReadOnlyMemory<byte>> segments = [];
    private byte[] chunk = [];
    private int start;
    private int end;

    /// <summary>Bytes so far.</summary>
    public int Length { get; private set; }

    /// <summary>Makes room for bytes in front of all others and returns it; zero-filled.</summary>
    /// <exception cref="NotSupportedException">The file would exceed 2^31 - 1 bytes.</exception>
    public Memory<byte> Prepend(int count)
    {
        Grow(count);
        if (start < count)
        {
            Close();
            chunk = new byte[Math.Max(ChunkSize, count)];
            start = chunk.Length;
            end = chunk.Length;
        }

        start -= count;
        return chunk.AsMemory(start, count);
    }

    /// <summary>Puts bytes in front of all others without copying them.</summary>
    /// <exception cref="NotSupportedException">The file would exceed 2^31 - 1 bytes.</exception>
    public void PrependReference(ReadOnlyMemory<byte> bytes)
    {
        Grow(bytes.Length);
        Close();
        segments.Add(bytes);
    }

    /// <summary>The pieces from front to back. The rope must not grow afterwards.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> ToSegments()
    {
        Close();
        segments.Reverse();
        return segments;
    }

    private void Grow(int count)
    {
        if (count > int.MaxValue - Length)
        {
            throw new NotSupportedException("A FlatBuffer holds at most 2^31 - 1 bytes.");
        }

        Length += count;
    }

    private void Close()
    {
        if (end > start)
        {
            segments.Add(chunk.AsMemory(start, end - start));
        }

        end = start;
    }
}
