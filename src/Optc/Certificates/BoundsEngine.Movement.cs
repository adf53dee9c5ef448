using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class BoundsEngine
{
    private Bounds? OfSameBytes(int op) =>
        view.Operators[op] is { Inputs: [>= 0 and int input, ..], Outputs: [>= 0 and int output] } && SameQuantization(input, output) ? this[input] : null;

    /// <summary>PAD writes the zero point, PADV2 a constant.</summary>
    private Bounds? OfPad(int op)
    {
        if (view.Operators[op] is not { Inputs: [>= 0 and int input, >= 0 and int padding, ..] inputs, Outputs: [>= 0 and int output] }
            || this[input] is not { } bounds || !SameQuantization(input, output)
            || view.Integers(padding) is not { } amounts || amounts.Length != 2 * Shape(input).Length || amounts.Any(a => a < 0)
            || Shape(output).Length != Shape(input).Length)
        {
            return null;
        }

        int fill = Quantization.Of(view.Tensor(output))!.Value.ZeroPoint;
        if (view.Kind(op) == BuiltinOperator.Padv2)
        {
            if (inputs.Length != 3 || !SameQuantization(inputs[2], output) || view.Integers(inputs[2]) is not [int constant])
            {
                return null;
            }

            fill = constant;
        }

        int[] source = new int[view.Count(output)];
        int[] strides = Positions.Strides(Shape(input));
        for (int axis = 0; axis < strides.Length; axis++)
        {
            int[] along = Positions.Along(Shape(output), axis);
            for (int i = 0; i < source.Length; i++)
            {
                int index = along[i] - amounts[2 * axis];
                source[i] = source[i] < 0 || index < 0 || index >= Shape(input)[axis] ? -1 : source[i] + (index * strides[axis]);
            }
        }

        return bounds.Gather(source, fill);
    }

    private Bounds? OfConcatenation(int op)
    {
        OperatorRecord record = view.Operators[op];
        if (record.Outputs is not [>= 0 and int output]
            || record.Options is not ConcatenationOptions { FusedActivationFunction: ActivationFunctionType.None } o
            || Positions.Axes([o.Axis], Shape(output).Length) is not [int axis])
        {
            return null;
        }

        Bounds result = Bounds.Empty(view.Count(output));
        int[] strides = Positions.Strides(Shape(output));
        int at = 0;
        foreach (int input in record.Inputs)
        {
            if (input < 0 || this[input] is not { } bounds || !SameQuantization(input, output) || Shape(input).Length != Shape(output).Length)
            {
                return null;
            }

            for (int a = 0; a < Shape(output).Length; a++)
            {
                if (a == axis ? at + Shape(input)[a] > Shape(output)[a] : Shape(input)[a] != Shape(output)[a])
                {
                    return null;
                }
            }

            int[] target = Positions.Walk(Shape(input), strides, at * strides[axis]);
            for (int i = 0; i < target.Length; i++)
            {
                (result.Low[target[i]], result.High[target[i]]) = (bounds.Low[i], bounds.High[i]);
            }

            at += Shape(input)[axis];
        }

        return at == Shape(output)[axis] ? result : null;
    }

    private Bounds? OfTranspose(int op)
    {
        if (view.Operators[op] is not { Inputs: [>= 0 and int input, >= 0 and int permutation], Outputs: [>= 0 and int output] }
            || this[input] is not { } bounds || !SameQuantization(input, output)
            || view.Integers(permutation) is not { } order || order.Length != Shape(output).Length
            || Positions.Axes(order, Shape(input).Length) is not { } axes || axes.Length != Shape(input).Length)
        {
            return null;
        }

        int[] strides = Positions.Strides(Shape(input));
        int[] steps = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            int axis = order[i] < 0 ? order[i] + order.Length : order[i];
            if (Shape(output)[i] != Shape(input)[axis])
            {
                return null;
            }

            steps[i] = strides[axis];
        }

        return bounds.Gather(Positions.Walk(Shape(output), steps, 0));
    }

    private Bounds? OfStridedSlice(int op)
    {
        if (view.Operators[op] is not
            {
                Inputs: [>= 0 and int input, >= 0 and int begins, >= 0 and int ends, >= 0 and int stepsTensor],
                Outputs: [>= 0 and int output],
                Options: StridedSliceOptions { EllipsisMask: 0, NewAxisMask: 0, Offset: false } o,
            }
            || this[input] is not { } bounds || !SameQuantization(input, output)
            || view.Integers(begins) is not { } begin || view.Integers(ends) is not { } end || view.Integers(stepsTensor) is not { } step
            || begin.Length != Shape(input).Length || end.Length != begin.Length || step.Length != begin.Length || step.Any(s => s <= 0))
        {
            return null;
        }

        int[] strides = Positions.Strides(Shape(input));
        int[] sizes = new int[begin.Length], steps = new int[begin.Length];
        int first = 0;
        for (int a = 0; a < sizes.Length; a++)
        {
            int size = Shape(input)[a];
            long from = (o.BeginMask >> a & 1) != 0 ? 0 : Math.Clamp(begin[a] < 0 ? begin[a] + (long)size : begin[a], 0, size);
            long to = (o.EndMask >> a & 1) != 0 ? size : Math.Clamp(end[a] < 0 ? end[a] + (long)size : end[a], 0, size);
            to = (o.ShrinkAxisMask >> a & 1) != 0 ? from + 1 : to;
            if (from >= size || to <= from)
            {
                return null;
            }

            sizes[a] = (int)((to - from + step[a] - 1) / step[a]);
            steps[a] = (int)Math.Min((long)strides[a] * step[a], int.MaxValue / 2);
            first += (int)from * strides[a];
        }

        return GraphView.Count([.. sizes]) == view.Count(output) ? bounds.Gather(Positions.Walk(sizes, steps, first)) : null;
    }

    /// <summary>Every result is a mean of values of its channel, or one of them.</summary>
    private Bounds? OfResize(int op)
    {
        if (view.Operators[op] is not { Inputs: [>= 0 and int input, ..], Outputs: [>= 0 and int output] }
            || this[input] is not { } bounds || !SameQuantization(input, output)
            || Shape(input) is not { Length: 4 } x || Shape(output) is not { Length: 4 } y || x[3] != y[3] || x[3] == 0)
        {
            return null;
        }

        int channels = x[3];
        int[] low = new int[channels], high = new int[channels];
        Array.Fill(low, int.MaxValue);
        Array.Fill(high, int.MinValue);
        for (int i = 0; i < bounds.Length; i++)
        {
            (low[i % channels], high[i % channels]) = (Math.Min(low[i % channels], bounds.Low[i]), Math.Max(high[i % channels], bounds.High[i]));
        }

        Bounds result = Bounds.Empty(view.Count(output));
        for (int i = 0; i < result.Length; i++)
        {
            (result.Low[i], result.High[i]) = (low[i % channels], high[i % channels]);
        }

        return result;
    }
}
