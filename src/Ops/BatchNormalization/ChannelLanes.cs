using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops;

/// <summary>
/// Loops of batch normalization over rows of channels. Several rows are taken as one wide row, so that any number of
/// channels fills whole vectors; what is kept for each channel is repeated along it.
/// </summary>
/// <remarks>
/// A wide row is a multiple of 16 floats, that is 2 vectors. What changes every element goes through memory in its order, which a
/// processor can follow ahead of time. What adds up goes down blocks of rows that fit the first-level cache, sums in registers; they are float32 within a block of at most 64 wide rows, of values
/// from which a number close to their mean was taken, and double precision beyond it.
/// </remarks>
internal static class ChannelLanes
{
    private const int Group = 16;
    private const int BlockElements = 4096;
    private const int MostBlockRows = 64;
    private const int LeastWidth = 64;
    private const int Ahead = 1024;

    /// <summary>Floats of a wide row, a multiple of the channels.</summary>
    public static int WidthOf(int channels)
    {
        int width = channels;
        while (width % Group != 0 || width < LeastWidth)
        {
            width *= 2;
        }

        return width;
    }

    /// <summary>Repeats the channels along a wide row.</summary>
    public static void Repeat(Span<float> wide, int channels)
    {
        for (int at = channels; at < wide.Length; at += channels)
        {
            wide[..channels].CopyTo(wide[at..]);
        }
    }

    /// <summary>Adds up a wide row of sums by channel.</summary>
    public static void Fold(ReadOnlySpan<double> wide, Span<double> sums)
    {
        sums.Clear();
        FoldInto(wide, sums);
    }

    /// <summary>Adds a wide row of sums to those of the channels.</summary>
    public static void FoldInto(ReadOnlySpan<double> wide, Span<double> sums)
    {
        for (int at = 0; at < wide.Length; at += sums.Length)
        {
            for (int c = 0; c < sums.Length; c++)
            {
                sums[c] += wide[at + c];
            }
        }
    }

    /// <summary>Sums of <c>x - pivot</c> and of its square.</summary>
    /// <param name="x">Rows of channels.</param>
    /// <param name="pivot">A wide row.</param>
    /// <param name="sums">A wide row of each; overwritten.</param>
    public static void Moments(ReadOnlySpan<float> x, ReadOnlySpan<float> pivot, Span<double> sums, Span<double> squares)
    {
        sums.Clear();
        squares.Clear();
        int width = pivot.Length;
        int block = BlockRows(width) * width;
        int whole = x.Length / width * width;
        ref float centre = ref MemoryMarshal.GetReference(pivot);
        for (int start = 0; start < whole; start += block)
        {
            ref float source = ref MemoryMarshal.GetReference(x[start..]);
            int length = Math.Min(block, whole - start);
            for (int c = 0; c < width; c += Group)
            {
                Vector256<float> pivot0 = Load(ref centre, c);
                Vector256<float> pivot1 = Load(ref centre, c + 8);
                Vector256<float> sum0 = Vector256<float>.Zero, sum1 = sum0, square0 = sum0, square1 = sum0;
                for (int at = c; at < length; at += width)
                {
                    Vector256<float> x0 = Load(ref source, at) - pivot0;
                    Vector256<float> x1 = Load(ref source, at + 8) - pivot1;
                    sum0 += x0;
                    sum1 += x1;
                    square0 += x0 * x0;
                    square1 += x1 * x1;
                }

                Add(sums, c, sum0, sum1);
                Add(squares, c, square0, square1);
            }
        }

        for (int at = whole; at < x.Length; at++)
        {
            double value = x[at] - pivot[at - whole];
            sums[at - whole] += value;
            squares[at - whole] += value * value;
        }
    }

    /// <summary><c>y = act(x * scale + shift)</c>.</summary>
    /// <param name="scale">A wide row, as is <paramref name="shift"/>.</param>
    public static void Apply<TActivation>(ReadOnlySpan<float> x, ReadOnlySpan<float> scale, ReadOnlySpan<float> shift, Span<float> y)
        where TActivation : struct, IActivationMask
    {
        int width = scale.Length;
        y = y[..x.Length];
        int whole = x.Length / width * width;
        ref float scales = ref MemoryMarshal.GetReference(scale);
        ref float shifts = ref MemoryMarshal.GetReference(shift);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(y);
        for (int row = 0; row < whole; row += width)
        {
            for (int c = 0; c < width; c += Group)
            {
                int at = row + c;
                Prefetch(ref source, at);
                TActivation.Invoke((Load(ref source, at) * Load(ref scales, c)) + Load(ref shifts, c)).StoreUnsafe(ref target, (nuint)at);
                TActivation.Invoke((Load(ref source, at + 8) * Load(ref scales, c + 8)) + Load(ref shifts, c + 8)).StoreUnsafe(ref target, (nuint)(at + 8));
            }
        }

        for (int at = whole; at < x.Length; at++)
        {
            y[at] = TActivation.Invoke(Vector256.Create((x[at] * scale[at - whole]) + shift[at - whole])).ToScalar();
        }
    }

    /// <summary>Sums of dz and of <c>dz (x - mean)</c>, where dz is dy as far as the activation lets it through.</summary>
    /// <param name="lines">Wide rows: scale, shift, mean.</param>
    /// <param name="sums">A wide row of each; overwritten.</param>
    public static void Products<TActivation>(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> lines, Span<double> sums, Span<double> alongs)
        where TActivation : struct, IActivationMask
    {
        sums.Clear();
        alongs.Clear();
        int width = sums.Length;
        x = x[..dy.Length];
        int block = BlockRows(width) * width;
        int whole = x.Length / width * width;
        ref float scales = ref MemoryMarshal.GetReference(lines);
        ref float shifts = ref MemoryMarshal.GetReference(lines[width..]);
        ref float means = ref MemoryMarshal.GetReference(lines[(2 * width)..]);
        for (int start = 0; start < whole; start += block)
        {
            ref float gradient = ref MemoryMarshal.GetReference(dy[start..]);
            ref float source = ref MemoryMarshal.GetReference(x[start..]);
            int length = Math.Min(block, whole - start);
            for (int c = 0; c < width; c += Group)
            {
                (Vector256<float> scale0, Vector256<float> scale1) = (Load(ref scales, c), Load(ref scales, c + 8));
                (Vector256<float> shift0, Vector256<float> shift1) = (Load(ref shifts, c), Load(ref shifts, c + 8));
                (Vector256<float> mean0, Vector256<float> mean1) = (Load(ref means, c), Load(ref means, c + 8));
                Vector256<float> sum0 = Vector256<float>.Zero, sum1 = sum0, along0 = sum0, along1 = sum0;
                for (int at = c; at < length; at += width)
                {
                    Vector256<float> x0 = Load(ref source, at);
                    Vector256<float> x1 = Load(ref source, at + 8);
                    Vector256<float> dz0 = TActivation.Pass((x0 * scale0) + shift0, Load(ref gradient, at));
                    Vector256<float> dz1 = TActivation.Pass((x1 * scale1) + shift1, Load(ref gradient, at + 8));
                    sum0 += dz0;
                    sum1 += dz1;
                    along0 += dz0 * (x0 - mean0);
                    along1 += dz1 * (x1 - mean1);
                }

                Add(sums, c, sum0, sum1);
                Add(alongs, c, along0, along1);
            }
        }

        for (int at = whole; at < x.Length; at++)
        {
            int c = at - whole;
            double dz = TActivation.Pass(Vector256.Create((x[at] * lines[c]) + lines[width + c]), Vector256.Create(dy[at])).ToScalar();
            sums[c] += dz;
            alongs[c] += dz * ((double)x[at] - lines[(2 * width) + c]);
        }
    }

    /// <summary><c>dx = scale dz + (slope x + constant)</c>, dz as in <see cref="Products"/>.</summary>
    /// <param name="lines">Wide rows: scale, shift, slope, constant.</param>
    /// <param name="width">Of a wide row.</param>
    public static void Gradient<TActivation>(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> lines, int width, Span<float> dx)
        where TActivation : struct, IActivationMask
    {
        x = x[..dy.Length];
        dx = dx[..dy.Length];
        int whole = x.Length / width * width;
        ref float scales = ref MemoryMarshal.GetReference(lines);
        ref float shifts = ref MemoryMarshal.GetReference(lines[width..]);
        ref float slopes = ref MemoryMarshal.GetReference(lines[(2 * width)..]);
        ref float constants = ref MemoryMarshal.GetReference(lines[(3 * width)..]);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(dx);
        for (int row = 0; row < whole; row += width)
        {
            for (int c = 0; c < width; c += 8)
            {
                int at = row + c;
                Vector256<float> scale = Load(ref scales, c);
                Vector256<float> x0 = Load(ref source, at);
                Vector256<float> dz = TActivation.Pass((x0 * scale) + Load(ref shifts, c), Load(ref gradient, at));
                ((scale * dz) + ((Load(ref slopes, c) * x0) + Load(ref constants, c))).StoreUnsafe(ref target, (nuint)at);
            }
        }

        for (int at = whole; at < x.Length; at++)
        {
            int c = at - whole;
            float dz = TActivation.Pass(Vector256.Create((x[at] * lines[c]) + lines[width + c]), Vector256.Create(dy[at])).ToScalar();
            dx[at] = (lines[c] * dz) + ((lines[(2 * width) + c] * x[at]) + lines[(3 * width) + c]);
        }
    }

    /// <summary><c>result = dy + (slope y + constant)</c>.</summary>
    /// <param name="slope">A wide row, as is <paramref name="constant"/>.</param>
    public static void AddLine(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> y, ReadOnlySpan<float> slope, ReadOnlySpan<float> constant, Span<float> result)
    {
        y = y[..dy.Length];
        result = result[..dy.Length];
        int width = slope.Length;
        int whole = dy.Length / width * width;
        ref float slopes = ref MemoryMarshal.GetReference(slope);
        ref float constants = ref MemoryMarshal.GetReference(constant);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float source = ref MemoryMarshal.GetReference(y);
        ref float target = ref MemoryMarshal.GetReference(result);
        for (int row = 0; row < whole; row += width)
        {
            for (int c = 0; c < width; c += Group)
            {
                int at = row + c;
                Prefetch(ref gradient, at);
                Prefetch(ref source, at);
                (Load(ref gradient, at) + ((Load(ref slopes, c) * Load(ref source, at)) + Load(ref constants, c))).StoreUnsafe(ref target, (nuint)at);
                (Load(ref gradient, at + 8) + ((Load(ref slopes, c + 8) * Load(ref source, at + 8)) + Load(ref constants, c + 8))).StoreUnsafe(ref target, (nuint)(at + 8));
            }
        }

        for (int at = whole; at < dy.Length; at++)
        {
            result[at] = dy[at] + ((slope[at - whole] * y[at]) + constant[at - whole]);
        }
    }

    /// <summary>Sums as in <see cref="Products"/>, and the gradient through scale and activation, <c>scale dz</c>.</summary>
    /// <param name="dy">Rows of channels; the memory of <paramref name="dx"/> or other memory.</param>
    /// <param name="lines">Wide rows: scale, shift, mean.</param>
    /// <param name="sums">A wide row of each; overwritten.</param>
    public static void Through<TActivation>(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> lines, Span<double> sums, Span<double> alongs, Span<float> dx)
        where TActivation : struct, IActivationMask
    {
        sums.Clear();
        alongs.Clear();
        int width = sums.Length;
        x = x[..dy.Length];
        dx = dx[..dy.Length];
        int block = BlockRows(width) * width;
        int whole = x.Length / width * width;
        ref float scales = ref MemoryMarshal.GetReference(lines);
        ref float shifts = ref MemoryMarshal.GetReference(lines[width..]);
        ref float means = ref MemoryMarshal.GetReference(lines[(2 * width)..]);
        for (int start = 0; start < whole; start += block)
        {
            ref float gradient = ref MemoryMarshal.GetReference(dy[start..]);
            ref float source = ref MemoryMarshal.GetReference(x[start..]);
            ref float target = ref MemoryMarshal.GetReference(dx[start..]);
            int length = Math.Min(block, whole - start);
            for (int c = 0; c < width; c += Group)
            {
                (Vector256<float> scale0, Vector256<float> scale1) = (Load(ref scales, c), Load(ref scales, c + 8));
                (Vector256<float> shift0, Vector256<float> shift1) = (Load(ref shifts, c), Load(ref shifts, c + 8));
                (Vector256<float> mean0, Vector256<float> mean1) = (Load(ref means, c), Load(ref means, c + 8));
                Vector256<float> sum0 = Vector256<float>.Zero, sum1 = sum0, along0 = sum0, along1 = sum0;
                for (int at = c; at < length; at += width)
                {
                    Vector256<float> x0 = Load(ref source, at);
                    Vector256<float> x1 = Load(ref source, at + 8);
                    Vector256<float> dz0 = TActivation.Pass((x0 * scale0) + shift0, Load(ref gradient, at));
                    Vector256<float> dz1 = TActivation.Pass((x1 * scale1) + shift1, Load(ref gradient, at + 8));
                    sum0 += dz0;
                    sum1 += dz1;
                    along0 += dz0 * (x0 - mean0);
                    along1 += dz1 * (x1 - mean1);
                    (dz0 * scale0).StoreUnsafe(ref target, (nuint)at);
                    (dz1 * scale1).StoreUnsafe(ref target, (nuint)(at + 8));
                }

                Add(sums, c, sum0, sum1);
                Add(alongs, c, along0, along1);
            }
        }

        for (int at = whole; at < x.Length; at++)
        {
            int c = at - whole;
            float dz = TActivation.Pass(Vector256.Create((x[at] * lines[c]) + lines[width + c]), Vector256.Create(dy[at])).ToScalar();
            sums[c] += dz;
            alongs[c] += (double)dz * ((double)x[at] - lines[(2 * width) + c]);
            dx[at] = dz * lines[c];
        }
    }

    /// <summary>Asks for what a pass in order of memory reads some rows later.</summary>
    private static unsafe void Prefetch(ref float source, int index)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0((float*)Unsafe.AsPointer(ref source) + index + Ahead);
        }
    }

    private static int BlockRows(int width) => Math.Clamp(BlockElements / width, 1, MostBlockRows);

    private static Vector256<float> Load(ref float source, int index) => Vector256.LoadUnsafe(ref source, (nuint)index);

    private static void Add(Span<double> sums, int at, Vector256<float> first, Vector256<float> second)
    {
        ref double target = ref MemoryMarshal.GetReference(sums.Slice(at, Group));
        (Vector256<double> low, Vector256<double> high) = Vector256.Widen(first);
        (low + Vector256.LoadUnsafe(ref target, 0)).StoreUnsafe(ref target, 0);
        (high + Vector256.LoadUnsafe(ref target, 4)).StoreUnsafe(ref target, 4);
        (low, high) = Vector256.Widen(second);
        (low + Vector256.LoadUnsafe(ref target, 8)).StoreUnsafe(ref target, 8);
        (high + Vector256.LoadUnsafe(ref target, 12)).StoreUnsafe(ref target, 12);
    }
}
