using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Where a right-hand matrix <c>B [K, N]</c> lies in the order the tiles read it: <c>[ceil(N / 16)][K][16]</c>.</summary>
/// <param name="start">64-byte aligned; the memory belongs to somebody else.</param>
/// <param name="k">Rows.</param>
/// <param name="n">Columns; the lanes beyond them are packed as zeros.</param>
internal readonly unsafe struct Panels(float* start, int k, int n)
{
    public int K => k;

    public int N => n;

    public int Count => CountFor(n);

    /// <summary>Bytes from a panel to the next.</summary>
    public nint Bytes => (nint)k * FloatTiles.PanelWidth * sizeof(float);

    /// <summary>Panels of a matrix of <paramref name="n"/> columns.</summary>
    public static int CountFor(int n) => (int)(((long)n + FloatTiles.PanelWidth - 1) / FloatTiles.PanelWidth);

    /// <summary>Elements of all panels.</summary>
    public static long LengthFor(int k, int n) => checked((long)CountFor(n) * k * FloatTiles.PanelWidth);

    public float* Panel(int panel) => start + ((nint)panel * k * FloatTiles.PanelWidth);

    /// <summary>Packs some rows; the others stay as they are.</summary>
    /// <param name="first">First row that is written.</param>
    /// <param name="rows">Rows that are written.</param>
    /// <param name="b">Element (first + i, j) is <c>b[i * rowStride + j * columnStride]</c>; the caller has checked its extent.</param>
    public void Pack(int first, int rows, float* b, nint rowStride, nint columnStride)
    {
        for (int panel = 0; panel < Count; panel++)
        {
            int column = panel * FloatTiles.PanelWidth;
            int columns = Math.Min(FloatTiles.PanelWidth, n - column);
            float* from = b + (column * columnStride);
            float* to = Panel(panel) + ((nint)first * FloatTiles.PanelWidth);
            if (columnStride == 1 && columns == FloatTiles.PanelWidth)
            {
                for (int row = 0; row < rows; row++)
                {
                    Vector256.Load(from).Store(to);
                    Vector256.Load(from + 8).Store(to + 8);
                    from += rowStride;
                    to += FloatTiles.PanelWidth;
                }

                continue;
            }

            if (rowStride == 1 && columns == FloatTiles.PanelWidth)
            {
                Transposition.Copy(from, columnStride, to, FloatTiles.PanelWidth, columns, rows);
                continue;
            }

            for (int row = 0; row < rows; row++)
            {
                int lane = 0;
                for (; lane < columns; lane++)
                {
                    to[lane] = from[lane * columnStride];
                }

                for (; lane < FloatTiles.PanelWidth; lane++)
                {
                    to[lane] = 0;
                }

                from += rowStride;
                to += FloatTiles.PanelWidth;
            }
        }
    }
}
