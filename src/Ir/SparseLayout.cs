using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>One level of a sparse layout: all indices (dense), or those listed (compressed sparse row).</summary>
/// <param name="DenseSize">Number of indices of a dense level; 0 for a compressed one.</param>
/// <param name="Segments">Compressed: children of parent position p are <c>Indices[Segments[p] .. Segments[p + 1]]</c>.</param>
/// <param name="Indices">Compressed: the index of every stored child.</param>
public sealed record SparseLevel(int DenseSize, ImmutableArray<int> Segments, ImmutableArray<int> Indices)
{
    public bool IsDense => Segments.IsDefaultOrEmpty;
}

/// <summary>
/// Spread of stored elements over a dense shape, in the level format of the tensor algebra compiler: original
/// dimensions in a chosen order, then the dimensions of a block.
/// </summary>
/// <param name="TraversalOrder">Permutation of the n dimensions, then of the k block dimensions n..n+k-1.</param>
/// <param name="BlockMap">For each block dimension the original dimension it subdivides.</param>
/// <param name="Levels">One level for each entry of <paramref name="TraversalOrder"/>.</param>
/// <remarks>Source: the <c>SparsityParameters</c> table of the TFLite schema; Kjolstad et al., OOPSLA 2017.</remarks>
public sealed record SparseLayout(ImmutableArray<int> TraversalOrder, ImmutableArray<int> BlockMap, ImmutableArray<SparseLevel> Levels)
{
    private const int MaximumLevels = 32;

    /// <summary>Writes the stored elements to their dense places.</summary>
    /// <exception cref="OpRuleException">The layout does not fit the shape, or addresses more elements than are stored.</exception>
    public byte[] Expand(DType dtype, Shape shape, ReadOnlySpan<byte> stored)
    {
        int rank = shape.Rank;
        if (Levels.Length > MaximumLevels || dtype.BitWidth is 0 or < 8 || TraversalOrder.Length != Levels.Length || TraversalOrder.Length != rank + BlockMap.Length
            || !TraversalOrder.Order().SequenceEqual(Enumerable.Range(0, TraversalOrder.Length))
            || BlockMap.Any(d => d < 0 || d >= rank))
        {
            throw Broken("the sparse layout does not fit the tensor");
        }

        int[] blockSize = new int[rank];
        Array.Fill(blockSize, 1);
        for (int level = 0; level < Levels.Length; level++)
        {
            int dimension = TraversalOrder[level];
            if (dimension >= rank)
            {
                blockSize[BlockMap[dimension - rank]] = Levels[level].IsDense && Levels[level].DenseSize > 0
                    ? Levels[level].DenseSize
                    : throw Broken("a block dimension is not dense");
            }
        }

        Expansion expansion = new(this, shape, dtype.BitWidth / 8, blockSize, new byte[checked((int)dtype.ByteCount(shape.ElementCount))]);
        expansion.Visit(level: 0, position: 0, stored);
        return expansion.Dense;
    }

    private static OpRuleException Broken(string message) => new(message) { Expected = "levels, order and block map as the format describes them" };

    private sealed class Expansion(SparseLayout layout, Shape shape, int size, int[] blockSize, byte[] dense)
    {
        private readonly int[] _index = new int[shape.Rank + layout.BlockMap.Length];

        public byte[] Dense => dense;

        public void Visit(int level, long position, ReadOnlySpan<byte> stored)
        {
            if (level == layout.Levels.Length)
            {
                Store(position, stored);
                return;
            }

            SparseLevel current = layout.Levels[level];
            int dimension = layout.TraversalOrder[level];
            if (current.IsDense)
            {
                for (int i = 0; i < current.DenseSize; i++)
                {
                    _index[dimension] = i;
                    Visit(level + 1, checked((position * current.DenseSize) + i), stored);
                }

                return;
            }

            if (position + 1 >= current.Segments.Length)
            {
                throw Broken("a sparse level has too few segments");
            }

            int end = current.Segments[(int)position + 1];
            for (int j = current.Segments[(int)position]; j < end; j++)
            {
                if ((uint)j >= (uint)current.Indices.Length)
                {
                    throw Broken("a sparse segment points behind the indices");
                }

                _index[dimension] = current.Indices[j];
                Visit(level + 1, j, stored);
            }
        }

        private void Store(long position, ReadOnlySpan<byte> stored)
        {
            long offset = 0;
            for (int d = 0; d < shape.Rank; d++)
            {
                long index = (long)_index[d] * blockSize[d];
                for (int b = 0; b < layout.BlockMap.Length; b++)
                {
                    index += layout.BlockMap[b] == d ? _index[shape.Rank + b] : 0;
                }

                if (index < 0 || index >= shape[d])
                {
                    throw Broken("a sparse index lies outside the dense shape");
                }

                offset = (offset * shape[d]) + index;
            }

            if (position < 0 || (position + 1) * size > stored.Length)
            {
                throw Broken("the sparse layout addresses more elements than are stored");
            }

            stored.Slice((int)(position * size), size).CopyTo(dense.AsSpan((int)(offset * size), size));
        }
    }
}
