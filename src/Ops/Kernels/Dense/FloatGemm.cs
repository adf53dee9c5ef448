using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Float matrix product with a prepacked right-hand side.</summary>
/// <remarks>
/// Element by element the products are added in the order of k, fused, and the bias last; the result is the same on
/// every <see cref="SimdPath"/> and for every way to cut the rows.
/// </remarks>
public static unsafe class FloatGemm
{
    private const int RowsPerBlock = 96;

    /// <summary>
    /// <c>y [M, N] = clamp(a [M, K] * b [K, N] + bias [N])</c>, or <c>y += ...</c> with <paramref name="accumulate"/>.
    /// </summary>
    /// <param name="m">Rows; zero does nothing.</param>
    /// <param name="a">Element (m, k) is <c>a[m * aRowStride + k * aKStride]</c>; read in place, never packed.</param>
    /// <param name="aRowStride">Distance of rows, in elements; K for a dense A, 1 for a transposed one.</param>
    /// <param name="aKStride">Distance along k, in elements; 1 for a dense A.</param>
    /// <param name="b">Packed right-hand side.</param>
    /// <param name="bias">N values, or empty for none.</param>
    /// <param name="low">Lower limit of the activation; negative infinity for none. A NaN stays a NaN.</param>
    /// <param name="high">Upper limit of the activation; infinity for none.</param>
    /// <param name="y">Output, row m at <c>m * yRowStride</c>; must not overlap <paramref name="a"/>.</param>
    /// <param name="yRowStride">Distance of output rows, in elements, at least N.</param>
    /// <param name="accumulate">The sum starts from the value in <paramref name="y"/> instead of from zero.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">A buffer is too short or a stride is negative.</exception>
    public static void Multiply(
        int m,
        ReadOnlySpan<float> a,
        int aRowStride,
        int aKStride,
        PackedMatrix b,
        ReadOnlySpan<float> bias,
        float low,
        float high,
        Span<float> y,
        int yRowStride,
        bool accumulate = false,
        SimdPath? path = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        Extent.Require(a.Length, m, aRowStride, b.K, aKStride, nameof(a));
        Extent.Require(y.Length, m, yRowStride, b.N, 1, nameof(y));
        if (yRowStride < b.N)
        {
            throw new ArgumentOutOfRangeException(nameof(yRowStride), yRowStride, $"Below the {b.N} columns.");
        }

        if (!bias.IsEmpty)
        {
            Extent.Require(bias.Length, b.N, nameof(bias));
        }

        FloatTiles tiles = FloatTiles.For(SimdPaths.Resolve(path));
        fixed (float* aStart = a, yStart = y, biasStart = bias)
        {
            Product(tiles, m, aStart, aRowStride, aKStride, b.Panels, yStart, yRowStride, biasStart, low, high, accumulate);
        }

        GC.KeepAlive(b);
    }

    /// <summary>The same product; the caller has checked every extent.</summary>
    /// <param name="bias">N values or null.</param>
    internal static void Product(
        FloatTiles tiles,
        int m,
        float* a,
        nint aRowStride,
        nint aKStride,
        Panels b,
        float* y,
        nint yRowStride,
        float* bias = null,
        float low = float.NegativeInfinity,
        float high = float.PositiveInfinity,
        bool accumulate = false)
    {
        nint* rowOffsets = stackalloc nint[RowsPerBlock];
        nint segment = 0;
        for (int row = 0; row < Math.Min(m, RowsPerBlock); row++)
        {
            rowOffsets[row] = row * aRowStride * sizeof(float);
        }

        FloatTileJob job = new()
        {
            SegmentOffsets = &segment,
            Segments = 1,
            SegmentLength = b.K,
            KStride = aKStride * sizeof(float),
            Low = low,
            High = high,
            Accumulate = accumulate,
        };
        for (int first = 0; first < m; first += RowsPerBlock)
        {
            job.A = a + (first * aRowStride);
            Rows(tiles, ref job, rowOffsets, Math.Min(RowsPerBlock, m - first), b, bias, y + (first * yRowStride), yRowStride);
        }
    }

    /// <summary>All columns of some rows: panels outside, so that a panel stays in the first cache over the rows.</summary>
    /// <param name="job">A, segments, limits; the rest is filled in here.</param>
    /// <param name="rowOffsets">Byte offset of each row of A.</param>
    /// <param name="bias">N values or null.</param>
    internal static void Rows(
        FloatTiles tiles,
        ref FloatTileJob job,
        nint* rowOffsets,
        int rows,
        Panels b,
        float* bias,
        float* y,
        nint yRowStride)
    {
        float* biasLanes = stackalloc float[FloatTiles.MaxTileColumns];
        float* partial = stackalloc float[FloatTiles.MaxTileFloats];
        int tileCount = (rows + tiles.MaxRows - 1) / tiles.MaxRows;
        job.PanelStride = b.Bytes;
        for (int panel = 0; panel < b.Count;)
        {
            int panels = Math.Min(tiles.MaxPanels(rows), b.Count - panel);
            int firstColumn = panel * FloatTiles.PanelWidth;
            int lanes = panels * FloatTiles.PanelWidth;
            int columns = Math.Min(lanes, b.N - firstColumn);
            job.B = b.Panel(panel);
            if (bias != null && columns == lanes)
            {
                job.Bias = bias + firstColumn;
            }
            else
            {
                for (int lane = 0; lane < lanes; lane++)
                {
                    biasLanes[lane] = bias != null && lane < columns ? bias[firstColumn + lane] : 0;
                }

                job.Bias = biasLanes;
            }

            int row = 0;
            for (int tile = 0; tile < tileCount; tile++)
            {
                int height = (rows - row + tileCount - tile - 1) / (tileCount - tile);
                float* target = y + (row * yRowStride) + firstColumn;
                job.RowOffsets = rowOffsets + row;
                if (columns == lanes)
                {
                    job.C = target;
                    job.CStride = yRowStride;
                    Run(tiles, ref job, height, panels, rows);
                }
                else
                {
                    job.C = partial;
                    job.CStride = lanes;
                    if (job.Accumulate)
                    {
                        Copy(target, yRowStride, partial, lanes, height, columns);
                    }

                    Run(tiles, ref job, height, panels, rows);
                    Copy(partial, lanes, target, yRowStride, height, columns);
                }

                row += height;
            }

            panel += panels;
        }
    }

    private static void Run(FloatTiles tiles, ref FloatTileJob job, int rows, int panels, int rowsInAll)
    {
        fixed (FloatTileJob* pointer = &job)
        {
            tiles.Run(pointer, rows, panels, rowsInAll);
        }
    }

    private static void Copy(float* from, nint fromStride, float* to, nint toStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            int column = 0;
            for (; column <= columns - 4; column += 4)
            {
                Vector128.Load(from + column).Store(to + column);
            }

            for (; column < columns; column++)
            {
                to[column] = from[column];
            }

            from += fromStride;
            to += toStride;
        }
    }
}
