using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Formats.Npy;

/// <summary>What an <c>.npy</c> file says about its array before the elements begin.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Axis lengths, outermost first.</param>
/// <param name="FortranOrder">The file stores the first axis fastest.</param>
/// <param name="BigEndian">The file stores the high byte of an element first.</param>
/// <param name="DataOffset">Bytes before the first element.</param>
/// <param name="DataLength">Bytes of all elements.</param>
/// <remarks>
/// Source: NumPy Enhancement Proposal 1 and <c>numpy.lib.format</c>: six magic bytes, a version (1.0, 2.0 or 3.0),
/// the length of the header in two bytes (1.0) or four, and a Python dictionary literal with the keys
/// <c>descr</c>, <c>fortran_order</c> and <c>shape</c>, padded with spaces.
/// </remarks>
public sealed record NpyHeader(
    NpyType Type, ImmutableArray<int> Shape, bool FortranOrder, bool BigEndian, int DataOffset, long DataLength)
{
    /// <summary>The bytes needed to know where the header ends.</summary>
    internal const int PreambleLength = 12;

    private const int MaxTextLength = ushort.MaxValue;

    /// <summary>
    /// NumPy leaves room for a first axis of this many digits, so that a growing file keeps its header.
    /// </summary>
    private const int GrowthDigits = 21;

    private const int Alignment = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Where the elements begin.</summary>
    /// <param name="preamble">
    /// The first <see cref="PreambleLength"/> bytes of the file, or all of a shorter one.
    /// </param>
    /// <param name="fileLength">Bytes of the whole file.</param>
    /// <param name="place">Put before the path of an error; empty, or a name that ends in <c> &gt; </c>.</param>
    /// <exception cref="MalformedDataException">
    /// No such file, an unknown version, or the header leaves the file.
    /// </exception>
    internal static int MeasureThroughHeader(ReadOnlySpan<byte> preamble, long fileLength, string place)
    {
        if (!preamble.StartsWith(Magic))
        {
            throw new MalformedDataException(
                0,
                place + "magic",
                preamble.IsEmpty
                    ? "an empty file"
                    : Convert.ToHexString(preamble[..Math.Min(preamble.Length, Magic.Length)]),
                $"{Convert.ToHexString(Magic)}, the first bytes of an .npy file");
        }

        if (preamble.Length < PreambleLength)
        {
            throw new MalformedDataException(
                preamble.Length,
                place + "header",
                $"a file of {preamble.Length} bytes",
                "version, header length and header");
        }

        (byte major, byte minor) = (preamble[6], preamble[7]);
        if (major is < 1 or > 3 || minor != 0)
        {
            throw new MalformedDataException(
                6,
                place + "version",
                $"version {major}.{minor}",
                "version 1.0, 2.0 or 3.0");
        }

        int start = major == 1 ? 10 : 12;
        uint length = major == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(preamble[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(preamble[8..]);
        long most = Math.Min(MaxTextLength, fileLength - start);
        if (length > most)
        {
            throw new MalformedDataException(
                8, place + "header length", $"a header of {length} bytes", $"at most {most} bytes");
        }

        return start + (int)length;
    }

    /// <param name="bytes">The file from its start, at least through the header.</param>
    /// <param name="fileLength">Bytes of the whole file; what follows the header must be exactly the elements.</param>
    /// <exception cref="MalformedDataException">
    /// The header cannot be read, or does not fit the bytes present.
    /// </exception>
    internal static NpyHeader Parse(ReadOnlySpan<byte> bytes, long fileLength, string place)
    {
        int dataOffset = MeasureThroughHeader(bytes[..Math.Min(bytes.Length, PreambleLength)], fileLength, place);
        int textOffset = bytes[6] == 1 ? 10 : 12;
        NpyHeaderParser parser = new(bytes[textOffset..dataOffset], textOffset, place);
        (NpyType type, bool bigEndian, bool fortranOrder, ImmutableArray<int> shape) = parser.Parse();
        long present = fileLength - dataOffset;
        if (!NpyShape.TryCountBytes(shape.AsSpan(), type, out long length) || length != present)
        {
            throw new MalformedDataException(
                dataOffset,
                place + "data",
                string.Create(CultureInfo.InvariantCulture, $"{present} bytes after the header"),
                $"the elements of an array of {type.Code()} with shape {NpyShape.Format(shape.AsSpan())}"
                + (length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {length} bytes")));
        }

        return new(type, shape, fortranOrder, bigEndian, dataOffset, length);
    }

    /// <summary>The bytes that <c>numpy.save</c> (NumPy 1.23 and later) writes before a C-ordered array.</summary>
    internal static byte[] Format(NpyType type, ReadOnlySpan<int> shape)
    {
        StringBuilder text = new();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{{'descr': '{type.Descriptor()}', 'fortran_order': False, 'shape': {NpyShape.Format(shape)}, }}");
        if (!shape.IsEmpty)
        {
            text.Append(' ', GrowthDigits - shape[0].ToString(CultureInfo.InvariantCulture).Length);
        }

        const int Start = 10;
        text.Append(' ', Alignment - ((Start + text.Length + 1) % Alignment)).Append('\n');
        byte[] bytes = new byte[Start + text.Length];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), checked((ushort)text.Length));
        Encoding.ASCII.GetBytes(text.ToString(), bytes.AsSpan(Start));
        return bytes;
    }
}
