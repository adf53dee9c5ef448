namespace Optc.Ops.Kernels;

/// <summary>How a pool folds the taps of a window, for all channels of a pixel.</summary>
internal unsafe interface IPoolFold<T>
    where T : unmanaged
{
    /// <param name="x">First tap inside the image, channel 0.</param>
    /// <param name="rowStride">Elements from a tap to the one below.</param>
    /// <param name="columnStride">Elements from a tap to the one beside it.</param>
    /// <param name="y">Output pixel, channel 0.</param>
    void Fold(T* x, int rows, nint rowStride, int columns, nint columnStride, T* y, int channels);
}

/// <summary>Visits the windows of some output rows.</summary>
internal static unsafe class PoolRows
{
    public static void Run<T, TFold>(
        Pool2DGeometry geometry, int firstRow, int rows, ReadOnlySpan<T> x, Span<T> y, TFold fold)
        where T : unmanaged
        where TFold : struct, IPoolFold<T>
    {
        geometry.Require(x.Length, y.Length, firstRow, rows);
        (Window height, Window width) = (geometry.Height, geometry.Width);
        nint columnStride = geometry.Channels;
        nint rowStride = (nint)width.Input * columnStride;
        fixed (T* input = x, output = y)
        {
            T* to = output + ((nint)firstRow * width.Output * columnStride);
            for (int row = firstRow; row < firstRow + rows; row++)
            {
                int oy = row % height.Output;
                T* image = input + ((nint)(row / height.Output) * height.Input * rowStride);
                (int top, int bottom) = height.Taps(oy);
                T* inputRow = image + ((height.Start(oy) + (top * height.Dilation)) * rowStride);
                for (int ox = 0; ox < width.Output; ox++)
                {
                    (int left, int right) = width.Taps(ox);
                    fold.Fold(
                        inputRow + ((width.Start(ox) + (left * width.Dilation)) * columnStride),
                        bottom - top,
                        rowStride * height.Dilation,
                        right - left,
                        columnStride * width.Dilation,
                        to,
                        geometry.Channels);
                    to += columnStride;
                }
            }
        }
    }
}
