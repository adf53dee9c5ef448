using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Quotient of two operands, rounded towards minus infinity, element by element.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32, divided in double precision; i8, i16, i32 as plain integers, wrapping. A divisor of 0 is an error at
/// run time, for floats too.</para>
/// <para>Source: TFLite builtin 90, <c>floor_div.cc</c>, versions 1 to 3; integers exist in LiteRT only.</para>
/// </remarks>
public sealed record FloorDiv : BinaryElementwise<FloorDiv>, IOp<FloorDiv>, IDifferentiable, ITfLiteOp<FloorDiv>
{
    public static OpSchema Declaration { get; } = new("floor_div", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.FloorDiv;

    public static int MaximumVersion => 3;

    public static FloorDiv Parse(AttributeReader attributes) => new();

    public static FloorDiv Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I8 or DType.I16 => 3,
            DType.F32 => 2,
            _ => 1,
        },
        new FloorDivOptions());

    /// <summary>Nothing: the op is constant almost everywhere.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public override Kernel Prepare(KernelContext context)
    {
        RefuseQuantized(context);
        return context.Input(0).DType switch
        {
            DType.F32 => Broadcasting.Scalar<float, float, FlooredRatio>(context, default),
            DType.I8 => Broadcasting.Scalar<sbyte, sbyte, FlooredQuotient<sbyte>>(context, default),
            DType.I16 => Broadcasting.Scalar<short, short, FlooredQuotient<short>>(context, default),
            DType.I32 => Broadcasting.Scalar<int, int, FlooredQuotient<int>>(context, default),
            _ => throw NoKernel(context),
        };
    }
}
