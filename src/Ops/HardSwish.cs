using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Piecewise approximation of swish, element by element: <c>y = x * min(max(x + 3, 0), 6) / 6</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 and u8 with one scale and zero point per tensor, chosen for x and y independently.</para>
/// <para>Source: TFLite builtin 117, <c>reference/hard_swish.h</c>, version 1. The integer kernel works on 16 bits.</para>
/// </remarks>
public sealed record HardSwish : Elementwise<HardSwish>, IOp<HardSwish>, IQuantizable, IDifferentiable, ITfLiteOp<HardSwish>
{
    public static OpSchema Declaration { get; } = new("hard_swish", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.HardSwish;

    public static int MaximumVersion => 1;

    public static HardSwish Parse(AttributeReader attributes) => new();

    public static HardSwish Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new HardSwishOptions());

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary with { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g)
    {
        Value x = g.Input(0);
        Value slope = g.Plus(g.Multiply(x, 1f / 3), g.Scalar(0.5f));
        Value limited = g.Choose(g.Add(new GreaterEqual(), x, g.Scalar(3)), g.Scalar(1), slope);
        g.Give(0, g.OnlyWhere(g.Add(new Greater(), x, g.Scalar(-3)), g.Multiply(g.Gradient(), limited)));
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? FloatMap.Prepare<HardSwishFunction>(context)
        : RawMap.Prepare(context, PrepareInteger(Grid.Of(context.Input(0)), Grid.Of(context.Output(0))));

    private static Func<int, int> PrepareInteger(Grid x, Grid y)
    {
        float fineScale = 1f / 128 * x.Scale;
        const float GateScale = 3f / 32768;
        FixedPoint toOutput = Grid.Factor(fineScale / y.Scale);
        FixedPoint toGate = Grid.Factor(fineScale / GateScale);
        if (toOutput.Exponent > 0)
        {
            throw new OpRuleException("the scale of the result is too small for that of the operand")
            {
                Found = $"{y.Scale:R}",
                Expected = $"more than {fineScale:R}",
            };
        }

        return q =>
        {
            short fine = (short)((q - x.ZeroPoint) << 7);
            short product = FixedPoint.RoundingHighProduct16(fine, (short)toOutput.Mantissa16);
            int gate = (Gate(fine, toGate) + (1 << 15)) >> 1;
            return FixedPoint.RoundingShiftRight(gate * product / (1 << 15), -toOutput.Exponent) + y.ZeroPoint;
        };
    }

    /// <summary>The operand in units of 3/32768, limited to 16 bits: 3 is the first value that no longer fits.</summary>
    private static int Gate(short fine, FixedPoint factor)
    {
        short value = fine;
        if (factor.Exponent > 0)
        {
            value = FixedPoint.SaturateToInt16(FixedPoint.ShiftLeftSaturating(value, factor.Exponent - 1));
        }

        value = FixedPoint.RoundingHighProduct16(value, (short)factor.Mantissa16);
        return factor.Exponent > 0
            ? FixedPoint.SaturateToInt16(value * 2)
            : FixedPoint.RoundingShiftRight(value, -factor.Exponent);
    }
}
