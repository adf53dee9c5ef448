using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Sign, element by element: 1, 0 or -1; 0 for NaN.</summary>
/// <remarks>
/// <para>Types: f32, i32.</para>
/// <para>Source: TFLite builtin 158, <c>sign.cc</c> of LiteRT, versions 1 and 2.</para>
/// </remarks>
public sealed record Sign : Elementwise<Sign>, IOp<Sign>, IDifferentiable, ITfLiteOp<Sign>
{
    public static OpSchema Declaration { get; } = new("sign", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.Sign;

    public static int MaximumVersion => 2;

    public static Sign Parse(AttributeReader attributes) => new();

    public static Sign Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I32 ? 2 : 1, new SignOptions());

    /// <summary>Nothing: the op is constant almost everywhere.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? FloatMap.Prepare<SignFunction>(context)
        : () => Signs(context.In<int>(0), context.Out<int>(0));

    private static void Signs(ReadOnlySpan<int> x, Span<int> y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = Math.Sign(x[i]);
        }
    }
}
