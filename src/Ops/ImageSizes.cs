using Optc.Ir;

namespace Optc.Ops;

/// <summary>What the resizing operators share: the image <c>[N, H, W, C]</c> and an operand with the new height and width.</summary>
internal static class ImageSizes
{
    /// <summary>Type of a resized image; height and width are unknown while they are computed.</summary>
    public static TensorType Infer(OpOperands operands)
    {
        TensorType x = operands.RequireRank(0, 4);
        operands.Require(1, DType.I32);
        int[]? size = operands.Sizes(1, 2);
        if (size is not null && (size[0] < 1 || size[1] < 1))
        {
            throw new OpRuleException("an image has no pixels") { Found = $"{size[0]} x {size[1]}" };
        }

        (int n, int c) = x.Shape.HasRank ? (x.Shape[0], x.Shape[3]) : (-1, -1);
        if (x.Shape.HasRank && (x.Shape[1] == 0 || x.Shape[2] == 0))
        {
            throw new OpRuleException("an image without pixels cannot be resized") { Found = x.Shape.ToString() };
        }

        return x.Shaped([n, size?[0] ?? -1, size?[1] ?? -1, c]);
    }
}
