namespace Optc.Ops.Kernels;

/// <summary>What becomes of a finished tile of 32-bit sums.</summary>
internal unsafe interface ITileSink
{
    /// <param name="tile">Sums, row r at <c>tile + r * stride</c>.</param>
    /// <param name="firstRow">Row of the chunk that the tile starts with.</param>
    /// <param name="firstColumn">Column (output channel of the group) that the tile starts with.</param>
    /// <param name="columns">Valid columns; the lanes behind them mean nothing.</param>
    /// <param name="part">Which part of K the sums are of: a tile comes once for each part, in order.</param>
    void Store(int* tile, int stride, int firstRow, int rows, int firstColumn, int columns, KPart part);
}

/// <summary>Position of a part of K among all parts.</summary>
internal readonly record struct KPart(bool IsFirst, bool IsLast)
{
    public static KPart Whole => new(true, true);
}

/// <summary>Some words of K whose sum fits 32 bits: whole segments, or a stretch of one segment.</summary>
internal readonly record struct KBlock(int FirstSegment, int Segments, int FirstWord, int Words)
{
    /// <summary>
    /// Words of two products of 16 by 8 bits that a 32-bit sum holds: <c>255 * 2 * 2^15 * 2^7 &lt; 2^31</c>.
    /// </summary>
    public const int Words16By8 = 255;

    /// <summary>Cuts K into blocks of at most <paramref name="limit"/> words.</summary>
    public static KBlock[] Cut(int segments, int segmentWords, int limit)
    {
        List<KBlock> blocks = [];
        if (segmentWords <= limit)
        {
            int perBlock = limit / segmentWords;
            for (int first = 0; first < segments; first += perBlock)
            {
                blocks.Add(new(first, Math.Min(perBlock, segments - first), 0, segmentWords));
            }
        }
        else
        {
            for (int segment = 0; segment < segments; segment++)
            {
                for (int word = 0; word < segmentWords; word += limit)
                {
                    blocks.Add(new(segment, 1, word, Math.Min(limit, segmentWords - word)));
                }
            }
        }

        return [.. blocks];
    }
}

/// <summary>The loop over panels and rows of an integer product.</summary>
internal static unsafe class IntProduct
{
    /// <summary>All columns of some rows: panels outside, so that a panel stays in the first cache over the rows.</summary>
    /// <param name="job">A and its segments; the rest is filled in here.</param>
    /// <param name="bias">Start of each column, padded to whole tiles.</param>
    /// <param name="blocks">Parts of K, each finished on its own.</param>
    public static void Rows<TSink>(
        IntTiles tiles,
        IntTileJob job,
        nint* rowOffsets,
        int rows,
        PackedWords b,
        int* bias,
        ReadOnlySpan<KBlock> blocks,
        ref TSink sink)
        where TSink : struct, ITileSink
    {
        int* tile = stackalloc int[IntTiles.MaxTileRows * IntTiles.MaxTileColumns];
        int tileCount = (rows + tiles.MaxRows - 1) / tiles.MaxRows;
        byte* a = job.A;
        nint* segments = job.SegmentOffsets;
        int segmentWords = job.SegmentWords;
        job.PanelStride = b.PanelBytes;
        job.C = tile;
        for (int panel = 0; panel < b.PanelCount;)
        {
            int panels = Math.Min(tiles.MaxPanels(rows), b.PanelCount - panel);
            int firstColumn = panel * IntTiles.PanelWidth;
            int lanes = panels * IntTiles.PanelWidth;
            int columns = Math.Min(lanes, b.N - firstColumn);
            int* panelStart = b.Panel(panel);
            job.Bias = bias + firstColumn;
            job.CStride = lanes;
            int row = 0;
            for (int at = 0; at < tileCount; at++)
            {
                int height = (rows - row + tileCount - at - 1) / (tileCount - at);
                job.RowOffsets = rowOffsets + row;
                for (int part = 0; part < blocks.Length; part++)
                {
                    KBlock block = blocks[part];
                    job.A = a + ((nint)block.FirstWord * sizeof(int));
                    job.SegmentOffsets = segments + block.FirstSegment;
                    job.Segments = block.Segments;
                    job.SegmentWords = block.Words;
                    nint firstWord = ((nint)block.FirstSegment * segmentWords) + block.FirstWord;
                    job.B = panelStart + (firstWord * IntTiles.PanelWidth);
                    tiles.Run(&job, height, panels, rows);
                    KPart position = new(part == 0, part == blocks.Length - 1);
                    sink.Store(tile, lanes, row, height, firstColumn, columns, position);
                }

                row += height;
            }

            panel += panels;
        }
    }
}

/// <summary>Keeps the sums as they are.</summary>
internal unsafe struct AccumulatorSink(int* y, nint stride) : ITileSink
{
    public readonly void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns, KPart part)
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
    public readonly void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns, KPart part)
    {
        requantizer.ApplyTile(
            tile, tileStride, rows, columns, y + (firstRow * stride) + firstColumn, stride, firstChannel + firstColumn);
    }
}
