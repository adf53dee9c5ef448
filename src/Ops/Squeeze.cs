using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The tensor without dimensions of one element.</summary>
/// <param name="Axes">The dimensions to drop, negative ones counted from the end; empty for all of one element.</param>
/// <remarks>
/// <para>Shape: <c>x [.., 1, ..] -> y [.., ..]</c>. Types: any.</para>
/// <para>Source: TFLite builtin 43, kernel <c>squeeze.cc</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record Squeeze(ImmutableArray<int> Axes) : IOp<Squeeze>, IReshaping, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Squeeze>
{
    public static OpSchema Declaration { get; } = new("squeeze", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Squeeze;

    public static int MaximumVersion => 2;

    public static Squeeze Parse(AttributeReader attributes) => new(attributes.Ints("axes"));

    public static Squeeze Read(TfLiteSource source) => new(source.Options<SqueezeOptions>().SqueezeDims);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType is DType.String ? 2 : 1, new SqueezeOptions { SqueezeDims = Axes });

    public void Describe(AttributeWriter attributes) => attributes.Add("axes", Axes);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        if (!x.Shape.HasRank || (Axes.IsEmpty && !x.Shape.IsKnown))
        {
            return [x.Unranked()];
        }

        bool[] dropped = new bool[x.Shape.Rank];
        foreach (int given in Axes)
        {
            int axis = Dimensions.Axis(given, x.Shape.Rank);
            Dimensions.Agree(x.Shape[axis], 1, "a dropped dimension and 1");
            dropped[axis] = true;
        }

        return [x.Shaped([.. x.Shape.Where((size, i) => Axes.IsEmpty ? size != 1 : !dropped[i])])];
    }

    public bool Equals(Squeeze? other) => other is not null && Axes.AsSpan().SequenceEqual(other.Axes.AsSpan());

    public override int GetHashCode() => Axes.Aggregate(17, HashCode.Combine);

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Reshape(g.Gradient(), g.Input(0).Type.Shape));

    public void TraceChannels(ChannelTracer t)
    {
        // Without a list of dimensions a single channel that is left would be squeezed too.
        if (Axes.IsEmpty)
        {
            t.FixInputs($"{t.Node} removes whatever has size 1");
            return;
        }

        t.PassOnReshaped();
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        return () => context.InputBytes(0).CopyTo(context.OutputBytes(0));
    }
}
