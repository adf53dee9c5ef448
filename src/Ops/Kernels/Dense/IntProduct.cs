namespace Optc.Ops.Kernels;

/// <summary>What becomes of a finished tile of 32-bit sums.</summary>
internal unsafe interface ITileSink
{
    /// <param name="tile">Sums, row r at <c>tile + r * stride</c>.</param>
    /// <param name="firstRow">Row of the chunk that the tile starts with.</param>
    /// <param name="firstColumn">Column (output channel of the group) that the tile starts with.</param>
    /// <param name="columns">Valid columns; the lanes behind them mean nothing.</param>
    void Store(int* tile, int stride, int firstRow, int rows, int firstColumn, int columns);
}

/// <summary>The loop over panels and rows of an integer product.</summary>
internal static unsafe class IntProduct
{
    /// <summary>All columns of some rows: panels outside, so that a panel stays in the first cache over the rows.</summary>
    /// <param name="job">A and its segments; the rest is filled in here.</param>
    /// <param name="bias">Start of each column, padded to whole tiles.</param>
    public static void Rows<TSink>(
        IntTiles tiles, IntTileJob job, nint* rowOffsets, int rows, PackedWords b, int* bias, ref TSink sink)
        where TSink : struct, ITileSink
    {
        int* tile = stackalloc int[IntTiles.MaxTileRows * IntTiles.MaxTileColumns];
        int tileCount = (rows + tiles.MaxRows - 1) / tiles.MaxRows;
        job.PanelStride = b.PanelBytes;
        job.C = tile;
        for (int panel = 0; panel < b.PanelCount;)
        {
            int panels = Math.Min(tiles.MaxPanels, b.PanelCount - panel);
            int firstColumn = panel * IntTiles.PanelWidth;
            int lanes = panels * IntTiles.PanelWidth;
            int columns = Math.Min(lanes, b.N - firstColumn);
            job.B = b.Panel(panel);
            job.Bias = bias + firstColumn;
            job.CStride = lanes;
            int row = 0;
            for (int at = 0; at < tileCount; at++)
            {
                int height = (rows - row + tileCount - at - 1) / (tileCount - at);
                job.RowOffsets = rowOffsets + row;
                tiles.Run(&job, height, panels);
                sink.Store(tile, lanes, row, height, firstColumn, columns);
                row += height;
            }

            panel += panels;
        }
    }
}

/// <summary>Keeps the sums as they are.</summary>
internal unsafe struct AccumulatorSink(int* y, nint stride) : ITileSink
{
    public readonly void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            new ReadOnlySpan<int>(tile + (row * tileStride), columns)
                .CopyTo(new Span<int>(y + ((firstRow + row) * stride) + firstColumn, columns));
        }
    }
}

/// <summary>Requantizes to int8.</summary>
/// <param name="y">First channel of the group at the first pixel of the chunk.</param>
/// <param name="firstChannel">Output channel that column 0 stands for.</param>
internal unsafe struct Int8Sink(sbyte* y, nint stride, Requantizer requantizer, int firstChannel) : ITileSink
{
    public readonly void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns)
    {
        requantizer.ApplyTile(
            tile, tileStride, rows, columns, y + (firstRow * stride) + firstColumn, stride, firstChannel + firstColumn);
    }
}
