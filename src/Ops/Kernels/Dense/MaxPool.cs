using System.Numerics;

namespace Optc.Ops.Kernels;

/// <summary>Maximum over a window; positions outside the image do not take part.</summary>
/// <remarks>Source: <c>reference/pooling.h</c>, <c>reference/integer_ops/pooling.h</c> of TFLite.</remarks>
public static class MaxPool
{
    /// <summary>Some output rows; others may be computed at the same time.</summary>
    /// <param name="firstRow">First of the <see cref="Pool2DGeometry.RowCount"/> rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="x">x <c>[N, H, W, C]</c>.</param>
    /// <param name="y">y <c>[N, OH, OW, C]</c>.</param>
    /// <param name="low">Lower limit of the activation; also the result of a window without taps.</param>
    /// <param name="high">Upper limit of the activation.</param>
    /// <remarks>A float NaN never wins, as in the reference.</remarks>
    /// <exception cref="ArgumentException">A buffer is too short or the rows do not exist.</exception>
    public static void Run<T>(
        Pool2DGeometry geometry, int firstRow, int rows, ReadOnlySpan<T> x, Span<T> y, T low, T high)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
        PoolRows.Run(geometry, firstRow, rows, x, y, new Fold<T>(low, high));

    private readonly unsafe struct Fold<T>(T low, T high) : IPoolFold<T>
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        void IPoolFold<T>.Fold(T* x, int rows, nint rowStride, int columns, nint columnStride, T* y, int channels)
        {
            int c = 0;
            if (Vector.IsHardwareAccelerated && channels >= Vector<T>.Count)
            {
                Vector<T> lows = new(low);
                Vector<T> highs = new(high);
                for (; c < channels; c += Vector<T>.Count)
                {
                    // The last vector may overlap the one before it; it computes the same again.
                    c = Math.Min(c, channels - Vector<T>.Count);
                    Vector<T> best = new(T.MinValue);
                    for (int row = 0; row < rows; row++)
                    {
                        T* p = x + (row * rowStride) + c;
                        for (int column = 0; column < columns; column++)
                        {
                            Vector<T> value = Vector.Load(p);
                            best = Vector.ConditionalSelect(Vector.GreaterThan(value, best), value, best);
                            p += columnStride;
                        }
                    }

                    Vector.MinNative(highs, Vector.MaxNative(lows, best)).Store(y + c);
                }

                return;
            }

            for (; c < channels; c++)
            {
                T best = T.MinValue;
                for (int row = 0; row < rows; row++)
                {
                    T* p = x + (row * rowStride) + c;
                    for (int column = 0; column < columns; column++)
                    {
                        best = *p > best ? *p : best;
                        p += columnStride;
                    }
                }

                best = best < low ? low : best;
                y[c] = best > high ? high : best;
            }
        }
    }
}
