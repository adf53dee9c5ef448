using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Optc.Formats.Npy;

/// <summary>
/// Brings the elements of a file into the order of <see cref="NpyArray"/>: little endian, last axis fastest.
/// </summary>
internal static class NpyLayout
{
    /// <summary>Reverses the bytes of every element, in place.</summary>
    public static void SwapBytes(Span<byte> data, int elementSize)
    {
        switch (elementSize)
        {
            case 1:
                break;
            case 2:
                Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(data);
                BinaryPrimitives.ReverseEndianness(halves, halves);
                break;
            case 4:
                Span<uint> words = MemoryMarshal.Cast<byte, uint>(data);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 8:
                Span<ulong> longs = MemoryMarshal.Cast<byte, ulong>(data);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>A copy in C order of elements stored in Fortran order (first axis fastest).</summary>
    public static byte[] FromFortranOrder(ReadOnlySpan<byte> data, ReadOnlySpan<int> shape, int elementSize)
    {
        byte[] result = new byte[data.Length];
        switch (elementSize)
        {
            case 1:
                Transpose<byte>(data, result, shape);
                break;
            case 2:
                Transpose<ushort>(data, result, shape);
                break;
            case 4:
                Transpose<uint>(data, result, shape);
                break;
            case 8:
                Transpose<ulong>(data, result, shape);
                break;
            default:
                throw new UnreachableException();
        }

        return result;
    }

    private static void Transpose<T>(ReadOnlySpan<byte> sourceBytes, Span<byte> targetBytes, ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(sourceBytes);
        Span<T> target = MemoryMarshal.Cast<byte, T>(targetBytes);
        if (source.IsEmpty || shape.IsEmpty)
        {
            source.CopyTo(target);
            return;
        }

        int last = shape.Length - 1;
        Span<int> strides = stackalloc int[shape.Length];
        int stride = 1;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            strides[axis] = stride;
            stride *= shape[axis];
        }

        Span<int> index = stackalloc int[shape.Length];
        index.Clear();
        int from = 0;
        for (int to = 0; to < target.Length; to += shape[last])
        {
            for (int i = 0; i < shape[last]; i++)
            {
                target[to + i] = source[from + (i * strides[last])];
            }

            for (int axis = last - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < shape[axis])
                {
                    break;
                }

                from -= index[axis] * strides[axis];
                index[axis] = 0;
            }
        }
    }
}
