using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Hyperbolic tangent, element by element.</summary>
/// <remarks>
/// <para>Types: f32; i8 to scale 1/128, zero point 0; u8 to scale 1/128, zero point 128; i16 to scale 1/32768, zero points
/// 0.</para>
/// <para>Source: TFLite builtin 28, <c>reference/integer_ops/tanh.h</c>, versions 1 to 3; u8 by the table of LiteRT's
/// <c>activations.cc</c>.</para>
/// </remarks>
public sealed record Tanh : Elementwise<Tanh>, IOp<Tanh>, IQuantizable, IDifferentiable, ITfLiteOp<Tanh>
{
    public static OpSchema Declaration { get; } = new("tanh", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Tanh;

    public static int MaximumVersion => 3;

    public static Tanh Parse(AttributeReader attributes) => new();

    public static Tanh Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(SigmoidFamily.Version(target));

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation], [OperandRule.FixedTo(1f / 128, 0, 1f / 32768)]);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.BeforeActivation(FusedActivation.Tanh, g.Gradient()));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => FloatMap.Prepare<Widened<TanhFunction>>(context),
        DType.I8 => PrepareInt8(context),
        DType.U8 => PrepareUInt8(context),
        _ => PrepareInt16(context),
    };

    private static Kernel PrepareInt8(KernelContext context)
    {
        Grid.RequireFixed(context.Output(0), 1f / 128, 0);
        Grid x = Grid.Of(context.Input(0));
        FixedPoint toQ4 = Grid.Factor((double)x.Scale * (1 << 27));
        int radius = FixedPointMath.InputRadius(4, toQ4.Exponent);
        return RawMap.Prepare(context, q =>
        {
            int centred = q - x.ZeroPoint;
            return centred <= -radius ? sbyte.MinValue
                : centred >= radius ? sbyte.MaxValue
                : FixedPoint.RoundingShiftRight(FixedPointMath.Tanh(toQ4.Scale(centred), 4), 24);
        });
    }

    private static Kernel PrepareUInt8(KernelContext context)
    {
        Grid.RequireFixed(context.Output(0), 1f / 128, 128);
        return RawMap.PrepareReal(context, FloatMap.One<Widened<TanhFunction>>);
    }

    private static Kernel PrepareInt16(KernelContext context)
    {
        SigmoidInput input = SigmoidInput.ForTanh(SigmoidFamily.WideInputScale(context));
        return RawMap.Prepare(context, q => SigmoidTable.Tanh((short)q, input));
    }
}
