using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Product of two operands, element by element: <c>y = activation(a * b)</c>.</summary>
/// <inheritdoc cref="Arithmetic"/>
/// <remarks>
/// <para>Shape: <c>a [any], b [any] -> y [broadcast]</c>, up to 8 dimensions.</para>
/// <para>Types: f32; i8, u8, i16 with one scale and zero point for each tensor (i16: zero points 0); i16, i32, i64 as
/// plain integers, which wrap, then are limited by the activation.</para>
/// <para>Source: TFLite builtin 18, reference kernels <c>reference/mul.h</c> and <c>integer_ops/mul.h</c>, versions 1 to 7.
/// </para>
/// </remarks>
public sealed record Mul(FusedActivation Activation = FusedActivation.None)
    : Arithmetic(Activation), IOp<Mul>, IQuantizable, IDifferentiable, ITfLiteOp<Mul>
{
    public static OpSchema Declaration { get; } = new("mul", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Mul;

    public static int MaximumVersion => 7;

    private protected override DType[] ElementTypes => [DType.F32, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64];

    public static Mul Parse(AttributeReader attributes) => new(attributes.Enum<FusedActivation>("activation"));

    public static Mul Read(TfLiteSource source) =>
        new((FusedActivation)source.Options<MulOptions>().FusedActivationFunction);

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        TensorType a = target.Operands[0];
        int version = a.DType switch
        {
            DType.I16 when a.Quant is null => 7,
            DType.I64 => 5,
            DType.I16 => 4,
            _ when Amplifies(a, target.Operands[1], target.Output()) => 3,
            DType.I8 => 2,
            _ => 1,
        };
        return new(version, new MulOptions { FusedActivationFunction = ActivationCode });
    }

    public QuantRule QuantRule(OpOperands operands) => BinaryRule(KernelTypes.I8 | KernelTypes.I16);

    public void Differentiate(GradientBuilder g)
    {
        Value gradient = g.BeforeActivation(Activation, g.Gradient());
        if (g.Wants(0))
        {
            g.Give(0, g.SumTo(g.Multiply(gradient, g.Input(1)), g.Input(0).Type.Shape));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(g.Multiply(gradient, g.Input(0)), g.Input(1).Type.Shape));
        }
    }

    public override OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Corners, RoundingFreedom.NearReal);

    public override void TraceChannels(ChannelTracer t) => ElementwiseChannels.Product(t, ChannelTracer.KeepsZero(Activation));

    public override Kernel Prepare(KernelContext context) => context.Input(0) switch
    {
        { DType: DType.F32 } => PreparePlain<float>(context),
        { DType: DType.I8 } => PrepareQuantized<sbyte>(context),
        { DType: DType.U8 } => PrepareQuantized<byte>(context),
        { DType: DType.I16, Quant: not null } => PrepareQuantized<short>(context),
        { DType: DType.I16 } => PreparePlain<short>(context),
        { DType: DType.I32 } => PreparePlain<int>(context),
        { DType: DType.I64 } => PreparePlain<long>(context),
        _ => throw NoKernel(context),
    };

    private Kernel PreparePlain<T>(KernelContext context)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
        Broadcasting.Plain<T, ProductOf<T>>(context, new(LimitsOf<T>()));

    private Kernel PrepareQuantized<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>
    {
        TensorScale a = TensorScale.Of(context.Input(0), "the first operand");
        TensorScale b = TensorScale.Of(context.Input(1), "the second operand");
        TensorScale y = TensorScale.Of(context.Output(0), "the result");
        DType type = context.Input(0).DType;
        if (type is DType.I16 && (a.ZeroPoint | b.ZeroPoint | y.ZeroPoint) != 0)
        {
            throw new OpRuleException("the zero points of a 16-bit product must be 0")
            {
                Found = $"{a.ZeroPoint}, {b.ZeroPoint} and {y.ZeroPoint}",
            };
        }

        ActivationRange range = y.Range(type, Activation);
        if (context.Rounding is RoundingProfile.Xnnpack && type is DType.I8)
        {
            // XNNPACK leaves other ratios to LiteRT's own kernel.
            FloatRequantizer factor = FloatRequantizer.Of(a.Scale, b.Scale, y.Scale);
            if (factor.Factor is >= 1f / 65536 and < 256)
            {
                return Broadcasting.Quantized<T, OnceRoundedProduct>(
                    context, new(factor, a.ZeroPoint, b.ZeroPoint, y.ZeroPoint, range));
            }
        }

        FixedPoint ratio = ScaleRatio.Of((double)a.Scale * b.Scale / y.Scale, "a product");
        return Broadcasting.Quantized<T, QuantizedProduct>(
            context, new(a.ZeroPoint, b.ZeroPoint, new(y.ZeroPoint, ratio, range)));
    }

    /// <summary>True when the product of the scales is not below the scale of the result; older kernels refuse that.</summary>
    private static bool Amplifies(TensorType a, TensorType b, TensorType y) =>
        a.Quant is { Scales.IsEmpty: false } first
        && b.Quant is { Scales.IsEmpty: false } second
        && y.Quant is { Scales.IsEmpty: false } result
        && (double)first.Scale * second.Scale / result.Scale >= 1;
}
