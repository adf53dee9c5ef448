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

/// <summary>Rectifier with a ceiling, element by element: <c>y = min(max(x, 0), 6)</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8, u8 and i16 with equal quantization of x and y: the reference clamps raw values and does not
/// rescale. The profile of LiteRT takes any quantization.</para>
/// <para>Source: TFLite builtin 21, <c>activations_common.cc</c> of TFLite Micro, versions 1 to 3.</para>
/// </remarks>
public sealed record Relu6 : Elementwise<Relu6>, IOp<Relu6>, IQuantizable, IDifferentiable, ITfLiteOp<Relu6>
{
    public static OpSchema Declaration { get; } = new("relu6", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Relu6;

    public static int MaximumVersion => 3;

    public static Relu6 Parse(AttributeReader attributes) => new();

    public static Relu6 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 => 2,
        _ => 1,
    });

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.BeforeActivation(FusedActivation.Relu6, g.Gradient()));

    public override Kernel Prepare(KernelContext context)
    {
        if (context.Input(0).DType is DType.F32)
        {
            return FloatMap.Prepare<Relu6Function>(context);
        }

        if (context.Rounding is RoundingProfile.Tflm)
        {
            Grid.RequireEqual(context);
        }

        return BoundedRelu.Prepare(context, 0, 6);
    }

    private protected override RoundingFreedom Freedom => RoundingFreedom.NearReal;
}
