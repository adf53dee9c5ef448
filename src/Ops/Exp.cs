using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Exponential function, element by element.</summary>
/// <remarks>
/// <para>Types: f32; i8 by a table of 256 results; i16 by a table of 513 nodes, interpolated, zero points 0.</para>
/// <para>Source: TFLite builtin 47, <c>exp.cc</c> of TFLite Micro for f32, LiteRT's tables for integers, versions 1 and 2.</para>
/// </remarks>
public sealed record Exp : Elementwise<Exp>, IOp<Exp>, IQuantizable, IDifferentiable, ITfLiteOp<Exp>
{
    public static OpSchema Declaration { get; } = new("exp", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Exp;

    public static int MaximumVersion => 2;

    public static Exp Parse(AttributeReader attributes) => new();

    public static Exp Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I8 or DType.I16 ? 2 : 1, new ExpOptions());

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary;

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Multiply(g.Gradient(), g.Output()));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => FloatMap.Prepare<ExpFunction>(context),
        DType.I8 => RawMap.PrepareReal(context, Function(context)),
        _ => PrepareInt16(context),
    };

    private static Kernel PrepareInt16(KernelContext context)
    {
        (Grid x, Grid y) = (Grid.Symmetric(context.Input(0)), Grid.Symmetric(context.Output(0)));
        LookupTable513 table = new(Function(context), x.Scale, x.ZeroPoint, y.Scale, y.ZeroPoint);
        return RawMap.Prepare(context, q => table.Lookup((short)q));
    }

    private static Func<float, float> Function(KernelContext context)
    {
        _ = Grid.Of(context.Output(0));

        // Beyond any output scale in use; keeps the differences between the nodes of a table finite.
        return static x => MathF.Min(MathF.Exp(x), 1e20f);
    }

    private protected override bool KeepsZero => false;
}
