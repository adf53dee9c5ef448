using System.Numerics;
using System.Numerics.Tensors;

namespace Optc.Ops.Kernels;

/// <summary>Gradients of 2-D pools, image by image; windows may overlap.</summary>
internal static unsafe class PoolGradient
{
    /// <summary>Adds to each position in a window its share of the window's gradient.</summary>
    /// <param name="image">0 &lt;= image &lt; N; other images may be computed at the same time.</param>
    /// <param name="dy">Gradient of the output <c>[N, OH, OW, C]</c>.</param>
    /// <param name="dx">Gradient of the input <c>[N, H, W, C]</c>; that of this image is written.</param>
    /// <param name="share">C values; content does not matter.</param>
    public static void Average(Pool2DGeometry geometry, int image, ReadOnlySpan<float> dy, Span<float> dx, Span<float> share)
    {
        (Window height, Window width, int channels) = (geometry.Height, geometry.Width, geometry.Channels);
        Span<float> target = Image(dx, image, height.Input * width.Input * channels);
        ReadOnlySpan<float> source = Image(dy, image, height.Output * width.Output * channels);
        target.Clear();
        share = share[..channels];
        for (int oh = 0; oh < height.Output; oh++)
        {
            (int firstRow, int endRow) = height.Taps(oh);
            for (int ow = 0; ow < width.Output; ow++)
            {
                (int firstColumn, int endColumn) = width.Taps(ow);
                TensorPrimitives.Divide(
                    source.Slice(((oh * width.Output) + ow) * channels, channels), (endRow - firstRow) * (endColumn - firstColumn), share);
                for (int kh = firstRow; kh < endRow; kh++)
                {
                    int row = (height.Start(oh) + kh) * width.Input;
                    for (int kw = firstColumn; kw < endColumn; kw++)
                    {
                        Span<float> pixel = target.Slice((row + width.Start(ow) + kw) * channels, channels);
                        TensorPrimitives.Add(pixel, share, pixel);
                    }
                }
            }
        }
    }

    /// <summary>Adds the gradient of each window to the first position that holds its maximum.</summary>
    /// <param name="image">0 &lt;= image &lt; N; other images may be computed at the same time.</param>
    /// <param name="x">Input <c>[N, H, W, C]</c>.</param>
    /// <param name="dy">Gradient of the output <c>[N, OH, OW, C]</c>.</param>
    /// <param name="dx">Gradient of the input <c>[N, H, W, C]</c>; that of this image is written.</param>
    public static void Maximum(Pool2DGeometry geometry, int image, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx)
    {
        (Window height, Window width, int channels) = (geometry.Height, geometry.Width, geometry.Channels);
        Span<float> target = Image(dx, image, height.Input * width.Input * channels);
        ReadOnlySpan<float> gradients = Image(dy, image, height.Output * width.Output * channels);
        target.Clear();
        fixed (float* input = Image(x, image, height.Input * width.Input * channels), gradient = gradients, result = target)
        {
            for (int oh = 0; oh < height.Output; oh++)
            {
                (int firstRow, int endRow) = height.Taps(oh);
                for (int ow = 0; ow < width.Output; ow++)
                {
                    (int firstColumn, int endColumn) = width.Taps(ow);
                    int first = (((height.Start(oh) + firstRow) * width.Input) + width.Start(ow) + firstColumn) * channels;
                    Scatter(
                        input + first,
                        endRow - firstRow,
                        width.Input * channels,
                        endColumn - firstColumn,
                        channels,
                        gradient + (((nint)oh * width.Output) + ow) * channels,
                        result + first);
                }
            }
        }
    }

    private static void Scatter(float* x, int rows, int rowStride, int columns, int channels, float* dy, float* dx)
    {
        if (rows == 0 || columns == 0)
        {
            return;
        }

        int* places = stackalloc int[Vector<float>.Count];
        int c = 0;
        for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
        {
            Vector<float> best = Vector.Load(x + c);
            Vector<int> place = Vector<int>.Zero;
            for (int row = 0; row < rows; row++)
            {
                int at = row * rowStride;
                for (int column = 0; column < columns; column++)
                {
                    Vector<float> value = Vector.Load(x + at + c);
                    Vector<int> larger = Vector.GreaterThan(value, best);
                    best = Vector.ConditionalSelect(larger, value, best);
                    place = Vector.ConditionalSelect(larger, new Vector<int>(at), place);
                    at += channels;
                }
            }

            place.Store(places);
            for (int lane = 0; lane < Vector<float>.Count; lane++)
            {
                dx[places[lane] + c + lane] += dy[c + lane];
            }
        }

        for (; c < channels; c++)
        {
            int place = 0;
            for (int row = 0; row < rows; row++)
            {
                int at = row * rowStride;
                for (int column = 0; column < columns; column++)
                {
                    place = x[at + c] > x[place + c] ? at : place;
                    at += channels;
                }
            }

            dx[place + c] += dy[c];
        }
    }

    private static ReadOnlySpan<float> Image(ReadOnlySpan<float> values, int image, int length) => values.Slice(image * length, length);

    private static Span<float> Image(Span<float> values, int image, int length) => values.Slice(image * length, length);
}
