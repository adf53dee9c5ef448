using Optc.Ir;

namespace Optc.Ops.Kernels;

/// <summary>A tensor seen from one of its axes: <c>[Outer, Length, Inner]</c>.</summary>
/// <param name="Outer">Product of the dimensions before the axis.</param>
/// <param name="Length">Size of the axis.</param>
/// <param name="Inner">Product of the dimensions after it: the distance of neighbours along the axis, in elements.</param>
internal readonly record struct AxisSplit(int Outer, int Length, int Inner)
{
    /// <param name="axis">Negative values count from the end.</param>
    /// <exception cref="OpRuleException">The tensor has no such axis.</exception>
    /// <exception cref="OverflowException">The tensor has more than <see cref="int.MaxValue"/> elements.</exception>
    public static AxisSplit Of(Shape shape, int axis)
    {
        axis = OperandTypes.Axis(axis, shape.Rank);
        (int outer, int inner) = (1, 1);
        for (int i = 0; i < shape.Rank; i++)
        {
            outer = i < axis ? checked(outer * shape[i]) : outer;
            inner = i > axis ? checked(inner * shape[i]) : inner;
        }

        return new(outer, shape[axis], inner);
    }

    /// <summary>Every line along the axis, in the order of the other dimensions; allocates nothing.</summary>
    /// <param name="reverse">True when a line starts at the end of the axis.</param>
    public LineEnumerator Lines(bool reverse = false) => new(this, reverse);

    /// <summary>Walks the lines.</summary>
    public struct LineEnumerator(AxisSplit split, bool reverse)
    {
        private int index = -1;

        public readonly AxisLine Current
        {
            get
            {
                int first = (index / split.Inner * split.Length * split.Inner) + (index % split.Inner);
                return reverse
                    ? new(first + ((split.Length - 1) * split.Inner), -split.Inner, split.Length)
                    : new(first, split.Inner, split.Length);
            }
        }

        public readonly LineEnumerator GetEnumerator() => this;

        public bool MoveNext() => ++index < split.Outer * split.Inner;
    }
}

/// <summary>One line along an axis: elements <c>Start + i * Step</c>.</summary>
/// <param name="Step">Distance of neighbours, negative for a line that runs backwards.</param>
internal readonly record struct AxisLine(int Start, int Step, int Length);
