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

/// <summary>Blocks of positions taken back from the batch dimension, and the border cut off.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [B * b1 * .., s1.., r..], block [m], crops [m, 2] -> y [B, s1 * b1 - before1 - after1, .., r..]</c>. Operands i32 or i64.
/// </para>
/// <para>
/// Types: any of whole bytes, quantized alike. Source: TFLite builtin 37, reference kernel
/// <c>reference/batch_to_space_nd.h</c>, versions 1 to 4.
/// </para>
/// </remarks>
public sealed record BatchToSpaceNd : IOp<BatchToSpaceNd>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<BatchToSpaceNd>
{
    public static OpSchema Declaration { get; } = new("batch_to_space_nd", ["x", "block", "crops"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.BatchToSpaceNd;

    public static int MaximumVersion => 4;

    public static BatchToSpaceNd Parse(AttributeReader attributes) => new();

    public static BatchToSpaceNd Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(BatchBlocks.Version(target.Operands[0]), new BatchToSpaceNDOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        (int[]? block, int[]? crops) = BatchBlocks.Read(operands);
        if (!x.Shape.HasRank || block is null)
        {
            return [x.Shape.HasRank ? new(x.DType, Dimensions.Unknown(x.Shape.Rank)) : x.Unranked()];
        }

        int[] dims = [.. x.Shape];
        for (int i = 0; i < block.Length; i++)
        {
            dims[0] = PixelBlocks.Over(dims[0], block[i]);
            dims[i + 1] = dims[i + 1] < 0 || crops is null
                ? -1
                : Dimensions.Size(((long)dims[i + 1] * block[i]) - crops[2 * i] - crops[(2 * i) + 1]);
        }

        return [x.Shaped(dims)];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new SpaceToBatchNd(), g.Gradient(), g.Input(1), g.Input(2)));

    public void TraceChannels(ChannelTracer t) => t.PassOnChannels();

    public Kernel Prepare(KernelContext context)
    {
        BatchBlockCopy copy = BatchBlocks.Plan(context, whole: context.Output(0).Shape, blocked: context.Input(0).Shape);
        return () => copy.Join(context.InputBytes(0), context.OutputBytes(0));
    }
}
