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

/// <summary>The tensor with one more dimension, of one element.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [d0, ...], axis [1 element] -> y [.., 1, ..]</c>; axis is the place of the new dimension in y, negative ones
/// count from its end.
/// </para>
/// <para>Types: any. Source: TFLite builtin 70, kernel <c>expand_dims.cc</c>, version 1.</para>
/// </remarks>
public sealed record ExpandDims : IOp<ExpandDims>, IReshaping, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<ExpandDims>
{
    public static OpSchema Declaration { get; } = new("expand_dims", ["x", "axis"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ExpandDims;

    public static int MaximumVersion => 1;

    public static ExpandDims Parse(AttributeReader attributes) => new();

    public static ExpandDims Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new ExpandDimsOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        int? axis = operands.OneSize(1);
        if (!x.Shape.HasRank)
        {
            return [x.Unranked()];
        }

        return axis is { } place
            ? [x.Shaped(x.Shape.Dims.Insert(Dimensions.Axis(place, x.Shape.Rank + 1), 1).AsSpan())]
            : [new(x.DType, Dimensions.Unknown(x.Shape.Rank + 1))];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Reshape(g.Gradient(), g.Input(0).Type.Shape));

    public void TraceChannels(ChannelTracer t) => t.PassOnReshaped();

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        return () => context.InputBytes(0).CopyTo(context.OutputBytes(0));
    }
}
