using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Resize;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Images of another size, interpolated linearly along both axes.</summary>
/// <param name="AlignCorners">The corner pixels of both images coincide.</param>
/// <param name="HalfPixelCenters">Pixels are points in the middle of squares, not at their corners; excludes the other flag.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], size [2] -> y [N, size0, size1, C]</c>; size i32.</para>
/// <para>
/// Types: f32; i8 and i16 with positions in 1/1024, quantized alike; u8 by the float formula, rounded half up.
/// </para>
/// <para>Source: TFLite builtin 23, reference kernel <c>reference/resize_bilinear.h</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record ResizeBilinear(bool AlignCorners = false, bool HalfPixelCenters = false)
    : IOp<ResizeBilinear>, IExecutable, IShrinkable, IQuantizable, IDifferentiable, ITfLiteOp<ResizeBilinear>
{
    private delegate void Row<T>(ReadOnlySpan<T> lower, ReadOnlySpan<T> upper, int row, Span<T> y);

    public static OpSchema Declaration { get; } = new("resize_bilinear", ["x", "size"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.ResizeBilinear;

    public static int MaximumVersion => 4;

    public static ResizeBilinear Parse(AttributeReader attributes) =>
        new(attributes.Bool("align_corners"), attributes.Bool("half_pixel_centers"));

    public static ResizeBilinear Read(TfLiteSource source)
    {
        ResizeBilinearOptions options = source.Options<ResizeBilinearOptions>();
        return new(options.AlignCorners, options.HalfPixelCenters);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 4,
            _ when HalfPixelCenters => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new ResizeBilinearOptions { AlignCorners = AlignCorners, HalfPixelCenters = HalfPixelCenters });

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("align_corners", AlignCorners).Add("half_pixel_centers", HalfPixelCenters);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.Require(0, DType.F32, DType.I8, DType.I16, DType.U8);
        return AlignCorners && HalfPixelCenters
            ? throw new OpRuleException("corners cannot be aligned with half-pixel centres") { Found = "align_corners and half_pixel_centers" }
            : [ImageSizes.Infer(operands)];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        g.Give(0, g.Add(new ResizeBilinearGradient(x[1], x[2], AlignCorners, HalfPixelCenters), g.Gradient()));
    }

    public void TraceChannels(ChannelTracer t) => t.PassOnChannels();

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        context.ElementSize();
        (Shape x, Shape y) = (context.Input(0).Shape, context.Output(0).Shape);
        bool once = context.Rounding is RoundingProfile.Xnnpack && context.Input(0).DType is DType.I8;
        bool integer = context.Input(0).DType is DType.I8 or DType.I16;
        ResizeAxis rows = Axis(x[1], y[1], integer, once);
        ResizeAxis columns = Axis(x[2], y[2], integer, once);
        int channels = x[3];
        return context.Input(0).DType switch
        {
            DType.F32 => Prepare<float>(context, rows, (a, b, r, to) => BilinearRow.Float(a, b, rows.Fraction[r], columns, channels, to)),
            DType.U8 => Prepare<byte>(context, rows, (a, b, r, to) => BilinearRow.Legacy(a, b, rows.Fraction[r], columns, channels, to)),
            DType.I8 when once => Prepare<sbyte>(context, rows, (a, b, r, to) => BilinearRow.OnceRounded(a, b, rows.Fixed[r], columns, channels, to)),
            DType.I8 => Prepare<sbyte>(context, rows, (a, b, r, to) => BilinearRow.Int8(a, b, rows.Fixed[r], columns, channels, to)),
            _ => Prepare<short>(context, rows, (a, b, r, to) => BilinearRow.Int16(a, b, rows.Fixed[r], columns, channels, to)),
        };
    }

    private static Kernel Prepare<T>(KernelContext context, ResizeAxis rows, Row<T> compute)
        where T : unmanaged
    {
        (Shape x, Shape y) = (context.Input(0).Shape, context.Output(0).Shape);
        (int sourceRow, int targetRow) = (x[2] * x[3], y[2] * y[3]);
        int images = x[0];
        int height = y[1];
        void OneRow(int chunk, int worker)
        {
            (int image, int row) = (chunk / height, chunk % height);
            ReadOnlySpan<T> source = context.In<T>(0).Slice(image * x[1] * sourceRow, x[1] * sourceRow);
            compute(
                source.Slice(rows.Lower[row] * sourceRow, sourceRow),
                source.Slice(rows.Upper[row] * sourceRow, sourceRow),
                row,
                context.Out<T>(0).Slice(chunk * targetRow, targetRow));
        }

        Action<int, int> body = OneRow;
        return () => context.Workers.Run(images * height, body);
    }

    private ResizeAxis Axis(int input, int output, bool integer, bool once) =>
        once ? ResizeAxis.BilinearEleven(input, output, AlignCorners, HalfPixelCenters)
        : integer ? ResizeAxis.BilinearFixed(input, output, AlignCorners, HalfPixelCenters)
        : ResizeAxis.Bilinear(input, output, AlignCorners, HalfPixelCenters);
}
