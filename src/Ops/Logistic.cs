using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Logistic function, element by element: <c>y = 1 / (1 + exp(-x))</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 and u8 to scale 1/256 with the smallest raw value as zero point; i16 to scale 1/32768, zero points
/// 0.</para>
/// <para>Source: TFLite builtin 14, <c>reference/integer_ops/logistic.h</c>, versions 1 to 3; u8 by the table of LiteRT's
/// <c>activations.cc</c>.</para>
/// </remarks>
public sealed record Logistic : Elementwise<Logistic>, IOp<Logistic>, IQuantizable, IDifferentiable, ITfLiteOp<Logistic>
{
    public static OpSchema Declaration { get; } = new("logistic", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Logistic;

    public static int MaximumVersion => 3;

    public static Logistic Parse(AttributeReader attributes) => new();

    public static Logistic Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(SigmoidFamily.Version(target));

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation], [OperandRule.FixedTo(1f / 256, -128, 1f / 32768)]);

    public void Differentiate(GradientBuilder g) =>
        g.Give(0, g.Multiply(g.Gradient(), g.Minus(g.Output(), g.Multiply(g.Output(), g.Output()))));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => FloatMap.Prepare<LogisticFunction>(context),
        DType.I8 => PrepareInt8(context),
        DType.U8 => PrepareUInt8(context),
        _ => PrepareInt16(context),
    };

    private static Kernel PrepareInt8(KernelContext context)
    {
        Grid.RequireFixed(context.Output(0), 1f / 256, sbyte.MinValue);
        Grid x = Grid.Of(context.Input(0));
        FixedPoint toQ4 = Grid.Factor((double)x.Scale * (1 << 27));
        int radius = FixedPointMath.InputRadius(4, toQ4.Exponent);
        return RawMap.Prepare(context, q =>
        {
            int centred = q - x.ZeroPoint;
            return centred <= -radius ? sbyte.MinValue
                : centred >= radius ? sbyte.MaxValue
                : FixedPoint.RoundingShiftRight(FixedPointMath.Logistic(toQ4.Scale(centred), 4), 23) - 128;
        });
    }

    private static Kernel PrepareUInt8(KernelContext context)
    {
        Grid.RequireFixed(context.Output(0), 1f / 256, byte.MinValue);
        return RawMap.PrepareReal(context, FloatMap.One<LogisticFunction>);
    }

    private static Kernel PrepareInt16(KernelContext context)
    {
        SigmoidInput input = SigmoidInput.ForLogistic(SigmoidFamily.WideInputScale(context));
        return RawMap.Prepare(context, q => SigmoidTable.Logistic((short)q, input));
    }

    private protected override bool KeepsZero => false;
}
