using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Gaussian error linear unit, element by element: <c>y = x * P(X &lt;= x)</c> for a standard normal X.</summary>
/// <param name="Approximate">True for the form with a hyperbolic tangent instead of the error function.</param>
/// <remarks>
/// <para>Types: f32; i8 and u8 by a table of 256 results, one scale and zero point per tensor.</para>
/// <para>Source: TFLite builtin 150, <c>reference/gelu.h</c> of LiteRT, versions 1 and 2.</para>
/// </remarks>
public sealed record Gelu(bool Approximate) : Elementwise<Gelu>, IOp<Gelu>, IQuantizable, IDifferentiable, ITfLiteOp<Gelu>
{
    public static OpSchema Declaration { get; } = new("gelu", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.Gelu;

    public static int MaximumVersion => 2;

    public static Gelu Parse(AttributeReader attributes) => new(attributes.Bool("approximate"));

    public static Gelu Read(TfLiteSource source) => new(source.Options<GeluOptions>().Approximate);

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I8 or DType.U8 ? 2 : 1, new GeluOptions { Approximate = Approximate });

    public override void Describe(AttributeWriter attributes) => attributes.Add("approximate", Approximate);

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary with { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g) =>
        g.Give(0, g.Add(new GeluGradient(Approximate), g.Gradient(), g.Input(0)));

    public override Kernel Prepare(KernelContext context) => (context.Input(0).DType, Approximate) switch
    {
        (DType.F32, true) => FloatMap.Prepare<GeluApproximateFunction>(context),
        (DType.F32, false) => FloatMap.Prepare<GeluFunction>(context),
        (_, true) => RawMap.PrepareReal(context, FloatMap.One<GeluApproximateFunction>),
        (_, false) => RawMap.PrepareReal(context, FloatMap.One<GeluFunction>),
    };
}
