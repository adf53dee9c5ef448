using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor of one repeated value.</summary>
/// <remarks>
/// <para>Shape: <c>dims [rank], value [1 element] -> y [dims]</c>; dims i32 or i64.</para>
/// <para>Types of value and y: any of whole bytes, quantized alike. Source: TFLite builtin 94, kernel <c>fill.cc</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record Fill : IOp<Fill>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<Fill>
{
    public static OpSchema Declaration { get; } = new("fill", ["dims", "value"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Fill;

    public static int MaximumVersion => 4;

    public static Fill Parse(AttributeReader attributes) => new();

    public static Fill Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[1].DType switch
        {
            DType.F16 => 4,
            DType.I8 or DType.I16 => 3,
            DType.Bool or DType.String => 2,
            _ => 1,
        },
        new FillOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType value = operands[1];
        if (value.Shape.Dims.Any(d => d is not (1 or -1)))
        {
            throw new OpRuleException("the value to fill with is more than one element") { Found = value.Shape.ToString() };
        }

        int rank = operands.Length(0);
        if (operands.Sizes(0) is not { } dims)
        {
            return [rank >= 0 ? new(value.DType, Dimensions.Unknown(rank)) : value.Unranked()];
        }

        Shape y = Dimensions.Checked(dims);
        return y.IsKnown ? [new(value.DType, y)] : throw new OpRuleException("a dimension is negative") { Found = y.ToString() };
    }

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.AsIs, OperandRule.Activation], [OperandRule.SameAsInput(1)]);

    public void Differentiate(GradientBuilder g) => g.Give(1, g.SumTo(g.Gradient(), g.Input(1).Type.Shape));

    public Kernel Prepare(KernelContext context)
    {
        context.ElementSize(1);
        context.RequireSameQuantization(1);
        return () => ElementFill.Fill(context.OutputBytes(0), context.InputBytes(1));
    }
}
