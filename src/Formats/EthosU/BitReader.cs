using System.Buffers.Binary;
using System.Globalization;

namespace Optc.Formats.EthosU;

/// <summary>Reads bit fields, least significant bit first, and refuses to go past the last byte.</summary>
internal ref struct BitReader
{
    /// <summary>Bytes that have to follow the stream in its buffer, so that every read is one load.</summary>
    public const int Slack = 64;

    /// <summary>Bits that may be read with <see cref="ReadAhead"/> before <see cref="Require"/>.</summary>
    public const int MostAhead = 8 * (Slack - sizeof(ulong));

    /// <summary>Longest field of one call: eight bytes less the seven bits that may precede it.</summary>
    public const int LongestField = 57;

    private readonly ReadOnlySpan<byte> _padded;
    private readonly long _end;

    /// <param name="padded">The stream and <see cref="Slack"/> bytes more.</param>
    public BitReader(ReadOnlySpan<byte> padded)
    {
        _padded = padded;
        _end = 8L * (padded.Length - Slack);
    }

    /// <summary>Place of the next bit, from the start of the stream.</summary>
    public long Position { get; private set; }

    public readonly bool IsAtEnd => Position >= _end;

    /// <param name="bits">0 to <see cref="LongestField"/>.</param>
    /// <exception cref="MalformedDataException">The stream ends inside the field.</exception>
    public ulong Read(int bits)
    {
        long position = Position;
        if (position + bits > _end)
        {
            ThrowTruncated(bits);
        }

        ulong word = BinaryPrimitives.ReadUInt64LittleEndian(_padded[(int)(position >> 3)..]) >> (int)(position & 7);
        Position = position + bits;
        return word & ((1UL << bits) - 1);
    }

    /// <summary>As <see cref="Read"/>, but the end of the stream is checked later.</summary>
    /// <param name="bits">0 to <see cref="LongestField"/>; from one <see cref="Require"/> to the next at most <see cref="MostAhead"/>.</param>
    public ulong ReadAhead(int bits)
    {
        long position = Position;
        Position = position + bits;
        return (BinaryPrimitives.ReadUInt64LittleEndian(_padded[(int)(position >> 3)..]) >> (int)(position & 7)) & ((1UL << bits) - 1);
    }

    /// <summary>Checks what was read ahead.</summary>
    /// <exception cref="MalformedDataException">It goes beyond the end of the stream.</exception>
    public readonly void Require()
    {
        if (Position > _end)
        {
            ThrowTruncated(0);
        }
    }

    /// <summary>Goes to the start of the next byte, unless it is at the start of one.</summary>
    public void Align() => Position = (Position + 7) & ~7L;

    private readonly void ThrowTruncated(int bits) => throw new MalformedDataException(
        Math.Min(Position, _end) >> 3,
        "weight stream",
        string.Create(CultureInfo.InvariantCulture, $"the end after {_end / 8} bytes"),
        bits == 0 ? "more" : string.Create(CultureInfo.InvariantCulture, $"{bits} more bits"));
}
