using Optc.Ir;
using Optc.Ops.Kernels.Movement;

namespace Optc.Ops;

/// <summary>What the operators share that trade channels for pixels, in square blocks.</summary>
internal static class PixelBlocks
{
    public static int Require(int block) => block > 0
        ? block
        : throw new OpRuleException("a block has no pixels") { Found = $"{block}", Expected = "at least 1" };

    public static int Times(int size, int block) => size < 0 ? -1 : Dimensions.Size((long)size * block);

    public static int Over(int size, int block) => size < 0 ? -1
        : size % block == 0 ? size / block
        : throw new OpRuleException("a dimension is no multiple of the block") { Found = $"{size}, blocks of {block}" };

    /// <summary>The box N, H, dy, W, dx, C with the distances of its elements in both tensors.</summary>
    /// <param name="deepShape">Shape of the tensor with more channels, <c>[N, H, W, b * b * C]</c>.</param>
    public static void Plan(Shape deepShape, int block, out int[] sizes, out long[] deep, out long[] wide)
    {
        (int height, int width, long depth) = (deepShape[1], deepShape[2], deepShape[3]);
        int channels = (int)(depth / ((long)block * block));
        sizes = [deepShape[0], height, block, width, block, channels];
        deep = [(long)height * width * depth, width * depth, (long)block * channels, depth, channels, 1];
        wide = StridedCopy.Strides(sizes);
    }
}
