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

/// <summary>Rectifier, element by element: <c>y = max(x, 0)</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8, u8 and i16 with one scale and zero point per tensor, chosen for x and y independently; zero point 0
/// for i16.</para>
/// <para>Source: TFLite builtin 19, <c>activations_common.cc</c> of TFLite Micro, versions 1 to 3.</para>
/// </remarks>
public sealed record Relu : Elementwise<Relu>, IOp<Relu>, IQuantizable, IDifferentiable, ITfLiteOp<Relu>
{
    public static OpSchema Declaration { get; } = new("relu", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Relu;

    public static int MaximumVersion => 3;

    public static Relu Parse(AttributeReader attributes) => new();

    public static Relu Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 or DType.U8 => 2,
        _ => 1,
    });

    public void Differentiate(GradientBuilder g) => g.Give(0, g.BeforeActivation(FusedActivation.Relu, g.Gradient()));

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary;

    public override Kernel Prepare(KernelContext context)
    {
        if (context.Input(0).DType is DType.F32)
        {
            return FloatMap.Prepare<ReluFunction>(context);
        }

        (Grid x, Grid y) = (Grid.SymmetricIfWide(context.Input(0)), Grid.SymmetricIfWide(context.Output(0)));
        FixedPoint factor = Grid.Factor(x.Scale / y.Scale);
        return RawMap.Prepare(context, q => Math.Max(y.ZeroPoint, y.ZeroPoint + factor.Scale(q - x.ZeroPoint)));
    }

    private protected override RoundingFreedom Freedom => RoundingFreedom.NearReal;
}
