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

/// <summary>Blocks of positions moved to the batch dimension, after a border of zeros.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [B, s1.., r..], block [m], paddings [m, 2] -> y [B * b1 * .., (before1 + s1 + after1) / b1, .., r..]</c>. Operands i32 or
/// i64. The border holds the zero point of y where that is quantized.
/// </para>
/// <para>
/// Types: any of whole bytes, quantized alike. Source: TFLite builtin 38, reference kernel
/// <c>reference/space_to_batch_nd.h</c> of LiteRT, versions 1 to 4. TFLite Micro writes raw 0 into the border.
/// </para>
/// </remarks>
public sealed record SpaceToBatchNd : IOp<SpaceToBatchNd>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<SpaceToBatchNd>
{
    public static OpSchema Declaration { get; } = new("space_to_batch_nd", ["x", "block", "paddings"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.SpaceToBatchNd;

    public static int MaximumVersion => 4;

    public static SpaceToBatchNd Parse(AttributeReader attributes) => new();

    public static SpaceToBatchNd Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(BatchBlocks.Version(target.Operands[0]), new SpaceToBatchNDOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        (int[]? block, int[]? paddings) = BatchBlocks.Read(operands);
        if (!x.Shape.HasRank || block is null)
        {
            return [x.Shape.HasRank ? new(x.DType, Dimensions.Unknown(x.Shape.Rank)) : x.Unranked()];
        }

        int[] dims = [.. x.Shape];
        for (int i = 0; i < block.Length; i++)
        {
            dims[0] = PixelBlocks.Times(dims[0], block[i]);
            dims[i + 1] = dims[i + 1] < 0 || paddings is null
                ? -1
                : PixelBlocks.Over(Dimensions.Size((long)dims[i + 1] + paddings[2 * i] + paddings[(2 * i) + 1]), block[i]);
        }

        return [x.Shaped(dims)];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new BatchToSpaceNd(), g.Gradient(), g.Input(1), g.Input(2)));

    public void TraceChannels(ChannelTracer t) => t.PassOnChannels();

    public Kernel Prepare(KernelContext context)
    {
        BatchBlockCopy copy = BatchBlocks.Plan(context, whole: context.Input(0).Shape, blocked: context.Output(0).Shape);
        byte[] zero = context.ZeroElement();
        return () => copy.Cut(context.InputBytes(0), context.OutputBytes(0), zero);
    }
}
