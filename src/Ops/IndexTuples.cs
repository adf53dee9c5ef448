using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>Indices <c>[n.., k]</c>: each row of k numbers addresses the leading k dimensions of a tensor, hence one slice of it.</summary>
internal sealed class IndexTuples
{
    private readonly int[] _sizes;
    private readonly IndexReader _reader;

    /// <param name="addressed">Known shape of the tensor that is addressed.</param>
    /// <param name="indices">Type of the indices, known shape.</param>
    public IndexTuples(Shape addressed, TensorType indices)
    {
        int width = indices.Shape[-1];
        _sizes = [.. addressed.Dims[..width]];
        _reader = IndexReader.For(indices.DType);
        Count = (int)Dimensions.Outer(indices.Shape, indices.Shape.Rank - 1);
        SliceElements = (int)Dimensions.Inner(addressed, width);
    }

    /// <summary>Number of tuples.</summary>
    public int Count { get; }

    /// <summary>Elements of one addressed slice.</summary>
    public int SliceElements { get; }

    /// <exception cref="OpRuleException">Indices without a dimension for the tuple.</exception>
    public static void RequireRank(Shape indices)
    {
        if (indices is { HasRank: true, Rank: 0 })
        {
            throw new OpRuleException("indices have no dimension of tuples") { Found = indices.ToString(), Expected = "at least one dimension" };
        }
    }

    /// <summary>Dimensions of one addressed slice.</summary>
    /// <exception cref="OpRuleException">A tuple is longer than the tensor has dimensions.</exception>
    public static int[] SliceDims(Shape addressed, Shape indices) => indices[-1] <= addressed.Rank
        ? [.. addressed.Dims[indices[-1]..]]
        : throw new OpRuleException("index tuples are longer than the tensor has dimensions")
        {
            Found = $"{indices[-1]}",
            Expected = $"at most {addressed.Rank}",
        };

    /// <summary>Indices in a type that SCATTER_ND takes.</summary>
    public static Value Wide(GradientBuilder g, Value indices) =>
        indices.Type.DType is DType.I16 ? g.Add(new Cast(DType.I32), indices) : indices;

    /// <summary>A constant <c>[rows, 1]</c>: where each row of a matrix begins that is read as a vector.</summary>
    /// <param name="type">i32 or i64.</param>
    /// <param name="length">Elements of a row.</param>
    /// <exception cref="OpRuleException">A beginning does not fit 32 bits.</exception>
    public static Value RowStarts(GradientBuilder g, DType type, int rows, int length)
    {
        Dimensions.Size((long)rows * length);
        IEnumerable<int> starts = Enumerable.Range(0, rows).Select(row => row * length);
        return g.Constant(type is DType.I64
            ? TensorData.From<long>(type, Shape.Of([rows, 1]), [.. starts.Select(s => (long)s)])
            : TensorData.FromInts(Shape.Of([rows, 1]), [.. starts]));
    }

    /// <summary>Number of the slice that one tuple addresses, in row-major order.</summary>
    /// <exception cref="OpRuleException">An index is out of range.</exception>
    public int SliceAt(ReadOnlySpan<byte> indices, int tuple)
    {
        int slice = 0;
        for (int i = 0; i < _sizes.Length; i++)
        {
            long index = _reader.At(indices, (tuple * _sizes.Length) + i);
            if ((ulong)index >= (ulong)_sizes[i])
            {
                throw IndexReader.OutOfRange(index, _sizes[i]);
            }

            slice = (slice * _sizes[i]) + (int)index;
        }

        return slice;
    }
}
