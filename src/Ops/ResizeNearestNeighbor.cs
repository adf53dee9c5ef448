using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Resize;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Images of another size, each pixel a copy of the nearest one.</summary>
/// <param name="AlignCorners">The corner pixels of both images coincide.</param>
/// <param name="HalfPixelCenters">Pixels are points in the middle of squares, not at their corners.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], size [2] -> y [N, size0, size1, C]</c>; size i32.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 97, reference kernel
/// <c>reference/resize_nearest_neighbor.h</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record ResizeNearestNeighbor(bool AlignCorners = false, bool HalfPixelCenters = false)
    : IOp<ResizeNearestNeighbor>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<ResizeNearestNeighbor>
{
    public static OpSchema Declaration { get; } = new("resize_nearest_neighbor", ["x", "size"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ResizeNearestNeighbor;

    public static int MaximumVersion => 4;

    public static ResizeNearestNeighbor Parse(AttributeReader attributes) =>
        new(attributes.Bool("align_corners"), attributes.Bool("half_pixel_centers"));

    public static ResizeNearestNeighbor Read(TfLiteSource source)
    {
        ResizeNearestNeighborOptions options = source.Options<ResizeNearestNeighborOptions>();
        return new(options.AlignCorners, options.HalfPixelCenters);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 4,
            _ when HalfPixelCenters || AlignCorners => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new ResizeNearestNeighborOptions { AlignCorners = AlignCorners, HalfPixelCenters = HalfPixelCenters });

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("align_corners", AlignCorners).Add("half_pixel_centers", HalfPixelCenters);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [ImageSizes.Infer(operands)];

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        g.Give(0, g.Add(new ResizeNearestNeighborGradient(x[1], x[2], AlignCorners, HalfPixelCenters), g.Gradient()));
    }

    public void TraceChannels(ChannelTracer t) => t.PassOnChannels();

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        (Shape x, Shape y) = (context.Input(0).Shape, context.Output(0).Shape);
        int pixel = x[3] * context.ElementSize();
        int[] rows = ResizeAxis.Nearest(x[1], y[1], AlignCorners, HalfPixelCenters);
        int[] columns = ResizeAxis.Nearest(x[2], y[2], AlignCorners, HalfPixelCenters);
        (int sourceRow, int targetRow) = (x[2] * pixel, y[2] * pixel);
        int images = x[0];
        return () =>
        {
            Span<byte> to = context.OutputBytes(0);
            for (int n = 0; n < images; n++)
            {
                ReadOnlySpan<byte> image = context.InputBytes(0).Slice(n * x[1] * sourceRow, x[1] * sourceRow);
                Span<byte> target = to.Slice(n * rows.Length * targetRow, rows.Length * targetRow);
                for (int r = 0; r < rows.Length; r++)
                {
                    Span<byte> row = target.Slice(r * targetRow, targetRow);
                    if (r > 0 && rows[r] == rows[r - 1])
                    {
                        target.Slice((r - 1) * targetRow, targetRow).CopyTo(row);
                    }
                    else
                    {
                        Pixels(image.Slice(rows[r] * sourceRow, sourceRow), row, columns, pixel);
                    }
                }
            }
        };
    }

    private static void Pixels(ReadOnlySpan<byte> source, Span<byte> target, int[] columns, int pixel)
    {
        for (int i = 0; i < columns.Length; i++)
        {
            source.Slice(columns[i] * pixel, pixel).CopyTo(target[(i * pixel)..]);
        }
    }
}
