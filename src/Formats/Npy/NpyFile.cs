using System.Globalization;

namespace Optc.Formats.Npy;

/// <summary>NumPy's single-array format, <c>.npy</c>: versions 1.0, 2.0 and 3.0 in, 1.0 out.</summary>
public static class NpyFile
{
    /// <summary>
    /// Reads one array; Fortran order and big-endian elements are brought into the order of <see cref="NpyArray"/>.
    /// </summary>
    /// <param name="file">
    /// The whole file. Where its elements are stored as <see cref="NpyArray"/> keeps them the array shares these bytes.
    /// </param>
    /// <exception cref="MalformedDataException">
    /// The bytes are no <c>.npy</c> file, the elements are of a type optc has no use for (complex numbers, strings,
    /// records, pickled objects), or the file is shorter or longer than its header says.
    /// </exception>
    public static NpyArray Read(ReadOnlyMemory<byte> file)
    {
        NpyHeader header = NpyHeader.Parse(file.Span, file.Length, place: "");
        ReadOnlyMemory<byte> data = file[header.DataOffset..];
        return header.BigEndian
            ? FromOwned(header, data.ToArray(), place: "")
            : FromLittleEndian(header, data, place: "");
    }

    /// <summary>Reads the header alone.</summary>
    /// <param name="file">The whole file; its length is checked against the shape.</param>
    /// <exception cref="MalformedDataException">As for <see cref="Read"/>.</exception>
    public static NpyHeader ReadHeader(ReadOnlySpan<byte> file) => NpyHeader.Parse(file, file.Length, place: "");

    /// <summary>Opens a file to read it in batches of rows of the first axis, without holding all of it.</summary>
    /// <param name="path">Path of the <c>.npy</c> file; it stays open until the reader is disposed.</param>
    /// <param name="maxBytes">Most bytes that one batch, or an array in Fortran order, may take.</param>
    /// <exception cref="MalformedDataException">As for <see cref="Read"/>, or the array is a scalar.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static NpyRowReader OpenRows(string path, long maxBytes = NpyRowReader.DefaultMaxBytes)
    {
        FileStream stream = File.OpenRead(path);
        return NpyRowReader.Open(new NpySource(stream, stream.Length, crc32: null, place: ""), maxBytes);
    }

    /// <summary>The bytes that <c>numpy.save</c> writes for the array.</summary>
    public static byte[] Write(NpyArray array)
    {
        byte[] header = NpyHeader.Format(array.Type, array.Shape.AsSpan());
        byte[] file = new byte[checked(header.Length + array.Data.Length)];
        header.CopyTo(file, 0);
        array.Data.CopyTo(file.AsMemory(header.Length));
        return file;
    }

    /// <summary>
    /// The array of elements as a file stores them; <paramref name="data"/> is the caller's and is changed.
    /// </summary>
    internal static NpyArray FromOwned(NpyHeader header, byte[] data, string place)
    {
        if (header.BigEndian)
        {
            NpyLayout.SwapBytes(data, header.Type.ByteSize());
        }

        return FromLittleEndian(header, data, place);
    }

    private static NpyArray FromLittleEndian(NpyHeader header, ReadOnlyMemory<byte> data, string place)
    {
        if (header.Type == NpyType.Boolean)
        {
            int strange = data.Span.IndexOfAnyExceptInRange((byte)0, (byte)1);
            if (strange >= 0)
            {
                throw new MalformedDataException(
                    (long)header.DataOffset + strange,
                    place + "data",
                    string.Create(CultureInfo.InvariantCulture, $"a boolean of {data.Span[strange]}"),
                    "0 or 1");
            }
        }

        if (header.FortranOrder && header.Shape.Length > 1)
        {
            data = NpyLayout.FromFortranOrder(data.Span, header.Shape.AsSpan(), header.Type.ByteSize());
        }

        return new(header.Type, header.Shape, data);
    }
}
