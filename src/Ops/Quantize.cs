using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>
/// Real numbers to raw integers, <c>y = clamp(round(x / s_y) + z_y)</c>, halves away from zero; or raw integers of one
/// quantization to those of another.
/// </summary>
/// <param name="To">Element type of the result; <see langword="null"/> for the one that the graph declares.</param>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>.</para>
/// <para>Types: f32 to i8, u8, i16, i4, with one scale or one for each slice along an axis; and per tensor i8 to i8, u8,
/// i16, i32; u8 to u8, i8; i16 to i8, i16, i32; i32 to i8, i16.</para>
/// <para>Source: TFLite builtin 114, reference kernels <c>reference/quantize.h</c> and <c>requantize.h</c>, versions 1 to 4.
/// </para>
/// </remarks>
public sealed record Quantize(DType? To = null) : IOp<Quantize>, IExecutable, IShrinkable, IBoundsOutputs, ITfLiteOp<Quantize>
{
    public static OpSchema Declaration { get; } = new("quantize", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.Quantize;

    public static int MaximumVersion => 4;

    public static Quantize Parse(AttributeReader attributes) => new(ResultType.Parse(attributes));

    public static Quantize Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        TensorType y = target.Output();
        int version = y.DType is DType.I4 ? 4
            : y.Quant is { IsPerAxis: true } ? 3
            : y.DType is DType.I16 ? 2
            : 1;
        return new(version, new QuantizeOptions());
    }

    public void Describe(AttributeWriter attributes) => ResultType.Describe(To, attributes);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32, DType.I8, DType.U8, DType.I16, DType.I32);
        DType to = ResultType.Resolve(To, operands);
        DType[] results = x.DType switch
        {
            DType.F32 => [DType.I8, DType.U8, DType.I16, DType.I4],
            DType.I8 => [DType.I8, DType.U8, DType.I16, DType.I32],
            DType.U8 => [DType.U8, DType.I8],
            DType.I16 => [DType.I8, DType.I16, DType.I32],
            _ => [DType.I8, DType.I16],
        };
        return results.Contains(to)
            ? [new(to, x.Shape)]
            : throw new OpRuleException($"{x.DType.Name} cannot be quantized to this element type")
            {
                Found = to.Name,
                Expected = string.Join(" or ", results.Select(r => r.Name)),
            };
    }

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Codes, RoundingFreedom.NearOperand);

    public void TraceChannels(ChannelTracer t) => t.PassOn();

    public Kernel Prepare(KernelContext context) => (context.Input(0).DType, context.Output(0).DType) switch
    {
        (DType.F32, DType.I8) => PrepareReal<sbyte>(context),
        (DType.F32, DType.U8) => PrepareReal<byte>(context),
        (DType.F32, DType.I16) => PrepareReal<short>(context),
        (DType.F32, _) => PrepareNibbles(context),
        (DType.I8, DType.I8) => PrepareInt8(context),
        (DType.I8, DType.U8) => PrepareRaw<sbyte, byte>(context),
        (DType.I8, DType.I16) => PrepareRaw<sbyte, short>(context),
        (DType.I8, _) => PrepareRaw<sbyte, int>(context),
        (DType.U8, DType.U8) => PrepareRaw<byte, byte>(context),
        (DType.U8, _) => PrepareRaw<byte, sbyte>(context),
        (DType.I16, DType.I8) => PrepareRaw<short, sbyte>(context),
        (DType.I16, DType.I16) => PrepareRaw<short, short>(context),
        (DType.I16, _) => PrepareRaw<short, int>(context),
        (_, DType.I8) => PrepareRaw<int, sbyte>(context),
        _ => PrepareRaw<int, short>(context),
    };

    private static Kernel PrepareReal<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>
    {
        ActivationRange range = TensorScale.RangeOf(context.Output(0).DType);
        ChannelScales channels = ChannelScales.Of(context.Output(0), range.Low, range.High, "the result");
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<T> y = context.Out<T>(0);
            int channel = 0;
            for (int i = 0; i < x.Length; i += channels.Inner)
            {
                AffineRows.Quantize(
                    x.Slice(i, channels.Inner),
                    channels.Scales[channel],
                    channels.ZeroPoints[channel],
                    range,
                    y.Slice(i, channels.Inner));
                channel = channel + 1 == channels.Scales.Length ? 0 : channel + 1;
            }
        };
    }

    private static Kernel PrepareNibbles(KernelContext context)
    {
        ActivationRange range = new(-8, 7);
        ChannelScales channels = ChannelScales.Of(context.Output(0), range.Low, range.High, "the result");
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<byte> y = context.OutputBytes(0);
            y.Clear();
            for (int i = 0; i < x.Length; i++)
            {
                int channel = i / channels.Inner % channels.Scales.Length;
                int raw = AffineRows.Quantize(x[i], channels.Scales[channel], channels.ZeroPoints[channel], range);
                y[i >> 1] |= (byte)((raw & 15) << ((i & 1) * 4));
            }
        };
    }

    private static Kernel PrepareInt8(KernelContext context)
    {
        TensorScale x = TensorScale.Of(context.Input(0), "the operand");
        TensorScale y = TensorScale.Of(context.Output(0), "the result");
        if (context.Rounding is not RoundingProfile.Xnnpack || !XnnpackRescale.TryCreate(x.Scale / y.Scale, out XnnpackRescale rescale))
        {
            return PrepareRaw<sbyte, sbyte>(context);
        }

        return () =>
        {
            ReadOnlySpan<sbyte> from = context.In<sbyte>(0);
            Span<sbyte> to = context.Out<sbyte>(0);
            for (int i = 0; i < from.Length; i++)
            {
                to[i] = sbyte.CreateSaturating(rescale.Apply(from[i] - x.ZeroPoint) + y.ZeroPoint);
            }
        };
    }

    private static Kernel PrepareRaw<TFrom, TTo>(KernelContext context)
        where TFrom : unmanaged, IBinaryInteger<TFrom>
        where TTo : unmanaged, IBinaryInteger<TTo>
    {
        TensorScale x = TensorScale.Of(context.Input(0), "the operand");
        TensorScale y = TensorScale.Of(context.Output(0), "the result");
        QuantizedResult result = new(
            y.ZeroPoint,
            ScaleRatio.Of((double)x.Scale / y.Scale, "operand and result"),
            TensorScale.RangeOf(context.Output(0).DType));
        return () => AffineRows.Requantize(context.In<TFrom>(0), x.ZeroPoint, result, context.Out<TTo>(0));
    }
}
