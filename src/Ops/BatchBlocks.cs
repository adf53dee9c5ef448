using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Movement;

namespace Optc.Ops;

/// <summary>What the operators share that trade positions for batches: block sizes <c>[m]</c> and border widths <c>[m, 2]</c>.</summary>
internal static class BatchBlocks
{
    /// <summary>Both operands, checked; null where they are computed.</summary>
    public static (int[]? Block, int[]? Borders) Read(OpOperands operands)
    {
        int count = operands.Length(1);
        operands.RequireRank(2, 2);
        Shape x = operands[0].Shape;
        if (x.HasRank && count >= 0 && count + 1 > x.Rank)
        {
            throw new OpRuleException("there are more block sizes than dimensions behind the batch") { Found = $"{count} for {x}" };
        }

        int[]? block = operands.Sizes(1, count);
        int[]? borders = operands.Sizes(2, count < 0 ? -1 : checked(2 * count));
        if (block is not null && borders is not null && borders.Length != 2L * block.Length)
        {
            throw new OpRuleException("block sizes and border widths do not fit") { Found = $"{block.Length} and {borders.Length}" };
        }

        foreach (int size in block ?? [])
        {
            PixelBlocks.Require(size);
        }

        foreach (int width in borders ?? [])
        {
            if (width < 0)
            {
                throw new OpRuleException("a border width is negative") { Found = $"{width}" };
            }
        }

        return (block, borders);
    }

    /// <summary>Plans the move between a tensor and its blocks.</summary>
    public static BatchBlockCopy Plan(KernelContext context, Shape whole, Shape blocked)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        int[] block = context.ConstantInts(1);
        int[] borders = context.ConstantInts(2);
        return new(
            whole[0],
            [.. whole.Dims[1..(block.Length + 1)]],
            [.. blocked.Dims[1..(block.Length + 1)]],
            block,
            [.. block.Select((_, i) => borders[2 * i])],
            (int)Dimensions.Inner(whole, block.Length + 1) * elementSize);
    }

    public static int Version(TensorType x) => x switch
    {
        { DType: DType.I16 } => 4,
        { Shape.Rank: not 4 } => 3,
        { DType: DType.I8 } => 2,
        _ => 1,
    };
}
