using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Remainder of a floored division, element by element; it has the sign of the divisor.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32, NaN for a divisor of 0; i8, i16, i32, i64 as plain integers, for which a divisor of 0 is an error at
/// run time.</para>
/// <para>Source: TFLite builtin 95, <c>floor_mod.cc</c> and <c>reference/floor_mod.h</c>, versions 1 and 2; integers exist
/// in LiteRT only.</para>
/// </remarks>
public sealed record FloorMod : BinaryElementwise<FloorMod>, IOp<FloorMod>, IDifferentiable, ITfLiteOp<FloorMod>
{
    public static OpSchema Declaration { get; } = new("floor_mod", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.FloorMod;

    public static int MaximumVersion => 2;

    public static FloorMod Parse(AttributeReader attributes) => new();

    public static FloorMod Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I8 or DType.I16 ? 2 : 1, new FloorModOptions());

    public void Differentiate(GradientBuilder g)
    {
        (Value a, Value b) = (g.Input(0), g.Input(1));
        if (g.Wants(0))
        {
            g.Give(0, g.SumTo(g.Gradient(), a.Type.Shape));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(g.Negative(g.Multiply(g.Gradient(), g.Add(new FloorDiv(), a, b))), b.Type.Shape));
        }
    }

    public override Kernel Prepare(KernelContext context)
    {
        RefuseQuantized(context);
        return context.Input(0).DType switch
        {
            DType.F32 => Broadcasting.Scalar<float, float, FlooredFloatRemainder>(context, default),
            DType.I8 => Broadcasting.Scalar<sbyte, sbyte, FlooredRemainder<sbyte>>(context, default),
            DType.I16 => Broadcasting.Scalar<short, short, FlooredRemainder<short>>(context, default),
            DType.I32 => Broadcasting.Scalar<int, int, FlooredRemainder<int>>(context, default),
            DType.I64 => Broadcasting.Scalar<long, long, FlooredRemainder<long>>(context, default),
            _ => throw NoKernel(context),
        };
    }
}
