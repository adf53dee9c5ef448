using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Channels spread over blocks of pixels.</summary>
/// <param name="BlockSize">Width and height b of a block.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, b * b * C] -> y [N, H * b, W * b, C]</c>; channel (dy * b + dx) * C + c goes to pixel (dy, dx) of its block.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 126, reference kernel
/// <c>reference/depth_to_space.h</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record DepthToSpace(int BlockSize) : IOp<DepthToSpace>, IExecutable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<DepthToSpace>
{
    public static OpSchema Declaration { get; } = new("depth_to_space", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.DepthToSpace;

    public static int MaximumVersion => 2;

    public static DepthToSpace Parse(AttributeReader attributes) => new(attributes.Int("block"));

    public static DepthToSpace Read(TfLiteSource source) => new(source.Options<DepthToSpaceOptions>().BlockSize);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType is DType.I8 ? 2 : 1, new DepthToSpaceOptions { BlockSize = BlockSize });

    public void Describe(AttributeWriter attributes) => attributes.Add("block", BlockSize);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireRank(0, 4);
        int block = PixelBlocks.Require(BlockSize);
        if (!x.Shape.HasRank)
        {
            return [new(x.DType, Dimensions.Unknown(4))];
        }

        long square = (long)block * block;
        int depth = x.Shape[3];
        if (depth >= 0 && depth % square != 0)
        {
            throw new OpRuleException("channels do not fill blocks") { Found = $"{depth} channels, blocks of {square}" };
        }

        return [x.Shaped([
            x.Shape[0],
            PixelBlocks.Times(x.Shape[1], block),
            PixelBlocks.Times(x.Shape[2], block),
            depth < 0 ? -1 : (int)(depth / square)])];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new SpaceToDepth(BlockSize), g.Gradient()));

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        PixelBlocks.Plan(context.Input(0).Shape, BlockSize, out int[] sizes, out long[] deep, out long[] wide);
        StridedCopy copy = new(context.ElementSize(), sizes, deep, wide);
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }
}
