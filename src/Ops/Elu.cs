using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Exponential linear unit, element by element: <c>y = x</c> for <c>x &gt;= 0</c>, else <c>exp(x) - 1</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 by a table of 256 results, one scale and zero point per tensor.</para>
/// <para>Source: TFLite builtin 111, <c>elu.cc</c> of TFLite Micro, version 1.</para>
/// </remarks>
public sealed record Elu : Elementwise<Elu>, IOp<Elu>, IQuantizable, IDifferentiable, ITfLiteOp<Elu>
{
    public static OpSchema Declaration { get; } = new("elu", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8,
    };

    public static BuiltinOperator Code => BuiltinOperator.Elu;

    public static int MaximumVersion => 1;

    public static Elu Parse(AttributeReader attributes) => new();

    public static Elu Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary with { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Choose(
        g.Add(new GreaterEqual(), g.Input(0), g.Scalar(0)),
        g.Gradient(),
        g.Multiply(g.Gradient(), g.Plus(g.Output(), g.Scalar(1)))));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? FloatMap.Prepare<Widened<EluFunction>>(context)
        : RawMap.PrepareReal(context, static x => x < 0 ? MathF.Exp(x) - 1 : x);
}
