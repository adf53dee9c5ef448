using System.Globalization;

namespace Optc.Formats.Npy;

/// <summary>
/// One <c>.npy</c> file read front to back from a stream that may be damaged or lie about its length.
/// </summary>
internal sealed class NpySource : IDisposable
{
    private readonly Stream _stream;
    private readonly uint? _expectedCrc;
    private long _position;
    private uint _crc;

    /// <param name="stream">Stands before the first byte; owned.</param>
    /// <param name="length">Bytes that the container says the file has.</param>
    /// <param name="crc32">What the container says about all bytes, or <c>null</c>.</param>
    /// <param name="place">Put before the path of an error.</param>
    /// <exception cref="MalformedDataException">
    /// The header cannot be read, or the length does not fit the shape.
    /// </exception>
    public NpySource(Stream stream, long length, uint? crc32, string place)
    {
        _stream = stream;
        _expectedCrc = crc32;
        Place = place;
        try
        {
            byte[] preamble = new byte[Math.Min(length, NpyHeader.PreambleLength)];
            Read(preamble);
            byte[] start = new byte[NpyHeader.MeasureThroughHeader(preamble, length, place)];

            // A version 1.0 header of fewer than two bytes ends before the preamble does; the parser refuses it.
            preamble.AsSpan(0, Math.Min(preamble.Length, start.Length)).CopyTo(start);
            Read(start.AsSpan(Math.Min(preamble.Length, start.Length)));
            Header = NpyHeader.Parse(start, length, place);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public NpyHeader Header { get; }

    public string Place { get; }

    /// <summary>Fills the destination with the next bytes.</summary>
    /// <exception cref="MalformedDataException">The stream ends before, or cannot be inflated.</exception>
    public void Read(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = ReadSome(destination);
            if (count == 0)
            {
                throw new MalformedDataException(
                    _position, Place + "data", "the end of the bytes", Invariant($"{destination.Length} more bytes"));
            }

            destination = destination[count..];
        }
    }

    /// <summary>Passes over bytes; they still count for the check of the whole.</summary>
    public void Skip(long count)
    {
        byte[] buffer = new byte[(int)Math.Min(count, 65536)];
        while (count > 0)
        {
            int step = (int)Math.Min(count, buffer.Length);
            Read(buffer.AsSpan(0, step));
            count -= step;
        }
    }

    /// <summary>All elements; the caller has compared their length with its limit.</summary>
    public NpyArray ReadAll()
    {
        byte[] data = new byte[Header.DataLength];
        Read(data);
        ExpectEnd();
        return NpyFile.FromOwned(Header, data, Place);
    }

    /// <exception cref="MalformedDataException">
    /// More bytes follow, or the check of the whole does not agree.
    /// </exception>
    public void ExpectEnd()
    {
        long end = _position;
        Span<byte> one = stackalloc byte[1];
        if (ReadSome(one) != 0)
        {
            throw new MalformedDataException(end, Place + "data", "more bytes", "the end, as the container says");
        }

        if (_expectedCrc is { } expected && expected != _crc)
        {
            throw new MalformedDataException(
                end,
                Place + "data",
                Invariant($"bytes with the check sum {_crc:x8}"),
                Invariant($"the check sum {expected:x8}"));
        }
    }

    public void Dispose() => _stream.Dispose();

    private int ReadSome(Span<byte> destination)
    {
        int count;
        try
        {
            count = _stream.Read(destination);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new MalformedDataException(
                _position,
                Place + "data",
                "compressed bytes that cannot be inflated",
                "a deflate stream",
                e);
        }

        if (_expectedCrc is not null)
        {
            _crc = Crc32.Append(_crc, destination[..count]);
        }

        _position += count;
        return count;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
