using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.Npy;

namespace Optc.Formats.RawBin;

/// <summary>A file of bare elements, little endian and in C order; type and shape come from the user.</summary>
public static class RawBinFile
{
    /// <param name="file">The whole file; the array shares these bytes.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">
    /// Axis lengths, outermost first; the first may be -1, which stands for as many rows as the file has.
    /// </param>
    /// <exception cref="ArgumentException">
    /// An axis is negative, other than a first one of -1, or the shape is absurdly large.
    /// </exception>
    /// <exception cref="MalformedDataException">
    /// The file has more or fewer bytes than type and shape ask for.
    /// </exception>
    public static NpyArray Read(ReadOnlyMemory<byte> file, NpyType type, ImmutableArray<int> shape)
    {
        bool anyRows = !shape.IsEmpty && shape[0] == -1;
        ImmutableArray<int> known = anyRows ? shape.SetItem(0, 1) : shape;
        if (!NpyShape.TryCountBytes(known.AsSpan(), type, out long bytes))
        {
            throw new ArgumentException($"{NpyShape.Format(shape.AsSpan())} is no shape of an array.", nameof(shape));
        }

        bool fits = anyRows ? bytes > 0 && file.Length % bytes == 0 : file.Length == bytes;
        if (!fits)
        {
            throw new MalformedDataException(
                0,
                "data",
                string.Create(CultureInfo.InvariantCulture, $"a file of {file.Length} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"{(anyRows ? "rows of " : "")}{bytes} bytes")
                + $" for {type.Code()} {NpyShape.Format(shape.AsSpan())}");
        }

        if (type == NpyType.Boolean)
        {
            int strange = file.Span.IndexOfAnyExceptInRange((byte)0, (byte)1);
            if (strange >= 0)
            {
                throw new MalformedDataException(
                    strange,
                    "data",
                    string.Create(CultureInfo.InvariantCulture, $"a boolean of {file.Span[strange]}"),
                    "0 or 1");
            }
        }

        return new(type, anyRows ? shape.SetItem(0, (int)(file.Length / bytes)) : shape, file);
    }
}
