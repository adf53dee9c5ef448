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

/// <summary>Quotient of two operands, element by element: <c>y = activation(a / b)</c>.</summary>
/// <inheritdoc cref="Arithmetic"/>
/// <remarks>
/// <para>Shape: <c>a [any], b [any] -> y [broadcast]</c>, up to 8 dimensions.</para>
/// <para>Types: f32; i32, truncated towards zero, wrapping; i8 and u8 with one scale and zero point for each tensor. An
/// integer divisor of 0 is an error at run time, and so are scales for which the reference aborts.</para>
/// <para>Source: TFLite builtin 42, <c>reference/div.h</c>, versions 1 and 2; i32 and u8 exist in LiteRT only. It has no
/// quantization rule: a divisor that rounds to 0 has no quotient, and the standard converter leaves DIV in float.</para>
/// </remarks>
public sealed record Div(FusedActivation Activation = FusedActivation.None)
    : Arithmetic(Activation), IOp<Div>, IDifferentiable, ITfLiteOp<Div>
{
    public static OpSchema Declaration { get; } = new("div", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.Div;

    public static int MaximumVersion => 2;

    private protected override DType[] ElementTypes => [DType.F32, DType.I8, DType.U8, DType.I32];

    public static Div Parse(AttributeReader attributes) => new(attributes.Enum<FusedActivation>("activation"));

    public static Div Read(TfLiteSource source) =>
        new((FusedActivation)source.Options<DivOptions>().FusedActivationFunction);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        Broadcasting.IsBeyondFourDimensions(target.Operands) ? 2 : 1,
        new DivOptions { FusedActivationFunction = ActivationCode });

    public void Differentiate(GradientBuilder g)
    {
        (Value a, Value b) = (g.Input(0), g.Input(1));
        Value quotient = g.Divide(g.BeforeActivation(Activation, g.Gradient()), b);
        if (g.Wants(0))
        {
            g.Give(0, g.SumTo(quotient, a.Type.Shape));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(g.Negative(g.Multiply(quotient, g.Divide(a, b))), b.Type.Shape));
        }
    }

    public override void TraceChannels(ChannelTracer t)
    {
        if (t.Node.Inputs[1]!.Constant is null)
        {
            t.FixInputs($"{t.Node} divides by something computed");
            return;
        }

        ElementwiseChannels.Product(t, ChannelTracer.KeepsZero(Activation));
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => Broadcasting.Plain<float, RatioOf>(context, new(LimitsOf<float>())),
        DType.I32 => Broadcasting.Scalar<int, int, TruncatedQuotient>(context, new(LimitsOf<int>())),
        DType.I8 => Broadcasting.Scalar<sbyte, sbyte, QuantizedQuotient<sbyte>>(context, new(Quotient(context))),
        DType.U8 => Broadcasting.Scalar<byte, byte, QuantizedQuotient<byte>>(context, new(Quotient(context))),
        _ => throw NoKernel(context),
    };

    private QuotientRule Quotient(KernelContext context)
    {
        TensorScale a = TensorScale.Of(context.Input(0), "the first operand");
        TensorScale b = TensorScale.Of(context.Input(1), "the second operand");
        TensorScale y = TensorScale.Of(context.Output(0), "the result");
        FixedPoint factor = ScaleRatio.Of(a.Scale / (b.Scale * y.Scale), "a quotient");
        return new(a.ZeroPoint, b.ZeroPoint, y.ZeroPoint, factor, y.Range(context.Input(0).DType, Activation));
    }
}
