using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// How an element-wise operator walks two or three operands whose shapes are aligned at the right and in which a
/// dimension of 1 repeats.
/// </summary>
/// <remarks>
/// <para>Neighbouring dimensions that all operands walk alike are merged, so equal shapes and scalar operands are one
/// single run, and a bias <c>[C]</c> added to <c>[N, H, W, C]</c> is a run of C for each of the N*H*W positions.</para>
/// <para>A plan is made once for the shapes and may be used by several threads.</para>
/// <para>Source: NumPy's broadcasting rule, as in TFLite's <c>BroadcastBinaryFunction4DSlow</c>, up to
/// <see cref="MaximumRank"/> dimensions.</para>
/// </remarks>
public sealed class BroadcastPlan
{
    public const int MaximumRank = 8;

    private const int Operands = 3;

    // Merged dimensions, innermost first; strides[operand * MaximumRank + d] in elements.
    private readonly int[] extents;
    private readonly int[] strides;

    private BroadcastPlan(ImmutableArray<int> outputShape, int length, int[] extents, int[] strides)
    {
        OutputShape = outputShape;
        Length = length;
        this.extents = extents;
        this.strides = strides;
    }

    /// <summary>Shape of the result: in each dimension the size that is not 1.</summary>
    public ImmutableArray<int> OutputShape { get; }

    /// <summary>Number of elements of the result.</summary>
    public int Length { get; }

    /// <summary>Elements per run: the extent of the innermost merged dimension.</summary>
    public int RunLength => extents[0];

    /// <summary>Number of runs; 1 for equal shapes and for scalar operands, 0 for an empty result.</summary>
    public int RunCount => Length == 0 ? 0 : Length / RunLength;

    /// <summary>Plans two operands.</summary>
    /// <returns>False when the shapes do not fit each other or have more than <see cref="MaximumRank"/> dimensions.</returns>
    /// <exception cref="OverflowException">The result has more than <see cref="int.MaxValue"/> elements.</exception>
    public static bool TryCreate(
        ReadOnlySpan<int> first, ReadOnlySpan<int> second, [NotNullWhen(true)] out BroadcastPlan? plan) =>
        TryCreate(first, second, [], out plan);

    /// <summary>Plans three operands, as SELECT_V2 has them: condition, true value, false value.</summary>
    /// <inheritdoc cref="TryCreate(ReadOnlySpan{int}, ReadOnlySpan{int}, out BroadcastPlan?)"/>
    public static bool TryCreate(
        ReadOnlySpan<int> first,
        ReadOnlySpan<int> second,
        ReadOnlySpan<int> third,
        [NotNullWhen(true)] out BroadcastPlan? plan)
    {
        plan = null;
        int rank = Math.Max(first.Length, Math.Max(second.Length, third.Length));
        if (rank > MaximumRank)
        {
            return false;
        }

        int[] shape = new int[rank];
        Span<int> steps = stackalloc int[Operands];
        Span<int> nextStride = [1, 1, 1];
        int[] extents = new int[Math.Max(rank, 1)];
        int[] strides = new int[Operands * MaximumRank];
        int merged = 0;
        int length = 1;
        for (int axis = 1; axis <= rank; axis++)
        {
            Span<int> sizes = [FromRight(first, axis), FromRight(second, axis), FromRight(third, axis)];
            int size = sizes[0] != 1 ? sizes[0] : sizes[1] != 1 ? sizes[1] : sizes[2];
            for (int operand = 0; operand < Operands; operand++)
            {
                if (sizes[operand] < 0 || (sizes[operand] != 1 && sizes[operand] != size))
                {
                    return false;
                }

                steps[operand] = sizes[operand] == 1 ? 0 : nextStride[operand];
                nextStride[operand] = checked(nextStride[operand] * sizes[operand]);
            }

            shape[rank - axis] = size;
            length = checked(length * size);
            if (size == 1)
            {
                continue;
            }

            if (merged > 0 && ContinuesPrevious(steps, strides, merged - 1, extents[merged - 1]))
            {
                extents[merged - 1] = checked(extents[merged - 1] * size);
                continue;
            }

            extents[merged] = size;
            for (int operand = 0; operand < Operands; operand++)
            {
                strides[(operand * MaximumRank) + merged] = steps[operand];
            }

            merged++;
        }

        if (merged == 0)
        {
            extents[0] = 1;
            merged = 1;
        }

        plan = new(ImmutableArray.Create(shape), length, extents[..merged], strides);
        return true;
    }

    /// <summary>Plans two operands whose shapes are known to fit.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    /// <inheritdoc cref="TryCreate(ReadOnlySpan{int}, ReadOnlySpan{int}, out BroadcastPlan?)" path="/exception"/>
    public static BroadcastPlan Create(ReadOnlySpan<int> first, ReadOnlySpan<int> second) =>
        TryCreate(first, second, out BroadcastPlan? plan)
            ? plan
            : throw new ArgumentException(
                $"The shapes [{string.Join(", ", first.ToArray())}] and [{string.Join(", ", second.ToArray())}] do not broadcast.",
                nameof(second));

    /// <summary>Plans three operands whose shapes are known to fit.</summary>
    /// <inheritdoc cref="Create(ReadOnlySpan{int}, ReadOnlySpan{int})" path="/exception"/>
    public static BroadcastPlan Create(ReadOnlySpan<int> first, ReadOnlySpan<int> second, ReadOnlySpan<int> third) =>
        TryCreate(first, second, third, out BroadcastPlan? plan)
            ? plan
            : throw new ArgumentException(
                $"The shapes [{string.Join(", ", first.ToArray())}], [{string.Join(", ", second.ToArray())}] and "
                + $"[{string.Join(", ", third.ToArray())}] do not broadcast.",
                nameof(third));

    /// <summary>The runs in order of the output; allocates nothing.</summary>
    public RunEnumerator GetEnumerator() => new(this);

    /// <summary>Computes <c>y = op(a, b)</c> over all elements.</summary>
    /// <param name="a">First operand, in its own shape, row-major.</param>
    /// <param name="b">Second operand, in its own shape, row-major.</param>
    /// <param name="y">Result, <see cref="Length"/> elements.</param>
    /// <param name="op">A struct, so that the call is compiled for it and inlined.</param>
    /// <exception cref="ArgumentException"><paramref name="y"/> is too short.</exception>
    public void Apply<TFirst, TSecond, TResult, TOperation>(
        ReadOnlySpan<TFirst> a, ReadOnlySpan<TSecond> b, Span<TResult> y, TOperation op)
        where TOperation : struct, IBinaryElement<TFirst, TSecond, TResult>
    {
        if (y.Length < Length)
        {
            throw new ArgumentException("The result is shorter than the broadcast shape.", nameof(y));
        }

        foreach (BroadcastRun run in this)
        {
            Span<TResult> result = y.Slice(run.Output, run.Length);
            if (run.FirstStep == 0)
            {
                TFirst left = a[run.First];
                ReadOnlySpan<TSecond> right = b.Slice(run.Second, run.SecondStep == 0 ? 1 : run.Length);
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = op.Invoke(left, right[run.SecondStep == 0 ? 0 : i]);
                }
            }
            else if (run.SecondStep == 0)
            {
                ReadOnlySpan<TFirst> left = a.Slice(run.First, run.Length);
                TSecond right = b[run.Second];
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = op.Invoke(left[i], right);
                }
            }
            else
            {
                ReadOnlySpan<TFirst> left = a.Slice(run.First, run.Length);
                ReadOnlySpan<TSecond> right = b.Slice(run.Second, run.Length);
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = op.Invoke(left[i], right[i]);
                }
            }
        }
    }

    private static int FromRight(ReadOnlySpan<int> shape, int axis) => axis <= shape.Length ? shape[^axis] : 1;

    private static bool ContinuesPrevious(ReadOnlySpan<int> steps, int[] strides, int previous, int extent)
    {
        for (int operand = 0; operand < Operands; operand++)
        {
            if (steps[operand] != (long)strides[(operand * MaximumRank) + previous] * extent)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Walks the runs of a plan.</summary>
    public struct RunEnumerator
    {
        private readonly BroadcastPlan plan;
        private Counters counters;
        private int index;
        private int first;
        private int second;
        private int third;

        internal RunEnumerator(BroadcastPlan plan)
        {
            this.plan = plan;
            index = -1;
        }

        public readonly BroadcastRun Current => new(
            index * plan.RunLength,
            plan.RunLength,
            first,
            plan.strides[0],
            second,
            plan.strides[MaximumRank],
            third,
            plan.strides[2 * MaximumRank]);

        public bool MoveNext()
        {
            if (++index >= plan.RunCount)
            {
                return false;
            }

            if (index == 0)
            {
                return true;
            }

            int[] strides = plan.strides;
            for (int d = 1; d < plan.extents.Length; d++)
            {
                first += strides[d];
                second += strides[MaximumRank + d];
                third += strides[(2 * MaximumRank) + d];
                if (++counters[d] < plan.extents[d])
                {
                    break;
                }

                counters[d] = 0;
                first -= strides[d] * plan.extents[d];
                second -= strides[MaximumRank + d] * plan.extents[d];
                third -= strides[(2 * MaximumRank) + d] * plan.extents[d];
            }

            return true;
        }

        [InlineArray(MaximumRank)]
        private struct Counters
        {
            private int element;
        }
    }
}
