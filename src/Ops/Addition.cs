using System.Numerics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;

namespace Optc.Ops;

/// <summary>ADD and SUB.</summary>
/// <param name="Activation">Limits the result.</param>
/// <param name="PotScaleInt16">
/// The flag <c>pot_scale_int16</c> of the format: tells LiteRT that all scales of an int16 operator are powers of two.
/// The kernels here, like TFLite Micro's, compute the general formula either way.
/// </param>
public abstract record Addition(FusedActivation Activation, bool PotScaleInt16) : Arithmetic(Activation), IQuantizable, IDifferentiable
{
    /// <summary>Bits that the common scale of the operands has more.</summary>
    private const int ShiftOf8Bits = 20;
    private const int ShiftOf16Bits = 15;

    private protected override DType[] ElementTypes => [DType.F32, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64];

    private protected abstract bool Subtracts { get; }

    public override void Describe(AttributeWriter attributes)
    {
        base.Describe(attributes);
        attributes.Add("pot_scale_int16", PotScaleInt16);
    }

    public QuantRule QuantRule(OpOperands operands) => BinaryRule(KernelTypes.I8 | KernelTypes.I16);

    public override OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Corners, RoundingFreedom.NearReal);

    public override void TraceChannels(ChannelTracer t) => ElementwiseChannels.Sum(t, ChannelTracer.KeepsZero(Activation), c => c == 0);

    public override Kernel Prepare(KernelContext context) => context.Input(0) switch
    {
        { DType: DType.F32 } => PreparePlain<float>(context),
        { DType: DType.I8 } => PrepareQuantized<sbyte>(context, ShiftOf8Bits),
        { DType: DType.U8 } => PrepareQuantized<byte>(context, ShiftOf8Bits),
        { DType: DType.I16, Quant: not null } => PrepareQuantized<short>(context, ShiftOf16Bits),
        { DType: DType.I16 } => PreparePlain<short>(context),
        { DType: DType.I32 } => PreparePlain<int>(context),
        { DType: DType.I64 } => PreparePlain<long>(context),
        _ => throw NoKernel(context),
    };

    public void Differentiate(GradientBuilder g)
    {
        Value gradient = g.BeforeActivation(Activation, g.Gradient());
        if (g.Wants(0))
        {
            g.Give(0, g.SumTo(gradient, g.Input(0).Type.Shape));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(Subtracts ? g.Negative(gradient) : gradient, g.Input(1).Type.Shape));
        }
    }

    /// <summary>Factors of both operands, towards the common scale, and from there to the scale of the result.</summary>
    private protected abstract (FixedPoint First, FixedPoint Second, FixedPoint Result) Factors(
        float first, float second, float result, int leftShift);

    private Kernel PreparePlain<T>(KernelContext context)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> => Subtracts
        ? Broadcasting.Plain<T, DifferenceOf<T>>(context, new(LimitsOf<T>()))
        : Broadcasting.Plain<T, SumOf<T>>(context, new(LimitsOf<T>()));

    private Kernel PrepareQuantized<T>(KernelContext context, int leftShift)
        where T : unmanaged, IBinaryInteger<T>
    {
        TensorScale a = TensorScale.Of(context.Input(0), "the first operand");
        TensorScale b = TensorScale.Of(context.Input(1), "the second operand");
        TensorScale y = TensorScale.Of(context.Output(0), "the result");
        DType type = context.Input(0).DType;
        ActivationRange range = y.Range(type, Activation);
        if (context.Rounding is RoundingProfile.Xnnpack
            && type is DType.I8
            && IsInt8(a.ZeroPoint) && IsInt8(b.ZeroPoint) && IsInt8(y.ZeroPoint)
            && XnnpackSum.TryCreate(a.Scale, b.Scale, y.Scale, Subtracts, out XnnpackSum sum))
        {
            return Broadcasting.Quantized<T, OnceRoundedSum>(context, new(sum, a.ZeroPoint, b.ZeroPoint, y.ZeroPoint, range));
        }

        (FixedPoint first, FixedPoint second, FixedPoint result) = Factors(a.Scale, b.Scale, y.Scale, leftShift);
        return Broadcasting.Quantized<T, Optc.Ops.Kernels.Elementwise.QuantizedSum>(context, new(
            new(a.ZeroPoint, leftShift, first),
            new(b.ZeroPoint, leftShift, second),
            new(y.ZeroPoint, result, range),
            Subtracts));
    }

    private static bool IsInt8(int zeroPoint) => zeroPoint is >= sbyte.MinValue and <= sbyte.MaxValue;
}
