using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Gradients;

/// <summary>One node seen from behind: gradients of its results come in, gradients of its operands go out.</summary>
/// <param name="graph">Receives the new nodes.</param>
/// <param name="node">The node whose adjoint is built.</param>
/// <param name="gradients">For each result the gradient of the loss, or <see langword="null"/> where the loss does not depend on it.</param>
/// <param name="wants">Says of each operand whether its gradient is needed.</param>
public sealed class GradientBuilder(GraphBuilder graph, Node node, ImmutableArray<Value?> gradients, ImmutableArray<bool> wants)
    : Expressions(graph, $"{node.Name}/gradient", $"{node.Name}/constant")
{
    private readonly Value?[] _given = new Value?[node.Inputs.Length];

    /// <summary>What the rule gave, one entry for each operand.</summary>
    public IReadOnlyList<Value?> Given => _given;

    /// <summary>Value of operand <paramref name="index"/>.</summary>
    /// <exception cref="OpRuleException">The operand is left out.</exception>
    public Value Input(int index) => node.Input(index) ?? throw new OpRuleException($"operand {index} is missing");

    public bool Has(int index) => node.Input(index) is not null;

    public int InputCount => node.Inputs.Length;

    public int OutputCount => node.Outputs.Length;

    public Value Output(int index = 0) => node.Outputs[index];

    /// <summary>Gradient of the loss with regard to a result; zeros where the loss does not depend on it.</summary>
    public Value Gradient(int index = 0) => gradients[index] ?? Zeros(node.Outputs[index].Type.Shape);

    /// <summary>Gradients of all results, zeros where the loss does not depend on one.</summary>
    public ImmutableArray<Value?> Gradients() => [.. Enumerable.Range(0, OutputCount).Select(Gradient)];

    /// <summary>Integers of an operand that must be constant: axes, paddings, places.</summary>
    /// <exception cref="OpRuleException">The operand is computed.</exception>
    public int[] ConstantInts(int index) => Input(index).Constant?.AsInts()
        ?? throw new OpRuleException($"operand {index} is computed, so that there is no gradient");

    /// <summary>True when the loss depends on a result.</summary>
    public bool HasGradient(int index) => gradients[index] is not null;

    /// <summary>True when the gradient with regard to an operand is needed.</summary>
    public bool Wants(int index) => index < wants.Length && wants[index];

    /// <summary>Hands over the gradient of an operand; it has the operand's shape.</summary>
    /// <exception cref="InvalidOperationException">It has another shape, or the operand was given before.</exception>
    public void Give(int index, Value gradient)
    {
        Shape wanted = Input(index).Type.Shape;
        if (_given[index] is not null || !gradient.Type.Shape.Equals(wanted))
        {
            throw new InvalidOperationException($"'{node}' gives {gradient.Type.Shape} for operand {index}, which is {wanted}.");
        }

        _given[index] = gradient;
    }

    /// <summary>One value where a condition holds, another one elsewhere; all three are broadcast.</summary>
    public Value Choose(Value condition, Value yes, Value no) => Add(new SelectV2(), condition, yes, no);

    /// <summary>A value where a condition holds, else 0.</summary>
    public Value OnlyWhere(Value condition, Value value) => Choose(condition, value, Scalar(0));

    /// <summary>Hands the gradient of the result to one operand where a condition holds, to another one elsewhere.</summary>
    /// <param name="condition">Broadcasts to the shape of the result.</param>
    public void GiveChosen(Value condition, int yes, int no)
    {
        if (Wants(yes))
        {
            Give(yes, SumTo(OnlyWhere(condition, Gradient()), Input(yes).Type.Shape));
        }

        if (Wants(no))
        {
            Give(no, SumTo(Choose(condition, Scalar(0), Gradient()), Input(no).Type.Shape));
        }
    }

    /// <summary>Zeros around a value.</summary>
    /// <param name="before">Widths in front of each dimension.</param>
    /// <param name="after">Widths behind each dimension.</param>
    public Value Pad(Value value, int[] before, int[] after)
    {
        int[] widths = [.. before.Zip(after).SelectMany(pair => (int[])[pair.First, pair.Second])];
        return Array.TrueForAll(widths, w => w == 0)
            ? value
            : Add(new Pad(), value, Constant(TensorData.FromInts([before.Length, 2], widths)));
    }

    /// <summary>Zeros before and behind along one axis.</summary>
    public Value PadAlong(Value value, int axis, int before, int after)
    {
        int[] first = new int[value.Type.Shape.Rank];
        int[] last = new int[first.Length];
        (first[axis], last[axis]) = (before, after);
        return Pad(value, first, last);
    }

    /// <summary>A range along one axis.</summary>
    public Value SliceAlong(Value value, int axis, int begin, int size)
    {
        Shape shape = value.Type.Shape;
        int[] begins = new int[shape.Rank];
        begins[axis] = begin;
        return shape[axis] == size ? value : Add(new Slice(), value, Ints(begins), Ints(shape.With(axis, size).Dims.AsSpan()));
    }

    /// <summary>Sums over the dimensions along which an operand of <paramref name="shape"/> was repeated by broadcasting.</summary>
    public Value SumTo(Value gradient, Shape shape)
    {
        Shape from = gradient.Type.Shape;
        if (from.Equals(shape))
        {
            return gradient;
        }

        int extra = from.Rank - shape.Rank;
        int[] axes = [.. Enumerable.Range(0, from.Rank).Where(i => i < extra || (shape[i - extra] == 1 && from[i] != 1))];
        return Reshape(axes.Length == 0 ? gradient : Add(new Sum(KeepDims: true), gradient, Ints(axes)), shape);
    }

    /// <summary>Repeats the gradient of a reduction along the dimensions that were reduced.</summary>
    /// <param name="gradient">In the shape of the reduction's result, with or without the reduced dimensions.</param>
    /// <param name="shape">Shape of the operand.</param>
    /// <param name="reduced">One entry for each dimension of <paramref name="shape"/>.</param>
    public Value Spread(Value gradient, Shape shape, bool[] reduced)
    {
        Shape kept = Shape.Of([.. shape.Select((size, axis) => reduced[axis] ? 1 : size)]);
        return kept.Equals(shape)
            ? Reshape(gradient, shape)
            : Add(new BroadcastTo(), Reshape(gradient, kept), Ints(shape.Dims.AsSpan()));
    }

    /// <summary>The gradient before a fused activation, from that after it.</summary>
    public Value BeforeActivation(FusedActivation activation, Value gradient) => activation is FusedActivation.None
        ? gradient
        : Add(new ActivationGradient(activation), gradient, Output());
}
