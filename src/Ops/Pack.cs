using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Tensors of one shape stacked along a new axis.</summary>
/// <param name="ValuesCount">Number of tensors.</param>
/// <param name="Axis">Where the new axis stands in the result; negative ones count from its end.</param>
/// <remarks>
/// <para>Shape: <c>x* [d0, ...] -> y [.., count, ..]</c>, one dimension more.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 83, kernel <c>pack.cc</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record Pack(int ValuesCount, int Axis) : IOp<Pack>, IExecutable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Pack>
{
    public static OpSchema Declaration { get; } = new("pack", ["x*"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Pack;

    public static int MaximumVersion => 4;

    public static Pack Parse(AttributeReader attributes) => new(attributes.Int("count"), attributes.Int("axis"));

    public static Pack Read(TfLiteSource source)
    {
        PackOptions options = source.Options<PackOptions>();
        return new(options.ValuesCount, options.Axis);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I8 => 2,
            DType.I16 when target.Output().DType is DType.I16 => 3,
            DType.U32 => 4,
            _ => 1,
        },
        new PackOptions { ValuesCount = ValuesCount, Axis = Axis });

    public void Describe(AttributeWriter attributes) => attributes.Add("count", ValuesCount).Add("axis", Axis);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (ValuesCount != operands.Count)
        {
            throw new OpRuleException("the number of tensors to stack is not that of the operands") { Found = $"{operands.Count}", Expected = $"{ValuesCount}" };
        }

        DType type = operands.RequireSameType(0, operands.Count);
        int[]? dims = null;
        for (int i = 0; i < operands.Count; i++)
        {
            Shape x = operands[i].Shape;
            if (!x.HasRank)
            {
                continue;
            }

            dims ??= [.. x];
            if (x.Rank != dims.Length)
            {
                throw new OpRuleException("stacked tensors have different ranks") { Found = $"{x}", Expected = $"{dims.Length} dimensions" };
            }

            for (int d = 0; d < dims.Length; d++)
            {
                dims[d] = Dimensions.Agree(dims[d], x[d], "dimensions of stacked tensors");
            }
        }

        if (dims is null)
        {
            return [new(type, Shape.Unranked)];
        }

        int axis = Dimensions.Axis(Axis, dims.Length + 1);
        return [new(type, Dimensions.Checked([.. dims[..axis], ValuesCount, .. dims[axis..]]))];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.Activation, .. Enumerable.Repeat(OperandRule.SameAsInput(0), operands.Count - 1)],
        [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g)
    {
        Node slices = g.AddNode(new Unpack(ValuesCount, Axis), g.Gradient());
        for (int i = 0; i < g.InputCount; i++)
        {
            if (g.Wants(i))
            {
                g.Give(i, slices.Outputs[i]);
            }
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        int elementSize = context.ElementSize();
        for (int i = 0; i < context.InputCount; i++)
        {
            context.RequireSameQuantization(i);
        }

        Shape y = context.Output(0).Shape;
        int axis = Dimensions.Axis(Axis, y.Rank);
        int[] rowBytes = new int[context.InputCount];
        Array.Fill(rowBytes, checked((int)(Dimensions.Inner(y, axis + 1) * elementSize)));
        return MovedTensors.Join(context, (int)Dimensions.Outer(y, axis), rowBytes);
    }
}
