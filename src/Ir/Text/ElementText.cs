using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Optc.Ir.Text;

/// <summary>The elements of a tensor as a list of numbers.</summary>
internal static class ElementText
{
    /// <summary>Number of elements that a buffer holds, or -1 for element types that have no text.</summary>
    public static int Count(DType dtype, Shape shape, SparseLayout? sparse, int bytes) => dtype switch
    {
        DType.I4 or DType.U4 => shape.IsKnown && sparse is null ? (int)shape.ElementCount : -1,
        DType.F32 or DType.F16 or DType.F64 or DType.Bool or DType.I8 or DType.U8 or DType.I16 or DType.U16
            or DType.I32 or DType.U32 or DType.I64 or DType.U64 => bytes / (dtype.BitWidth / 8),
        _ => -1,
    };

    /// <returns><see langword="null"/> when the list would not give the same bytes back: a NaN with a payload, a bool of 2.</returns>
    public static string? TryPrint(DType dtype, int count, ReadOnlySpan<byte> bytes)
    {
        List<string> items = new(count);
        for (int i = 0; i < count; i++)
        {
            items.Add(Print(dtype, bytes, i));
        }

        return TryParse(dtype, items) is { } back && back.AsSpan().SequenceEqual(bytes)
            ? $"[{string.Join(", ", items)}]"
            : null;
    }

    /// <summary>The bytes of printed elements, or <see langword="null"/> when one of them is no such element.</summary>
    public static byte[]? TryParse(DType dtype, IReadOnlyList<string> items)
    {
        switch (dtype)
        {
            case DType.F32: return Elements<float>(items);
            case DType.F16: return Elements<Half>(items);
            case DType.F64: return Elements<double>(items);
            case DType.I8: return Elements<sbyte>(items);
            case DType.U8: return Elements<byte>(items);
            case DType.I16: return Elements<short>(items);
            case DType.U16: return Elements<ushort>(items);
            case DType.I32: return Elements<int>(items);
            case DType.U32: return Elements<uint>(items);
            case DType.I64: return Elements<long>(items);
            case DType.U64: return Elements<ulong>(items);
            case DType.Bool: return items.All(i => i is "true" or "false") ? [.. items.Select(i => (byte)(i == "true" ? 1 : 0))] : null;
            case DType.I4: return Nibbles(items, -8, 7);
            case DType.U4: return Nibbles(items, 0, 15);
            default: return null;
        }
    }

    private static string Print(DType dtype, ReadOnlySpan<byte> bytes, int index)
    {
        IFormattable value = dtype switch
        {
            DType.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes[(index * 4)..]),
            DType.F16 => BinaryPrimitives.ReadHalfLittleEndian(bytes[(index * 2)..]),
            DType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes[(index * 8)..]),
            DType.I8 => (sbyte)bytes[index],
            DType.U8 or DType.Bool => bytes[index],
            DType.I16 => BinaryPrimitives.ReadInt16LittleEndian(bytes[(index * 2)..]),
            DType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[(index * 2)..]),
            DType.I32 => BinaryPrimitives.ReadInt32LittleEndian(bytes[(index * 4)..]),
            DType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(index * 4)..]),
            DType.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes[(index * 8)..]),
            DType.U64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes[(index * 8)..]),
            DType.U4 => (bytes[index / 2] >> (index % 2 * 4)) & 15,
            _ => (sbyte)(bytes[index / 2] << (4 - (index % 2 * 4))) >> 4,
        };
        return dtype is DType.Bool
            ? bytes[index] switch { 0 => "false", 1 => "true", _ => "?" }
            : value.ToString(dtype.IsFloat ? "R" : null, CultureInfo.InvariantCulture);
    }

    private static byte[]? Elements<T>(IReadOnlyList<string> items)
        where T : unmanaged, INumberBase<T>
    {
        NumberStyles styles = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half)
            ? NumberStyles.Float
            : NumberStyles.AllowLeadingSign;
        T[] values = new T[items.Count];
        for (int i = 0; i < values.Length; i++)
        {
            if (!T.TryParse(items[i], styles, CultureInfo.InvariantCulture, out values[i]))
            {
                return null;
            }
        }

        return MemoryMarshal.AsBytes<T>(values).ToArray();
    }

    private static byte[]? Nibbles(IReadOnlyList<string> items, int low, int high)
    {
        byte[] packed = new byte[(items.Count + 1) / 2];
        for (int i = 0; i < items.Count; i++)
        {
            if (!int.TryParse(items[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) || value < low || value > high)
            {
                return null;
            }

            packed[i / 2] |= (byte)((value & 15) << (i % 2 * 4));
        }

        return packed;
    }
}
