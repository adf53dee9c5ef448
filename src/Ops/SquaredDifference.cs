using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Square of the difference of two operands, element by element: <c>y = (a - b)^2</c>.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32; i32, wrapping; i8 with one scale and zero point for each tensor; i16 likewise, zero points 0.</para>
/// <para>Source: TFLite builtin 99, <c>squared_difference.cc</c> of TFLite Micro, versions 1 and 2; i32 exists in LiteRT
/// only, i16 in TFLite Micro only.</para>
/// </remarks>
public sealed record SquaredDifference
    : BinaryElementwise<SquaredDifference>, IOp<SquaredDifference>, IQuantizable, IDifferentiable, IShrinkable, ITfLiteOp<SquaredDifference>
{
    private const int ShiftOf8Bits = 7;
    private const int ShiftOf16Bits = 0;

    public static OpSchema Declaration { get; } = new("squared_difference", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.SquaredDifference;

    public static int MaximumVersion => 2;

    public static SquaredDifference Parse(AttributeReader attributes) => new();

    public static SquaredDifference Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I8 ? 2 : 1, new SquaredDifferenceOptions());

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.Activation], [OperandRule.Activation]);

    public void Differentiate(GradientBuilder g)
    {
        Value first = g.Multiply(g.Multiply(g.Gradient(), g.Minus(g.Input(0), g.Input(1))), 2);
        if (g.Wants(0))
        {
            g.Give(0, g.SumTo(first, g.Input(0).Type.Shape));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(g.Negative(first), g.Input(1).Type.Shape));
        }
    }

    public void TraceChannels(ChannelTracer t) => ElementwiseChannels.Sum(t, keepsZero: true, c => c == 0);

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => Broadcasting.Plain<float, SquaredDifferenceOf<float>>(context, default),
        DType.I32 => Broadcasting.Plain<int, SquaredDifferenceOf<int>>(context, default),
        DType.I8 => Broadcasting.Quantized<sbyte, QuantizedSquaredDifference>(context, Element(context, ShiftOf8Bits)),
        DType.I16 => Broadcasting.Quantized<short, QuantizedSquaredDifference>(context, Element(context, ShiftOf16Bits)),
        _ => throw NoKernel(context),
    };

    private static QuantizedSquaredDifference Element(KernelContext context, int leftShift)
    {
        Grid a = Grid.SymmetricIfWide(context.Input(0));
        Grid b = Grid.SymmetricIfWide(context.Input(1));
        Grid y = Grid.SymmetricIfWide(context.Output(0));
        double common = 2 * MathF.Max(a.Scale, b.Scale);
        FixedPoint result = Grid.Factor(common * common / ((1 << (2 * leftShift)) * y.Scale));
        return new(
            new(a.ZeroPoint, leftShift, Grid.FactorBelowOne(a.Scale / common)),
            new(b.ZeroPoint, leftShift, Grid.FactorBelowOne(b.Scale / common)),
            new(y.ZeroPoint, result, TensorScale.RangeOf(context.Output(0).DType)));
    }
}
