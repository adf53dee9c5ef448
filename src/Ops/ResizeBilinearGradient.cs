using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Resize;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="ResizeBilinear"/>: each pixel's gradient goes back to the pixels it was made of.</summary>
/// <param name="Height">Height H of the image before it was resized.</param>
/// <param name="Width">Width W of the image before it was resized.</param>
/// <param name="AlignCorners">As in the forward op.</param>
/// <param name="HalfPixelCenters">As in the forward op.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, H', W', C] -> dx [N, H, W, C]</c>.</para>
/// <para>Types: f32. Images are independent of each other; within one, sums run in row-major order of dy.</para>
/// </remarks>
public sealed record ResizeBilinearGradient(int Height, int Width, bool AlignCorners, bool HalfPixelCenters)
    : IOp<ResizeBilinearGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("resize_bilinear_gradient", ["dy"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static ResizeBilinearGradient Parse(AttributeReader attributes) => new(
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
        ResizeAxis rows = ResizeAxis.Bilinear(Height, dy[1], AlignCorners, HalfPixelCenters);
        ResizeAxis columns = ResizeAxis.Bilinear(Width, dy[2], AlignCorners, HalfPixelCenters);
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

    private void Image(ReadOnlySpan<float> dy, Span<float> dx, ResizeAxis rows, ResizeAxis columns, int channels)
    {
        dx.Clear();
        int width = columns.Lower.Length;
        for (int r = 0; r < rows.Lower.Length; r++)
        {
            ReadOnlySpan<float> source = dy.Slice(r * width * channels, width * channels);
            Row(source, dx.Slice(rows.Lower[r] * Width * channels, Width * channels), 1 - rows.Fraction[r], columns, channels);
            Row(source, dx.Slice(rows.Upper[r] * Width * channels, Width * channels), rows.Fraction[r], columns, channels);
        }
    }

    private static void Row(ReadOnlySpan<float> source, Span<float> target, float weight, ResizeAxis columns, int channels)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            ReadOnlySpan<float> pixel = source.Slice(i * channels, channels);
            float fraction = columns.Fraction[i];
            AddScaled(pixel, weight * (1 - fraction), target.Slice(columns.Lower[i] * channels, channels));
            AddScaled(pixel, weight * fraction, target.Slice(columns.Upper[i] * channels, channels));
        }
    }

    private static void AddScaled(ReadOnlySpan<float> source, float factor, Span<float> target)
    {
        for (int c = 0; c < source.Length; c++)
        {
            target[c] += factor * source[c];
        }
    }
}
