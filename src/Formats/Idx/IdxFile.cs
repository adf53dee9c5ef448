using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using Optc.Formats.Npy;

namespace Optc.Formats.Idx;

/// <summary>The IDX format of the MNIST files, plain or as <c>.gz</c>.</summary>
/// <remarks>
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section on file formats: two zero bytes, a type
/// (0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64), the number of axes, one 32-bit length
/// per axis, then the elements in C order; everything big endian.
/// </remarks>
public static class IdxFile
{
    private const int PreambleLength = 4;

    /// <summary>Deflate makes at most 1032 bytes of one; see <see cref="NpzReader"/>.</summary>
    private const long MaxInflation = 1032;

    /// <summary>Reads the array of a file; gzip is recognized by its first bytes.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="maxBytes">Most bytes that the elements may take.</param>
    /// <exception cref="MalformedDataException">
    /// The bytes are no IDX file, the elements are more or fewer than the header says or exceed the limit, or the
    /// compressed bytes are damaged.
    /// </exception>
    public static NpyArray Read(byte[] file, long maxBytes = NpyRowReader.DefaultMaxBytes)
    {
        bool compressed = file is [0x1f, 0x8b, ..];
        using MemoryStream bytes = new(file, writable: false);
        using Stream stream = compressed ? new GZipStream(bytes, CompressionMode.Decompress) : bytes;
        long present = compressed ? file.Length * MaxInflation : file.Length;

        long at = 0;
        Span<byte> preamble = stackalloc byte[PreambleLength];
        ReadExactly(stream, preamble, "magic", ref at);
        if (preamble[0] != 0 || preamble[1] != 0)
        {
            throw new MalformedDataException(0, "magic", Convert.ToHexString(preamble[..2]), "two zero bytes");
        }

        NpyType type = preamble[2] switch
        {
            0x08 => NpyType.UInt8,
            0x09 => NpyType.Int8,
            0x0B => NpyType.Int16,
            0x0C => NpyType.Int32,
            0x0D => NpyType.Float32,
            0x0E => NpyType.Float64,
            byte other => throw new MalformedDataException(
                2, "type", Invariant($"type 0x{other:x2}"), "0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e"),
        };
        int rank = preamble[3];
        if (rank > NpyShape.MaxRank)
        {
            throw new MalformedDataException(
                3,
                "shape",
                Invariant($"{rank} axes"),
                Invariant($"at most {NpyShape.MaxRank} axes"));
        }

        ImmutableArray<int> shape = ReadShape(stream, rank, ref at);
        if (!NpyShape.TryCountBytes(shape.AsSpan(), type, out long length) || length > Math.Min(present - at, maxBytes))
        {
            throw new MalformedDataException(
                PreambleLength,
                "shape",
                $"{type.Code()} {NpyShape.Format(shape.AsSpan())}",
                Invariant($"at most {Math.Min(present - at, maxBytes)} bytes of elements"));
        }

        byte[] data = new byte[length];
        ReadExactly(stream, data, "data", ref at);
        if (ReadSome(stream, preamble[..1], at) != 0)
        {
            throw new MalformedDataException(
                at,
                "data",
                "more bytes",
                Invariant($"the end after {length} bytes of elements"));
        }

        NpyLayout.SwapBytes(data, type.ByteSize());
        return new(type, shape, data);
    }

    /// <summary>The bytes of a plain IDX file.</summary>
    /// <exception cref="NotSupportedException">The format has no such element type, or not so many axes.</exception>
    public static byte[] Write(NpyArray array)
    {
        byte type = array.Type switch
        {
            NpyType.UInt8 => 0x08,
            NpyType.Int8 => 0x09,
            NpyType.Int16 => 0x0B,
            NpyType.Int32 => 0x0C,
            NpyType.Float32 => 0x0D,
            NpyType.Float64 => 0x0E,
            _ => throw new NotSupportedException($"IDX has no element type {array.Type.Code()}."),
        };
        if (array.Shape.Length > NpyShape.MaxRank)
        {
            throw new NotSupportedException($"An IDX file of {array.Shape.Length} axes could not be read back.");
        }

        int start = PreambleLength + (4 * array.Shape.Length);
        byte[] file = new byte[checked(start + array.Data.Length)];
        file[2] = type;
        file[3] = (byte)array.Shape.Length;
        for (int axis = 0; axis < array.Shape.Length; axis++)
        {
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(PreambleLength + (4 * axis)), array.Shape[axis]);
        }

        array.Data.Span.CopyTo(file.AsSpan(start));
        NpyLayout.SwapBytes(file.AsSpan(start), array.Type.ByteSize());
        return file;
    }

    private static ImmutableArray<int> ReadShape(Stream stream, int rank, ref long at)
    {
        ImmutableArray<int>.Builder shape = ImmutableArray.CreateBuilder<int>(rank);
        Span<byte> bytes = stackalloc byte[4];
        for (int axis = 0; axis < rank; axis++)
        {
            ReadExactly(stream, bytes, "shape", ref at);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            if (length > int.MaxValue)
            {
                throw new MalformedDataException(
                    at - 4,
                    "shape",
                    Invariant($"an axis of {length}"),
                    "at most 2147483647");
            }

            shape.Add((int)length);
        }

        return shape.MoveToImmutable();
    }

    private static void ReadExactly(Stream stream, Span<byte> destination, string path, ref long at)
    {
        while (!destination.IsEmpty)
        {
            int count = ReadSome(stream, destination, at);
            if (count == 0)
            {
                throw new MalformedDataException(
                    at,
                    path,
                    "the end of the file",
                    Invariant($"{destination.Length} more bytes"));
            }

            at += count;
            destination = destination[count..];
        }
    }

    private static int ReadSome(Stream stream, Span<byte> destination, long at)
    {
        try
        {
            return stream.Read(destination);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new MalformedDataException(
                at,
                "gzip",
                "compressed bytes that cannot be inflated",
                "a gzip stream",
                e);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
