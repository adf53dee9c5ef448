using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A border of one given value around a tensor.</summary>
/// <remarks>
/// <para>Shape: <c>x [d0, ...], paddings [rank, 2], value [1 element] -> y [before0 + d0 + after0, ...]</c>.</para>
/// <para>Types: any of whole bytes; value has the type of x, and for int8 the quantization of y.</para>
/// <para>Source: TFLite builtin 60, reference kernel <c>reference/pad.h</c>, versions 1 to 5.</para>
/// </remarks>
public sealed record PadV2 : IOp<PadV2>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<PadV2>
{
    public static OpSchema Declaration { get; } = new("padv2", ["x", "paddings", "value"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Padv2;

    public static int MaximumVersion => 5;

    public static PadV2 Parse(AttributeReader attributes) => new();

    public static PadV2 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(Paddings.Version(target.Operands[0]), new PadV2Options());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType value = operands.Require(2, operands[0].DType);
        return value.Shape.Dims.Any(d => d is not (1 or -1))
            ? throw new OpRuleException("the value of a border is more than one element") { Found = value.Shape.ToString() }
            : [Paddings.Infer(operands, limit: null)];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.Activation, OperandRule.AsIs, OperandRule.SameAsInput(0)], [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g)
    {
        Value inside = Paddings.Inside(g);
        if (g.Wants(0))
        {
            g.Give(0, inside);
        }

        if (g.Wants(2))
        {
            Value border = g.Minus(g.Gradient(), g.Add(new Pad(), inside, g.Input(1)));
            g.Give(2, g.SumTo(border, g.Input(2).Type.Shape));
        }
    }

    public void TraceChannels(ChannelTracer t) =>
        Paddings.Trace(t, t.Node.Inputs[2]!.Constant is { DType: DType.F32 } value && value.ToDense().AsFloats() is [0]);

    public Kernel Prepare(KernelContext context)
    {
        PaddedCopy copy = Paddings.Plan(context);
        context.RequireSameQuantization(2);
        return () => copy.Fill(context.InputBytes(0), context.OutputBytes(0), context.InputBytes(2));
    }
}
