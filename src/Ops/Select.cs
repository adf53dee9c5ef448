using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Elements of one tensor where a condition holds, of another one where it does not.</summary>
/// <remarks>
/// <para>Shape: <c>condition [any] or [] or [d0], yes [d0, ...], no [same] -> y [same]</c>; a condition of one dimension
/// stands for whole slices.</para>
/// <para>Types: condition bool; yes, no and y any of whole bytes, integers quantized alike.</para>
/// <para>Source: TFLite builtin 64, <c>select.cc</c> of LiteRT, versions 1 to 4.</para>
/// </remarks>
public sealed record Select : IOp<Select>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<Select>
{
    public static OpSchema Declaration { get; } = new("select", ["condition", "yes", "no"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Select;

    public static int MaximumVersion => 4;

    public static Select Parse(AttributeReader attributes) => new();

    public static Select Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        Enumerable.Range(0, 3).Any(i => target.Operands[i].Shape is { HasRank: true, Rank: 5 }) ? 3 : 1,
        new SelectOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        DType type = Selection.RequireTypes(operands);
        Shape values = Dimensions.Agree(operands[1].Shape, operands[2].Shape, "selected tensors");
        Shape condition = operands[0].Shape;
        bool isFirstDimension = condition is { HasRank: true, Rank: 1 } && values is { HasRank: true, Rank: > 0 };
        bool fits = !condition.HasRank
            || !values.HasRank
            || condition.Rank == 0
            || (isFirstDimension ? Shape.Of([values[0]]) : values).IsCompatibleWith(condition);
        return fits
            ? [new(type, values)]
            : throw new OpRuleException("the condition does not fit the tensors that it selects from")
            {
                Found = $"{condition}",
                Expected = $"{values}, its first dimension, or a scalar",
            };
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.AsIs, OperandRule.Activation, OperandRule.SameAsInput(1)], [OperandRule.SameAsInput(1)]);

    public void Differentiate(GradientBuilder g)
    {
        Value condition = g.Input(0);
        Shape values = g.Output().Type.Shape;
        Shape aligned = condition.Type.Shape.Rank == 1 && values.Rank > 0
            ? Shape.Of([values[0], .. Enumerable.Repeat(1, values.Rank - 1)])
            : condition.Type.Shape;
        g.GiveChosen(g.Reshape(condition, aligned), 1, 2);
    }

    public Kernel Prepare(KernelContext context)
    {
        context.ElementSize(1);
        int length = (int)context.Output(0).Shape.ElementCount;
        int conditions = (int)context.Input(0).Shape.ElementCount;
        int slice = conditions == 0 ? 0 : length / conditions;
        Shape values = Shape.Of([conditions, slice]);
        return Selection.Prepare(context, Broadcasting.Plan(Shape.Of([conditions, 1]), values, values));
    }
}
