using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Sum of two operands, element by element: <c>y = activation(a + b)</c>.</summary>
/// <inheritdoc cref="Addition"/>
/// <remarks>
/// <para>Shape: <c>a [any], b [any] -> y [broadcast]</c>, up to 8 dimensions.</para>
/// <para>Types: f32; i8, u8, i16 with one scale and zero point for each tensor; i16, i32, i64 as plain integers, which
/// wrap, then are limited by the activation.</para>
/// <para>Source: TFLite builtin 0, reference kernels <c>reference/add.h</c> and <c>integer_ops/add.h</c>, versions 1 to 5.
/// On i32, TFLite Micro ignores the activation; LiteRT applies it, and so does this op.</para>
/// </remarks>
public sealed record Add(FusedActivation Activation = FusedActivation.None, bool PotScaleInt16 = false)
    : Addition(Activation, PotScaleInt16), IOp<Add>, ITfLiteOp<Add>
{
    public static OpSchema Declaration { get; } = new("add", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Add;

    public static int MaximumVersion => 5;

    private protected override bool Subtracts => false;

    public static Add Parse(AttributeReader attributes) =>
        new(attributes.Enum<FusedActivation>("activation"), attributes.Bool("pot_scale_int16"));

    public static Add Read(TfLiteSource source)
    {
        AddOptions options = source.Options<AddOptions>();
        return new((FusedActivation)options.FusedActivationFunction, options.PotScaleInt16);
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        TensorType a = target.Operands[0];
        int version = a.DType switch
        {
            DType.I16 when a.Quant is null => 5,
            DType.I64 => 4,
            DType.I16 when !PotScaleInt16 => 3,
            DType.I8 => 2,
            _ => 1,
        };
        return new(version, new AddOptions { FusedActivationFunction = ActivationCode, PotScaleInt16 = PotScaleInt16 });
    }

    /// <summary>In double precision, unlike <see cref="Sub"/>.</summary>
    private protected override (FixedPoint First, FixedPoint Second, FixedPoint Result) Factors(
        float first, float second, float result, int leftShift)
    {
        double common = 2.0 * Math.Max(first, second);
        return (
            ScaleRatio.BelowOne(first / common, "the first operand"),
            ScaleRatio.BelowOne(second / common, "the second operand"),
            ScaleRatio.BelowOne(common / ((double)(1 << leftShift) * result), "the result"));
    }
}
