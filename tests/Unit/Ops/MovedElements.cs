using System.Runtime.InteropServices;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Ops;

/// <summary>What ops that move elements must give, said index by index.</summary>
internal static class MovedElements
{
    /// <summary>Elements whose bytes tell where they come from, of any width.</summary>
    public static byte[] Numbered(DType type, Shape shape, int from = 1)
    {
        int size = type.BitWidth / 8;
        byte[] bytes = new byte[shape.ElementCount * size];
        for (int i = 0; i < shape.ElementCount; i++)
        {
            BitConverter.GetBytes((long)(i + from) * 0x01030507).AsSpan(0, Math.Min(8, size)).CopyTo(bytes.AsSpan(i * size));
        }

        return bytes;
    }

    /// <summary>For each index of the result the element of the source that <paramref name="origin"/> names, or a fill.</summary>
    public static byte[] Expected(byte[] source, int size, Shape x, Shape y, Func<int[], int[]?> origin, byte[]? fill = null)
    {
        byte[] result = new byte[y.ElementCount * size];
        for (int i = 0; i < y.ElementCount; i++)
        {
            int[] index = new int[y.Rank];
            int rest = i;
            for (int d = y.Rank - 1; d >= 0; d--)
            {
                (rest, index[d]) = (rest / y[d], rest % y[d]);
            }

            ReadOnlySpan<byte> element = fill;
            if (origin(index) is { } from)
            {
                int position = 0;
                for (int d = 0; d < x.Rank; d++)
                {
                    Assert.InRange(from[d], 0, x[d] - 1);
                    position = (position * x[d]) + from[d];
                }

                element = source.AsSpan(position * size, size);
            }

            element.CopyTo(result.AsSpan(i * size));
        }

        return result;
    }

    /// <summary>A shape of the given rank with small random dimensions.</summary>
    public static Shape RandomShape(Random random, int rank, int least = 1, int most = 6)
    {
        int[] dims = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            dims[i] = random.Next(least, most + 1);
        }

        return Shape.Create(dims);
    }

    /// <summary>An element type of each width, and the quantized ones.</summary>
    public static DType RandomType(Random random) => random.GetItems(
        [DType.F32, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64, DType.Bool, DType.F16, DType.U32, DType.C128], 1)[0];

    public static byte[] Bytes<T>(params ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();
}
