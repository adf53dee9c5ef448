using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops;

/// <summary>Checked arithmetic of axes and sizes for shape rules, where any number may come from a hostile file.</summary>
internal static class Dimensions
{
    /// <summary>Elements that a shape may have: bytes of any element type then fit 63 bits.</summary>
    public const long MostElements = 1L << 48;

    /// <summary>Results that one operator may have.</summary>
    public const int MostResults = 1 << 16;

    /// <summary>An axis of a tensor, counted from the start; negative ones count from the end.</summary>
    /// <exception cref="OpRuleException">There is no such axis.</exception>
    public static int Axis(int axis, int rank) => axis >= -rank && axis < rank
        ? axis < 0 ? axis + rank : axis
        : throw new OpRuleException("an axis does not exist") { Found = $"axis {axis} of {rank} dimensions", Expected = $"{-rank} to {rank - 1}" };

    /// <summary>A size computed in 64 bits.</summary>
    /// <exception cref="OpRuleException">Negative, or beyond 31 bits.</exception>
    public static int Size(long size) => size is >= 0 and <= int.MaxValue
        ? (int)size
        : throw new OpRuleException("a dimension is out of range") { Found = $"{size}", Expected = $"0 to {int.MaxValue}" };

    /// <summary>A shape with dimensions from 0, or -1 where unknown, whose number of elements is in range.</summary>
    /// <exception cref="OpRuleException">A dimension is less than -1, or there are too many elements.</exception>
    public static Shape Checked(ReadOnlySpan<int> dims)
    {
        foreach (int dim in dims)
        {
            if (dim < -1)
            {
                throw new OpRuleException("a dimension is negative") { Found = Shape.Create(dims).ToString() };
            }
        }

        if (Extent(dims) > MostElements)
        {
            throw new OpRuleException("a shape has more elements than can be addressed") { Found = Shape.Create(dims).ToString() };
        }

        return Shape.Create(dims);
    }

    /// <summary>
    /// Product of the dimensions, those of 0 or unknown size counted as 1, so that partial products are bounded by it
    /// too; any number beyond <see cref="MostElements"/> stands for all larger ones.
    /// </summary>
    public static long Extent(ReadOnlySpan<int> dims)
    {
        long count = 1;
        foreach (int dim in dims)
        {
            long size = Math.Max(1, dim);
            if (count > MostElements / size)
            {
                return MostElements + 1;
            }

            count *= size;
        }

        return count;
    }

    /// <summary>A shape of which only the rank is known.</summary>
    public static Shape Unknown(int rank)
    {
        int[] dims = new int[rank];
        Array.Fill(dims, -1);
        return Shape.Create(dims);
    }

    /// <summary>Number of slices in front of an axis: product of the dimensions before it, of a known shape.</summary>
    public static long Outer(Shape shape, int axis)
    {
        long count = 1;
        for (int i = 0; i < axis; i++)
        {
            count = checked(count * shape.Dims[i]);
        }

        return count;
    }

    /// <summary>Elements of one slice: product of the dimensions from an axis on, of a known shape.</summary>
    public static long Inner(Shape shape, int axis)
    {
        long count = 1;
        for (int i = axis; i < shape.Rank; i++)
        {
            count = checked(count * shape.Dims[i]);
        }

        return count;
    }

    /// <summary>What is known of a dimension that two sources describe.</summary>
    /// <exception cref="OpRuleException">They contradict each other.</exception>
    public static int Agree(int a, int b, string what)
    {
        if (a >= 0 && b >= 0 && a != b)
        {
            throw new OpRuleException($"{what} differ") { Found = $"{a} and {b}" };
        }

        return Math.Max(a, b);
    }

    /// <summary>What is known of a shape that two sources describe.</summary>
    /// <exception cref="OpRuleException">They contradict each other.</exception>
    public static Shape Agree(Shape a, Shape b, string what)
    {
        if (!a.HasRank || !b.HasRank)
        {
            return a.HasRank ? a : b;
        }

        if (a.Rank != b.Rank)
        {
            throw new OpRuleException($"{what} have different ranks") { Found = $"{a} and {b}" };
        }

        int[] dims = new int[a.Rank];
        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = Agree(a[i], b[i], $"dimensions of {what}");
        }

        return Shape.Create(dims);
    }

    extension(OpOperands operands)
    {
        /// <summary>An operand that holds indices or sizes: its integers, or null when it is computed.</summary>
        /// <param name="count">How many there must be; -1 for any number.</param>
        /// <exception cref="OpRuleException">Another element type or number of elements.</exception>
        public int[]? Sizes(int index, int count = -1)
        {
            Shape shape = operands.Require(index, DType.I32, DType.I64).Shape;
            bool wrong = shape.IsKnown && count >= 0 && (shape.Dims.Contains(0) ? 0 : Extent(shape.Dims.AsSpan())) != count;
            if (operands.Ints(index) is { } values)
            {
                wrong |= count >= 0 && values.Length != count;
                if (!wrong)
                {
                    return values;
                }
            }

            return wrong
                ? throw new OpRuleException($"operand {index} has the wrong number of elements") { Found = shape.ToString(), Expected = $"{count} elements" }
                : null;
        }

        /// <summary>An operand that holds one index or size, or null when it is computed.</summary>
        public int? OneSize(int index) => operands.Sizes(index, 1)?[0];

        /// <summary>Length of a one-dimensional operand, -1 when it is not known.</summary>
        /// <exception cref="OpRuleException">Another rank.</exception>
        public int Length(int index) => operands.RequireRank(index, 1).Shape is { HasRank: true } shape ? shape[0] : -1;

        /// <summary>The first operands, which must all have one element type: that type.</summary>
        public DType RequireSameType(int first, int count)
        {
            DType type = operands[first].DType;
            for (int i = first + 1; i < first + count; i++)
            {
                if (operands[i].DType != type)
                {
                    throw new OpRuleException("operands have different element types")
                    {
                        Found = $"{operands[i].DType.Name} for operand {i}",
                        Expected = type.Name,
                    };
                }
            }

            return type;
        }
    }

    extension(TensorType type)
    {
        /// <summary>The same element type under another shape, without quantization.</summary>
        public TensorType Shaped(ReadOnlySpan<int> dims) => new(type.DType, Checked(dims));

        /// <summary>The same element type, shape not known.</summary>
        public TensorType Unranked() => new(type.DType, Shape.Unranked);
    }

    /// <summary>A type once for each of several results.</summary>
    /// <exception cref="OpRuleException">There would be none, or too many.</exception>
    public static ImmutableArray<TensorType> Repeat(TensorType type, int count)
    {
        RequireResults(count);
        return [.. Enumerable.Repeat(type, count)];
    }

    public static void RequireResults(int count)
    {
        if (count is < 1 or > MostResults)
        {
            throw new OpRuleException("the number of results is out of range") { Found = $"{count}", Expected = $"1 to {MostResults}" };
        }
    }
}
