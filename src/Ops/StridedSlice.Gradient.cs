using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Ops;

public sealed partial record StridedSlice
{
    /// <summary>Brings the elements back to their places: turned round, apart by the strides, zeros around.</summary>
    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        (int[] begin, int[] end, int[] strides) = (g.ConstantInts(1), g.ConstantInts(2), g.ConstantInts(3));
        AxisRange[] ranges = [.. Ranges(x, begin.Length, begin, end, strides).Where(r => r.Axis >= 0)];
        if (Array.Exists(ranges, r => r.Count == 0))
        {
            return;
        }

        Value gradient = g.Reshape(g.Gradient(), Shape.Of([.. ranges.Select(r => r.Count)]));
        int[] backwards = [.. ranges.Where(r => r.Step < 0 && r.Count > 1).Select(r => r.Axis)];
        if (backwards.Length > 0)
        {
            gradient = g.Add(new ReverseV2(), gradient, g.Ints(backwards));
        }

        int[] before = new int[x.Rank];
        int[] after = new int[x.Rank];
        foreach (AxisRange range in ranges)
        {
            int pace = range.Count > 1 ? (int)Math.Abs(range.Step) : 1;
            int span = ((range.Count - 1) * pace) + 1;
            gradient = Spaced(g, gradient, range.Axis, pace, span);
            before[range.Axis] = (int)(range.Step < 0 ? range.Start - span + 1 : range.Start);
            after[range.Axis] = x[range.Axis] - before[range.Axis] - span;
        }

        g.Give(0, g.Pad(gradient, before, after));
    }

    /// <summary>Puts zeros between neighbours along an axis.</summary>
    /// <param name="pace">Distance of former neighbours.</param>
    /// <param name="span">Size of the axis afterwards, from the first to the last element.</param>
    private static Value Spaced(GradientBuilder g, Value value, int axis, int pace, int span)
    {
        if (pace == 1)
        {
            return value;
        }

        Shape shape = value.Type.Shape;
        int outer = (int)Dimensions.Outer(shape, axis);
        int inner = (int)Dimensions.Inner(shape, axis + 1);
        Value single = g.Reshape(value, Shape.Of([outer, shape[axis], 1, inner]));
        Value spaced = g.Reshape(g.PadAlong(single, 2, 0, pace - 1), Shape.Of([outer, shape[axis] * pace, inner]));
        return g.Reshape(g.SliceAlong(spaced, 1, 0, span), shape.With(axis, span));
    }
}
