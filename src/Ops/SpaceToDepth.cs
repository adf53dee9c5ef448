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

/// <summary>Blocks of pixels gathered into channels.</summary>
/// <param name="BlockSize">Width and height b of a block.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H * b, W * b, C] -> y [N, H, W, b * b * C]</c>; pixel (dy, dx) of a block goes to channels from (dy * b + dx) * C.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 26, reference kernel
/// <c>reference/space_to_depth.h</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record SpaceToDepth(int BlockSize) : IOp<SpaceToDepth>, IExecutable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<SpaceToDepth>
{
    public static OpSchema Declaration { get; } = new("space_to_depth", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.SpaceToDepth;

    public static int MaximumVersion => 2;

    public static SpaceToDepth Parse(AttributeReader attributes) => new(attributes.Int("block"));

    public static SpaceToDepth Read(TfLiteSource source) => new(source.Options<SpaceToDepthOptions>().BlockSize);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType is DType.I8 ? 2 : 1, new SpaceToDepthOptions { BlockSize = BlockSize });

    public void Describe(AttributeWriter attributes) => attributes.Add("block", BlockSize);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireRank(0, 4);
        int block = PixelBlocks.Require(BlockSize);
        if (!x.Shape.HasRank)
        {
            return [new(x.DType, Dimensions.Unknown(4))];
        }

        return [x.Shaped([
            x.Shape[0],
            PixelBlocks.Over(x.Shape[1], block),
            PixelBlocks.Over(x.Shape[2], block),
            x.Shape[3] < 0 ? -1 : PixelBlocks.Times(PixelBlocks.Times(x.Shape[3], block), block)])];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new DepthToSpace(BlockSize), g.Gradient()));

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        PixelBlocks.Plan(context.Output(0).Shape, BlockSize, out int[] sizes, out long[] deep, out long[] wide);
        StridedCopy copy = new(context.ElementSize(), sizes, wide, deep);
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }
}
