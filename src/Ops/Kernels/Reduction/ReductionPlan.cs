using Optc.Ir;

namespace Optc.Ops.Kernels;

/// <summary>How a reduction walks a tensor: its dimensions merged into groups that are kept or reduced in turn.</summary>
/// <remarks>
/// Every output receives its elements in the order in which they lie in memory, as in the reference, whatever the axes.
/// A plan keeps the position of a walk, so it serves one kernel.
/// </remarks>
internal sealed class ReductionPlan
{
    // Groups from outermost to innermost, alternately kept and reduced; the innermost may be either.
    private readonly int[] sizes;
    private readonly int[] outputStrides;
    private readonly int[] counters;
    private readonly bool endsReduced;

    private ReductionPlan(int[] sizes, int[] outputStrides, bool endsReduced, int outputLength, int count)
    {
        this.sizes = sizes;
        this.outputStrides = outputStrides;
        this.endsReduced = endsReduced;
        counters = new int[sizes.Length];
        OutputLength = outputLength;
        Count = count;
    }

    /// <summary>Number of results.</summary>
    public int OutputLength { get; }

    /// <summary>Elements that make up one result.</summary>
    public int Count { get; }

    /// <param name="reduced">For each dimension, whether it is reduced; as long as the shape.</param>
    /// <exception cref="OverflowException">The tensor has more than <see cref="int.MaxValue"/> elements.</exception>
    public static ReductionPlan Create(Shape shape, ReadOnlySpan<bool> reduced)
    {
        List<int> sizes = [];
        List<bool> kinds = [];
        int outputLength = 1;
        int count = 1;
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            int size = shape[axis];
            (outputLength, count) = reduced[axis]
                ? (outputLength, checked(count * size))
                : (checked(outputLength * size), count);
            if (size == 1)
            {
                continue;
            }

            if (kinds.Count > 0 && kinds[^1] == reduced[axis])
            {
                sizes[^1] = checked(sizes[^1] * size);
            }
            else
            {
                sizes.Add(size);
                kinds.Add(reduced[axis]);
            }
        }

        if (sizes.Count == 0)
        {
            sizes.Add(1);
            kinds.Add(false);
        }

        _ = checked(outputLength * count);
        int[] strides = new int[sizes.Count];
        int stride = 1;
        for (int group = sizes.Count - 1; group >= 0; group--)
        {
            if (!kinds[group])
            {
                strides[group] = stride;
                stride *= sizes[group];
            }
        }

        return new([.. sizes], strides, kinds[^1], outputLength, count);
    }

    /// <summary>Reduces a tensor.</summary>
    /// <param name="x">All elements, row-major.</param>
    /// <param name="sums"><see cref="OutputLength"/> results; their content on entry does not matter.</param>
    public void Run<T, TSum, TReducer>(ReadOnlySpan<T> x, Span<TSum> sums, TReducer reducer)
        where TReducer : struct, IReducer<T, TSum>
    {
        sums = sums[..OutputLength];
        sums.Fill(reducer.Initial);
        (int block, int width, int outer) = Innermost();
        for (int start = 0, target = 0; start < x.Length && block > 0; start += block, target = Advance(target, outer))
        {
            ReadOnlySpan<T> values = x.Slice(start, block);
            if (endsReduced)
            {
                TSum sum = sums[target];
                foreach (T value in values)
                {
                    sum = reducer.Add(sum, value);
                }

                sums[target] = sum;
            }
            else
            {
                AddRows(values, sums.Slice(target, width), reducer);
            }
        }
    }

    /// <summary><see cref="Run"/> for float32, eight outputs at a time where they lie side by side.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    public void RunFloat<TReducer>(ReadOnlySpan<float> x, Span<float> sums, TReducer reducer)
        where TReducer : struct, IFloatReducer
    {
        (int block, int width, int outer) = Innermost();
        if (endsReduced || width < 8)
        {
            Run(x, sums, reducer);
            return;
        }

        sums = sums[..OutputLength];
        sums.Fill(reducer.Initial);
        for (int start = 0, target = 0; start < x.Length && block > 0; start += block, target = Advance(target, outer))
        {
            FloatColumns.Add(x.Slice(start, block), sums.Slice(target, width), reducer);
        }
    }

    private static void AddRows<T, TSum, TReducer>(ReadOnlySpan<T> values, Span<TSum> sums, TReducer reducer)
        where TReducer : struct, IReducer<T, TSum>
    {
        for (int row = 0; row < values.Length; row += sums.Length)
        {
            ReadOnlySpan<T> line = values.Slice(row, sums.Length);
            for (int i = 0; i < line.Length; i++)
            {
                sums[i] = reducer.Add(sums[i], line[i]);
            }
        }
    }

    /// <summary>Elements taken at once, outputs they go to, and groups that are left to count.</summary>
    private (int Block, int Width, int Outer) Innermost()
    {
        Array.Clear(counters);
        return endsReduced ? (sizes[^1], 1, sizes.Length - 1)
            : sizes.Length > 1 ? (sizes[^2] * sizes[^1], sizes[^1], sizes.Length - 2)
            : (sizes[^1], sizes[^1], 0);
    }

    private int Advance(int target, int outer)
    {
        for (int group = outer - 1; group >= 0; group--)
        {
            target += outputStrides[group];
            if (++counters[group] < sizes[group])
            {
                break;
            }

            counters[group] = 0;
            target -= outputStrides[group] * sizes[group];
        }

        return target;
    }
}
