using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Rectifier with two bounds, element by element: <c>y = min(max(x, 0), 1)</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 and u8 with one scale and zero point per tensor, chosen for x and y independently.</para>
/// <para>Source: TFLite builtin 152, <c>activations.cc</c> of LiteRT, version 1; TFLite Micro does not have it.</para>
/// </remarks>
public sealed record Relu0To1 : Elementwise<Relu0To1>, IOp<Relu0To1>, IQuantizable, IDifferentiable, ITfLiteOp<Relu0To1>
{
    public static OpSchema Declaration { get; } = new("relu_0_to_1", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.Relu0To1;

    public static int MaximumVersion => 1;

    public static Relu0To1 Parse(AttributeReader attributes) => new();

    public static Relu0To1 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public QuantRule QuantRule(OpOperands operands) =>
        Quantization.QuantRule.Moving(operands.Count) with { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g)
    {
        Value above = g.Add(new Greater(), g.Output(), g.Scalar(0));
        Value below = g.Add(new Less(), g.Output(), g.Scalar(1));
        g.Give(0, g.OnlyWhere(g.Add(new LogicalAnd(), above, below), g.Gradient()));
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? FloatMap.Prepare<Relu0To1Function>(context)
        : BoundedRelu.Prepare(context, 0, 1);

    private protected override RoundingFreedom Freedom => RoundingFreedom.NearReal;
}
