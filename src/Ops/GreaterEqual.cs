using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Tells element by element whether <c>a &gt;= b</c>.</summary>
/// <inheritdoc cref="Comparison{TSelf}" path="/remarks"/>
/// <remarks>Types: f32, i8, u8, i16, i32, i64. Source: TFLite builtin 62, versions 1 to 3.</remarks>
public sealed record GreaterEqual : Comparison<GreaterEqual>, IOp<GreaterEqual>, ITfLiteOp<GreaterEqual>
{
    public static OpSchema Declaration { get; } = new("greater_equal", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.GreaterEqual;

    public static int MaximumVersion => 3;

    public static GreaterEqual Parse(AttributeReader attributes) => new();

    public static GreaterEqual Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new GreaterEqualOptions());

    public override Kernel Prepare(KernelContext context) => Prepare<GreaterEqualRelation>(context);
}
