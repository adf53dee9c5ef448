using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Position of the largest element along an axis; the first of equal ones. A NaN wins only at position 0.</summary>
/// <param name="IndexType">Element type of the result: i32 or i64.</param>
/// <remarks>
/// <para>Types: f32, i8, u8, i32, bool; quantized values are compared raw. TFLite Micro has f32 and i8, and results in
/// i32.</para>
/// <para>Source: TFLite builtin 56, <c>reference/arg_min_max.h</c>, versions 1 to 3.</para>
/// </remarks>
public sealed record ArgMax(DType IndexType) : ArgExtremum<ArgMax>(IndexType), IOp<ArgMax>, ITfLiteOp<ArgMax>
{
    public static OpSchema Declaration { get; } = new("arg_max", ["x", "axis"], ["y"]) { Kernels = ComparedTypes };

    public static BuiltinOperator Code => BuiltinOperator.ArgMax;

    public static int MaximumVersion => 3;

    public static ArgMax Parse(AttributeReader attributes) => new(attributes.Enum<DType>("index_type"));

    public static ArgMax Read(TfLiteSource source) => new(ReadIndexType(source.Options<ArgMaxOptions>().OutputType));

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(Version(target), new ArgMaxOptions { OutputType = TfLiteTypes.ToCode(IndexType) });

    private protected override bool IsMaximum => true;
}
