using System.Numerics;
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

/// <summary>Magnitude, element by element.</summary>
/// <remarks>
/// <para>Types: f32; i32, wrapping; i8 and i16 with one scale and zero point per tensor, zero points 0 for i16; i16 without
/// quantization, wrapping.</para>
/// <para>Source: TFLite builtin 101, <c>elementwise.cc</c>, versions 1 to 5.</para>
/// <para>Gradient: that at 0 is 0.</para>
/// </remarks>
public sealed record Abs : Elementwise<Abs>, IOp<Abs>, IQuantizable, IDifferentiable, ITfLiteOp<Abs>
{
    public static OpSchema Declaration { get; } = new("abs", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.Abs;

    public static int MaximumVersion => 5;

    public static Abs Parse(AttributeReader attributes) => new();

    public static Abs Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0] switch
        {
            { DType: DType.I32 } => 5,
            { DType: DType.I16, Quant: null } => 4,
            { DType: DType.I16 } => 3,
            { DType: DType.I8 or DType.U8 } => 2,
            _ => 1,
        },
        new AbsOptions());

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary;

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Multiply(g.Gradient(), g.Add(new Sign(), g.Input(0))));

    public override Kernel Prepare(KernelContext context) => context.Input(0) switch
    {
        { DType: DType.F32 } => FloatMap.Prepare<AbsFunction>(context),
        { DType: DType.I32 } => () => Plain(context.In<int>(0), context.Out<int>(0)),
        { DType: DType.I16, Quant: null } when context.Output(0).Quant is null => () => Plain(context.In<short>(0), context.Out<short>(0)),
        _ => PrepareQuantized(context),
    };

    private static Kernel PrepareQuantized(KernelContext context)
    {
        (Grid x, Grid y) = (Grid.SymmetricIfWide(context.Input(0)), Grid.SymmetricIfWide(context.Output(0)));
        FixedPoint factor = Grid.Factor(x.Scale / y.Scale);
        bool rescales = x.Scale != y.Scale;
        return RawMap.Prepare(context, q =>
        {
            int magnitude = Math.Abs(q - x.ZeroPoint);
            return (rescales ? factor.Scale(magnitude) : magnitude) + y.ZeroPoint;
        });
    }

    private static void Plain<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = T.IsNegative(x[i]) ? unchecked(-x[i]) : x[i];
        }
    }

    private protected override RoundingFreedom Freedom => RoundingFreedom.NearReal;
}
