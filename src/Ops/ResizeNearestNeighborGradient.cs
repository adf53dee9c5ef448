using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Resize;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="ResizeNearestNeighbor"/>: each pixel's gradient goes back to the pixels it was made of.</summary>
/// <param name="Height">Height H of the image before it was resized.</param>
/// <param name="Width">Width W of the image before it was resized.</param>
/// <param name="AlignCorners">As in the forward op.</param>
/// <param name="HalfPixelCenters">As in the forward op.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, H', W', C] -> dx [N, H, W, C]</c>.</para>
/// <para>Types: f32. Images are independent of each other; within one, sums run in row-major order of dy.</para>
/// </remarks>
public sealed record ResizeNearestNeighborGradient(int Height, int Width, bool AlignCorners, bool HalfPixelCenters)
    : IOp<ResizeNearestNeighborGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("resize_nearest_neighbor_gradient", ["dy"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static ResizeNearestNeighborGradient Parse(AttributeReader attributes) => new(
        attributes.Int("height"), attributes.Int("width"), attributes.Bool("align_corners"), attributes.Bool("half_pixel_centers"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("height", Height)
        .Add("width", Width)
        .Add("align_corners", AlignCorners)
        .Add("half_pixel_centers", HalfPixelCenters);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.Require(0, DType.F32);
        TensorType dy = operands.RequireRank(0, 4);
        if (Height < 1 || Width < 1)
        {
            throw new OpRuleException("an image has no pixels") { Found = $"{Height} x {Width}" };
        }

        (int n, int c) = dy.Shape.HasRank ? (dy.Shape[0], dy.Shape[3]) : (-1, -1);
        return [dy.Shaped([n, Height, Width, c])];
    }

    public Kernel Prepare(KernelContext context)
    {
        Shape dy = context.Input(0).Shape;
        int channels = dy[3];
        int[] rows = ResizeAxis.Nearest(Height, dy[1], AlignCorners, HalfPixelCenters);
        int[] columns = ResizeAxis.Nearest(Width, dy[2], AlignCorners, HalfPixelCenters);
        int source = dy[1] * dy[2] * channels;
        int target = Height * Width * channels;
        Action<int, int> body = (image, _) => Image(
            context.In<float>(0).Slice(image * source, source),
            context.Out<float>(0).Slice(image * target, target),
            rows,
            columns,
            channels);
        int images = dy[0];
        return () => context.Workers.Run(images, body);
    }

    private void Image(ReadOnlySpan<float> dy, Span<float> dx, int[] rows, int[] columns, int channels)
    {
        dx.Clear();
        for (int r = 0; r < rows.Length; r++)
        {
            ReadOnlySpan<float> source = dy.Slice(r * columns.Length * channels, columns.Length * channels);
            Span<float> target = dx.Slice(rows[r] * Width * channels, Width * channels);
            for (int i = 0; i < columns.Length; i++)
            {
                ReadOnlySpan<float> pixel = source.Slice(i * channels, channels);
                Span<float> sum = target.Slice(columns[i] * channels, channels);
                for (int c = 0; c < sum.Length; c++)
                {
                    sum[c] += pixel[c];
                }
            }
        }
    }
}
