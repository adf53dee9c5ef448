using System.Numerics;

namespace Optc.Ops.Kernels;

/// <summary>Adds up the parts of a tile in 64 bits.</summary>
/// <param name="sums">Room for the largest tile.</param>
/// <param name="bias">Start of each output channel of the group.</param>
internal readonly unsafe struct LongTile(long* sums, long* bias)
{
    public const int Stride = IntTiles.MaxTileColumns;

    /// <summary>Longs that <c>sums</c> has.</summary>
    public const int Length = IntTiles.MaxTileRows * Stride;

    public long* Row(int row) => sums + (row * Stride);

    public void Add(int* tile, int stride, int rows, int firstColumn, int columns, bool isFirst)
    {
        for (int row = 0; row < rows; row++)
        {
            long* to = Row(row);
            long* start = isFirst ? bias + firstColumn : to;
            int column = 0;
            for (; column <= columns - Vector<int>.Count; column += Vector<int>.Count)
            {
                Vector.Widen(Vector.Load(tile + column), out Vector<long> low, out Vector<long> high);
                (Vector.Load(start + column) + low).Store(to + column);
                (Vector.Load(start + column + Vector<long>.Count) + high).Store(to + column + Vector<long>.Count);
            }

            for (; column < columns; column++)
            {
                to[column] = start[column] + tile[column];
            }

            tile += stride;
        }
    }
}

/// <summary>Keeps 64-bit sums as they are.</summary>
internal readonly unsafe struct LongAccumulatorSink(long* y, nint stride, LongTile sums) : ITileSink
{
    public void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns, KPart part)
    {
        sums.Add(tile, tileStride, rows, firstColumn, columns, part.IsFirst);
        if (!part.IsLast)
        {
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            new ReadOnlySpan<long>(sums.Row(row), columns)
                .CopyTo(new Span<long>(y + ((firstRow + row) * stride) + firstColumn, columns));
        }
    }
}

/// <summary>Requantizes to int16.</summary>
/// <param name="y">First channel of the group at the first pixel of the chunk.</param>
/// <param name="isNarrow">Whether sums wrap to 32 bits and take the 31-bit factor.</param>
/// <param name="firstChannel">Output channel that column 0 stands for.</param>
internal readonly unsafe struct Int16Sink(
    short* y, nint stride, Requantizer requantizer, bool isNarrow, int firstChannel, LongTile sums) : ITileSink
{
    public void Store(int* tile, int tileStride, int firstRow, int rows, int firstColumn, int columns, KPart part)
    {
        sums.Add(tile, tileStride, rows, firstColumn, columns, part.IsFirst);
        if (!part.IsLast)
        {
            return;
        }

        Span<int> narrow = stackalloc int[LongTile.Stride];
        for (int row = 0; row < rows; row++)
        {
            Span<short> to = new(y + ((firstRow + row) * stride) + firstColumn, columns);
            ReadOnlySpan<long> from = new(sums.Row(row), columns);
            if (!isNarrow)
            {
                requantizer.Apply(from, to, firstChannel + firstColumn);
                continue;
            }

            for (int column = 0; column < columns; column++)
            {
                narrow[column] = FixedPoint.WrapToInt32(from[column]);
            }

            requantizer.Apply(narrow[..columns], to, firstChannel + firstColumn);
        }
    }
}
