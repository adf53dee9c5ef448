using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Raw integers to real numbers, <c>y = s_x * (x - z_x)</c>; or half-precision numbers to float32.</summary>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>, f32.</para>
/// <para>Types: i8, u8, i16, i4 with one scale or one for each slice along an axis; f16, bf16.</para>
/// <para>Source: TFLite builtin 6, reference kernel <c>reference/dequantize.h</c>, versions 1 to 6.</para>
/// </remarks>
public sealed record Dequantize : IOp<Dequantize>, IExecutable, IShrinkable, ITfLiteOp<Dequantize>
{
    public static OpSchema Declaration { get; } = new("dequantize", ["x"], ["y"])
    {
        Kernels = KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Dequantize;

    public static int MaximumVersion => 6;

    public static Dequantize Parse(AttributeReader attributes) => new();

    public static Dequantize Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        TensorType x = target.Operands[0];
        int version = x.DType switch
        {
            DType.I4 => 6,
            DType.I16 or DType.F16 => 3,
            DType.I8 => x.Quant is { IsPerAxis: true } ? 5 : 2,
            _ => 1,
        };
        return new(version, new DequantizeOptions());
    }

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [new(DType.F32, operands.Require(0, DType.I8, DType.U8, DType.I16, DType.I4, DType.F16, DType.BF16).Shape)];

    public void TraceChannels(ChannelTracer t) => t.PassOn();

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.I8 => PrepareRaw<sbyte>(context),
        DType.U8 => PrepareRaw<byte>(context),
        DType.I16 => PrepareRaw<short>(context),
        DType.I4 => PrepareNibbles(context),
        DType.F16 => () => TensorPrimitives.ConvertToSingle(context.In<Half>(0), context.Out<float>(0)),
        _ => () => Widen(context.In<ushort>(0), context.Out<float>(0)),
    };

    /// <summary>bfloat16 is the upper half of a float32.</summary>
    private static void Widen(ReadOnlySpan<ushort> x, Span<float> y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = BitConverter.Int32BitsToSingle(x[i] << 16);
        }
    }

    private static Kernel PrepareRaw<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>
    {
        ActivationRange range = TensorScale.RangeOf(context.Input(0).DType);
        ChannelScales channels = ChannelScales.Of(context.Input(0), range.Low, range.High, "the operand");
        return () =>
        {
            ReadOnlySpan<T> x = context.In<T>(0);
            Span<float> y = context.Out<float>(0);
            int channel = 0;
            for (int i = 0; i < x.Length; i += channels.Inner)
            {
                AffineRows.Dequantize(
                    x.Slice(i, channels.Inner),
                    channels.Scales[channel],
                    channels.ZeroPoints[channel],
                    y.Slice(i, channels.Inner));
                channel = channel + 1 == channels.Scales.Length ? 0 : channel + 1;
            }
        };
    }

    private static Kernel PrepareNibbles(KernelContext context)
    {
        ChannelScales channels = ChannelScales.Of(context.Input(0), -8, 7, "the operand");
        return () =>
        {
            ReadOnlySpan<byte> x = context.InputBytes(0);
            Span<float> y = context.Out<float>(0);
            for (int i = 0; i < y.Length; i++)
            {
                int channel = i / channels.Inner % channels.Scales.Length;
                int nibble = (x[i >> 1] >> ((i & 1) * 4)) & 15;
                y[i] = ((nibble ^ 8) - 8 - channels.ZeroPoints[channel]) * channels.Scales[channel];
            }
        };
    }
}
