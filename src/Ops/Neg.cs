using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Negative, element by element.</summary>
/// <remarks>
/// <para>Types: f32; i32 and i64, wrapping.</para>
/// <para>Source: TFLite builtin 59, <c>reference/neg.h</c>, version 1.</para>
/// </remarks>
public sealed record Neg : Elementwise<Neg>, IOp<Neg>, IDifferentiable, ITfLiteOp<Neg>
{
    public static OpSchema Declaration { get; } = new("neg", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Neg;

    public static int MaximumVersion => 1;

    public static Neg Parse(AttributeReader attributes) => new();

    public static Neg Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new NegOptions());

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Negative(g.Gradient()));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => FloatMap.Prepare<NegFunction>(context),
        DType.I32 => () => Negate(context.In<int>(0), context.Out<int>(0)),
        _ => () => Negate(context.In<long>(0), context.Out<long>(0)),
    };

    private static void Negate<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = unchecked(-x[i]);
        }
    }
}
