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

/// <summary>Rectifier with two bounds, element by element: <c>y = min(max(x, -1), 1)</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 and u8 with one scale and zero point per tensor, chosen for x and y independently.</para>
/// <para>Source: TFLite builtin 20, <c>activations.cc</c> of LiteRT, version 1; TFLite Micro does not have it.</para>
/// </remarks>
public sealed record ReluN1To1 : Elementwise<ReluN1To1>, IOp<ReluN1To1>, IQuantizable, IDifferentiable, ITfLiteOp<ReluN1To1>
{
    public static OpSchema Declaration { get; } = new("relu_n1_to_1", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.ReluN1To1;

    public static int MaximumVersion => 1;

    public static ReluN1To1 Parse(AttributeReader attributes) => new();

    public static ReluN1To1 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public QuantRule QuantRule(OpOperands operands) =>
        Quantization.QuantRule.Moving(operands.Count) with { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g) => g.Give(0, g.BeforeActivation(FusedActivation.ReluN1To1, g.Gradient()));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? FloatMap.Prepare<ReluN1To1Function>(context)
        : BoundedRelu.Prepare(context, -1, 1);

    private protected override RoundingFreedom Freedom => RoundingFreedom.NearReal;
}
