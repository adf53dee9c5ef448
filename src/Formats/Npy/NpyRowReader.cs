using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Formats.Npy;

/// <summary>
/// Reads an array along its first axis, a batch of rows at a time, so that a data set larger than memory can be
/// walked through. Only an array in Fortran order is held whole, because its rows are scattered over the file.
/// </summary>
/// <remarks>Readers of one archive may be used in turn, but not by two threads at once.</remarks>
public sealed class NpyRowReader : IDisposable
{
    /// <summary>Where no limit is given, no array or batch takes more than 1 GiB.</summary>
    public const long DefaultMaxBytes = 1L << 30;

    private readonly NpySource _source;
    private readonly long _maxBytes;
    private readonly long _rowBytes;
    private readonly NpyArray? _whole;

    private NpyRowReader(NpySource source, long maxBytes)
    {
        NpyHeader header = source.Header;
        _source = source;
        _maxBytes = Math.Min(maxBytes, Array.MaxLength);
        if (header.Shape.IsEmpty)
        {
            throw new MalformedDataException(
                0, source.Place + "header.shape", "a scalar, shape ()", "an array with rows: one axis or more");
        }

        _rowBytes = header.Shape[0] == 0 ? 0 : header.DataLength / header.Shape[0];
        if (header.FortranOrder && header.Shape.Length > 1)
        {
            CheckLimit(source, header.DataLength, _maxBytes, "an array in Fortran order");
            _whole = source.ReadAll();
        }
    }

    public NpyType Type => _source.Header.Type;

    /// <summary>Axis lengths of the whole array, rows first.</summary>
    public ImmutableArray<int> Shape => _source.Header.Shape;

    /// <summary>Number of rows, the length of the first axis.</summary>
    public int Rows => Shape[0];

    /// <summary>Rows passed so far.</summary>
    public int Position { get; private set; }

    /// <summary>The next rows.</summary>
    /// <param name="maxRows">Rows of a batch; the last batch may have fewer.</param>
    /// <returns>An array <c>[rows, ...]</c> of its own, or <c>null</c> after the last row.</returns>
    /// <exception cref="MalformedDataException">
    /// The bytes end early or are damaged (the check sum of an archive is known only after its last row), or the batch
    /// would take more than the limit.
    /// </exception>
    public NpyArray? Read(int maxRows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRows);
        int rows = Math.Min(maxRows, Rows - Position);
        if (rows == 0)
        {
            return null;
        }

        if (_whole is not null)
        {
            Position += rows;
            return _whole.Rows(Position - rows, rows);
        }

        CheckLimit(
            _source,
            rows * _rowBytes,
            _maxBytes,
            string.Create(CultureInfo.InvariantCulture, $"a batch of {rows} rows"));
        byte[] data = new byte[rows * _rowBytes];
        _source.Read(data);
        Advance(rows);
        NpyHeader batch = _source.Header with { Shape = Shape.SetItem(0, rows) };
        return NpyFile.FromOwned(batch, data, _source.Place);
    }

    /// <summary>Passes over rows; fewer where the array ends before.</summary>
    /// <exception cref="MalformedDataException">The bytes end early or are damaged.</exception>
    public void Skip(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        rows = Math.Min(rows, Rows - Position);
        if (_whole is null)
        {
            _source.Skip(rows * _rowBytes);
        }

        Advance(rows);
    }

    /// <summary>All rows from here on, in batches.</summary>
    /// <exception cref="MalformedDataException">As for <see cref="Read"/>.</exception>
    public IEnumerable<NpyArray> Batches(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        return Enumerate();

        IEnumerable<NpyArray> Enumerate()
        {
            while (Read(rows) is { } batch)
            {
                yield return batch;
            }
        }
    }

    public void Dispose() => _source.Dispose();

    /// <summary>Takes over the source, also when it throws.</summary>
    internal static NpyRowReader Open(NpySource source, long maxBytes)
    {
        try
        {
            return new(source, maxBytes);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    internal static void CheckLimit(NpySource source, long bytes, long maxBytes, string what)
    {
        if (bytes > maxBytes)
        {
            throw new MalformedDataException(
                source.Header.DataOffset,
                source.Place + "data",
                string.Create(CultureInfo.InvariantCulture, $"{what} of {bytes} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"at most {maxBytes} bytes at once"));
        }
    }

    private void Advance(int rows)
    {
        Position += rows;
        if (Position == Rows && rows > 0 && _whole is null)
        {
            _source.ExpectEnd();
        }
    }
}
