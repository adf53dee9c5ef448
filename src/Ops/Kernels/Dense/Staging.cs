using System.Numerics;
using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>How elements change on their way into the scratch of a convolution.</summary>
internal unsafe interface IStagingCopy<TFrom, TTo>
    where TFrom : unmanaged
    where TTo : unmanaged
{
    /// <param name="count">Elements written; fewer are read when the copy repeats them.</param>
    void Copy(TFrom* from, TTo* to, int count);
}

/// <summary>Copies as it is.</summary>
internal readonly unsafe struct PlainCopy<T> : IStagingCopy<T, T>
    where T : unmanaged
{
    public void Copy(T* from, T* to, int count) =>
        Unsafe.CopyBlockUnaligned(to, from, (uint)(count * sizeof(T)));
}

/// <summary>Adds 128, so that a signed byte becomes an unsigned one: the sign bit flipped.</summary>
internal readonly unsafe struct UnsignedCopy : IStagingCopy<sbyte, byte>
{
    public void Copy(sbyte* from, byte* to, int count)
    {
        int i = 0;
        Vector<byte> flip = new(0x80);
        for (; i <= count - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            (Unsafe.ReadUnaligned<Vector<byte>>(from + i) ^ flip).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (byte)(from[i] ^ 0x80);
        }
    }
}

/// <summary>Widens signed bytes to 16 bits.</summary>
internal readonly unsafe struct WideningCopy : IStagingCopy<sbyte, short>
{
    public void Copy(sbyte* from, short* to, int count)
    {
        int i = 0;
        for (; i <= count - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
        {
            Vector.Widen(Unsafe.ReadUnaligned<Vector<sbyte>>(from + i), out Vector<short> low, out Vector<short> high);
            low.Store(to + i);
            high.Store(to + i + Vector<short>.Count);
        }

        for (; i < count; i++)
        {
            to[i] = from[i];
        }
    }
}

/// <summary>Copies the input rows of a chunk into scratch, with their padding.</summary>
internal static unsafe class Staging
{
    /// <param name="fill">Value of the padding, as the kernel reads it.</param>
    /// <param name="repeat">Elements written for one that is read; the plan counts the channels that are written.</param>
    public static void Run<TFrom, TTo, TCopy>(
        ConvolutionPlan plan, ConvolutionChunk chunk, TFrom* input, TTo* to, TTo fill, TCopy copy, int repeat = 1)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TCopy : struct, IStagingCopy<TFrom, TTo>
    {
        Conv2DGeometry geometry = plan.Geometry;
        int channels = geometry.InputChannels;
        int bufferRow = plan.BufferWidth * channels;
        int inputChannels = channels / repeat;
        int inputRow = geometry.Width.Input * inputChannels;

        // Columns of the buffer that lie inside the input: [left, right).
        int start = geometry.Width.Start(0);
        int left = Math.Clamp(-start, 0, plan.BufferWidth);
        int right = Math.Clamp(geometry.Width.Input - start, left, plan.BufferWidth);
        int firstCopied = Math.Max(start, 0) * inputChannels;
        TFrom* image = input + ((nint)chunk.Image * geometry.Height.Input * inputRow);

        int top = Math.Clamp(-chunk.FirstInputRow, 0, chunk.InputRows);
        int bottom = Math.Clamp(geometry.Height.Input - chunk.FirstInputRow, top, chunk.InputRows);
        Fill(to, (nint)top * bufferRow, fill);
        to += (nint)top * bufferRow;
        TFrom* from = image + ((nint)(chunk.FirstInputRow + top) * inputRow) + firstCopied;
        if (plan.BufferWidth == geometry.Width.Input && left == 0 && right == plan.BufferWidth)
        {
            copy.Copy(from, to, (bottom - top) * bufferRow);
            to += (nint)(bottom - top) * bufferRow;
        }
        else
        {
            for (int row = top; row < bottom; row++)
            {
                Fill(to, left * channels, fill);
                copy.Copy(from, to + (left * channels), (right - left) * channels);
                Fill(to + (right * channels), (plan.BufferWidth - right) * channels, fill);
                from += inputRow;
                to += bufferRow;
            }
        }

        Fill(to, (nint)(chunk.InputRows - bottom) * bufferRow, fill);
    }

    private static void Fill<T>(T* to, nint count, T value)
        where T : unmanaged => new Span<T>(to, checked((int)count)).Fill(value);
}
