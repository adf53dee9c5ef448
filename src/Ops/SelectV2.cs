using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Elements of one operand where a condition holds, of another one where it does not, all three broadcast.</summary>
/// <remarks>
/// <para>Shape: <c>condition [any], yes [any], no [any] -> y [broadcast]</c>, up to 8 dimensions.</para>
/// <para>Types: condition bool; yes, no and y any of whole bytes, integers quantized alike.</para>
/// <para>Source: TFLite builtin 123, <c>reference/select.h</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record SelectV2 : IOp<SelectV2>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<SelectV2>
{
    public static OpSchema Declaration { get; } = new("select_v2", ["condition", "yes", "no"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.SelectV2;

    public static int MaximumVersion => 2;

    public static SelectV2 Parse(AttributeReader attributes) => new();

    public static SelectV2 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new SelectV2Options());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        DType type = Selection.RequireTypes(operands);
        return [new(type, Broadcasting.Join(operands[0].Shape, operands[1].Shape, operands[2].Shape))];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.AsIs, OperandRule.Activation, OperandRule.SameAsInput(1)], [OperandRule.SameAsInput(1)]);

    public void Differentiate(GradientBuilder g) => g.GiveChosen(g.Input(0), 1, 2);

    public Kernel Prepare(KernelContext context) => Selection.Prepare(
        context, Broadcasting.Plan(context.Input(0).Shape, context.Input(1).Shape, context.Input(2).Shape));
}
