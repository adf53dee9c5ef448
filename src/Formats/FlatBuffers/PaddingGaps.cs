namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Padding that alignment made, kept to be filled. A FlatBuffer grows at its front, and a piece may stand anywhere behind its
/// owners, which are written later, and in front of its children: for one without, every gap so far will do.
/// </summary>
/// <param name="smallestRest">What a piece may leave of a gap: nothing, or at least this many bytes.</param>
internal sealed class PaddingGaps(int smallestRest)
{
    // A length of a vector or the head of a vtable; smaller gaps hold nothing.
    private const int Smallest = 4;

    private readonly List<Gap> _gaps = [];

    /// <param name="bytes">The padding, zero-filled.</param>
    /// <param name="end">Distance of its end from the end of the file.</param>
    public void Add(Memory<byte> bytes, int end)
    {
        if (bytes.Length >= Smallest)
        {
            _gaps.Add(new(bytes, end));
        }
    }

    /// <summary>Takes room in the smallest gap that has it.</summary>
    /// <param name="length">Bytes needed.</param>
    /// <param name="alignment">A power of two.</param>
    /// <param name="ahead">The byte that is to stand on a multiple of the alignment, counted from the start of the piece.</param>
    /// <param name="children">Distance of the first child from the end of the file; 0 for none.</param>
    /// <param name="place">Distance of the start from the end of the file.</param>
    public bool TryTake(int length, int alignment, int ahead, int children, out Memory<byte> room, out int place)
    {
        int best = -1;
        for (int i = 0; i < _gaps.Count; i++)
        {
            int rest = _gaps[i].Bytes.Length - length;
            if (_gaps[i].End >= children && (rest == 0 || rest >= smallestRest) && StartIn(_gaps[i], length, alignment, ahead) is not null && (best < 0 || _gaps[i].Bytes.Length < _gaps[best].Bytes.Length))
            {
                best = i;
            }
        }

        if (best < 0)
        {
            (room, place) = (default, 0);
            return false;
        }

        Gap gap = _gaps[best];
        place = StartIn(gap, length, alignment, ahead)!.Value;
        int from = gap.End + gap.Bytes.Length - place;
        room = gap.Bytes.Slice(from, length);
        _gaps.RemoveAt(best);
        Add(gap.Bytes[..from], place);
        Add(gap.Bytes[(from + length)..], gap.End);
        return true;
    }

    /// <summary>The start as near to the end of the gap as alignment allows.</summary>
    private static int? StartIn(Gap gap, int length, int alignment, int ahead)
    {
        int start = gap.End + length;
        int remainder = (start - ahead) & (alignment - 1);
        start += remainder == 0 ? 0 : alignment - remainder;
        return start <= gap.End + gap.Bytes.Length ? start : null;
    }

    private readonly record struct Gap(Memory<byte> Bytes, int End);
}
