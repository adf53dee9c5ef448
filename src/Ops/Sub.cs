using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Difference of two operands, element by element: <c>y = activation(a - b)</c>.</summary>
/// <inheritdoc cref="Addition"/>
/// <remarks>
/// <para>Shape: <c>a [any], b [any] -> y [broadcast]</c>, up to 8 dimensions.</para>
/// <para>Types: f32; i8, u8, i16 with one scale and zero point for each tensor; i32, i64 (and i16 without quantization)
/// as plain integers, which wrap, then are limited by the activation.</para>
/// <para>Source: TFLite builtin 41, reference kernels <c>reference/sub.h</c> and <c>sub_common.cc</c> of TFLite Micro,
/// versions 1 to 5.</para>
/// </remarks>
public sealed record Sub(FusedActivation Activation = FusedActivation.None, bool PotScaleInt16 = false)
    : Addition(Activation, PotScaleInt16), IOp<Sub>, ITfLiteOp<Sub>
{
    public static OpSchema Declaration { get; } = new("sub", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Sub;

    public static int MaximumVersion => 5;

    private protected override bool Subtracts => true;

    public static Sub Parse(AttributeReader attributes) =>
        new(attributes.Enum<FusedActivation>("activation"), attributes.Bool("pot_scale_int16"));

    public static Sub Read(TfLiteSource source)
    {
        SubOptions options = source.Options<SubOptions>();
        return new((FusedActivation)options.FusedActivationFunction, options.PotScaleInt16);
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        DType type = target.Operands[0].DType;
        int version = type is DType.I16 && !PotScaleInt16 ? 5
            : type is DType.I64 ? 4
            : Broadcasting.IsBeyondFourDimensions(target.Operands) ? 3
            : type is DType.I8 ? 2
            : 1;
        return new(version, new SubOptions { FusedActivationFunction = ActivationCode, PotScaleInt16 = PotScaleInt16 });
    }

    /// <summary>Every step in float32 and widened afterwards, unlike <see cref="Add"/>: the last bits depend on it.</summary>
    private protected override (FixedPoint First, FixedPoint Second, FixedPoint Result) Factors(
        float first, float second, float result, int leftShift)
    {
        float common = 2 * MathF.Max(first, second);
        return (
            ScaleRatio.BelowOne(first / common, "the first operand"),
            ScaleRatio.BelowOne(second / common, "the second operand"),
            ScaleRatio.BelowOne(common / ((1 << leftShift) * result), "the result"));
    }
}
