using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The smaller of two operands, element by element; the second one where either is NaN.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32, i32, i64; i8, u8, i16 by their raw values, so that operands and result are quantized alike.</para>
/// <para>Source: TFLite builtin 57, <c>reference/maximum_minimum.h</c>, versions 1 to 4; u8 exists in LiteRT only.</para>
/// <para>Gradient: of equal operands the first one gets it.</para>
/// </remarks>
public sealed record Minimum : Extremum<Minimum>, IOp<Minimum>, IDifferentiable, IShrinkable, ITfLiteOp<Minimum>
{
    public static OpSchema Declaration { get; } = new("minimum", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Minimum;

    public static int MaximumVersion => 4;

    public static Minimum Parse(AttributeReader attributes) => new();

    public static Minimum Read(TfLiteSource source) => new();

    public void TraceChannels(ChannelTracer t) => ElementwiseChannels.Sum(t, keepsZero: true, c => c >= 0);

    public void Differentiate(GradientBuilder g) =>
        g.GiveChosen(g.Add(new LessEqual(), g.Input(0), g.Input(1)), 0, 1);

    private protected override Kernel Plain<T>(KernelContext context) => Broadcasting.Plain<T, SmallerOf<T>>(context, default);
}
