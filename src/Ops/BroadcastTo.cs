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

/// <summary>A tensor spread to a larger shape: dimensions of one element repeat.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [d..], shape [rank] -> y [shape]</c>, aligned at the right; a dimension of x is 1 or that of the shape.
/// </para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 130, kernel <c>broadcast_to.cc</c>, versions 2 and 3.</para>
/// </remarks>
public sealed record BroadcastTo : IOp<BroadcastTo>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<BroadcastTo>
{
    public static OpSchema Declaration { get; } = new("broadcast_to", ["x", "shape"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.BroadcastTo;

    public static int MaximumVersion => 3;

    public static BroadcastTo Parse(AttributeReader attributes) => new();

    public static BroadcastTo Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType is DType.I8 or DType.I16 ? 3 : 2, new BroadcastToOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        int rank = operands.Length(1);
        if (operands.Sizes(1) is not { } sizes)
        {
            return [rank >= 0 ? new(x.DType, Dimensions.Unknown(rank)) : x.Unranked()];
        }

        Shape y = Dimensions.Checked(sizes);
        bool fits = y.IsKnown && (!x.Shape.HasRank || x.Shape.Rank <= y.Rank);
        for (int i = 1; fits && x.Shape.HasRank && i <= x.Shape.Rank; i++)
        {
            fits = x.Shape[-i] is var size && (size is 1 or < 0 || size == y[-i]);
        }

        return fits
            ? [new(x.DType, y)]
            : throw new OpRuleException("a tensor cannot be broadcast to this shape") { Found = $"{x.Shape} to {y}" };
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.SumTo(g.Gradient(), g.Input(0).Type.Shape));

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        (Shape x, Shape y) = (context.Input(0).Shape, context.Output(0).Shape);
        long[] strides = StridedCopy.Strides(x.Dims.AsSpan());
        long[] source = new long[y.Rank];
        for (int i = 0; i < x.Rank; i++)
        {
            source[i + y.Rank - x.Rank] = x[i] == 1 ? 0 : strides[i];
        }

        ReadOnlySpan<int> sizes = y.Dims.AsSpan();
        StridedCopy copy = new(elementSize, sizes, source, StridedCopy.Strides(sizes));
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }
}
