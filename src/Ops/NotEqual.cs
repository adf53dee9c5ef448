using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Tells element by element whether <c>a != b</c>.</summary>
/// <inheritdoc cref="Comparison{TSelf}" path="/remarks"/>
/// <remarks>Types: f32, i8, u8, i16, i32, i64, bool. Source: TFLite builtin 72, versions 1 to 3.</remarks>
public sealed record NotEqual : Comparison<NotEqual>, IOp<NotEqual>, ITfLiteOp<NotEqual>
{
    public static OpSchema Declaration { get; } = new("not_equal", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64 | KernelTypes.Bool,
    };

    public static BuiltinOperator Code => BuiltinOperator.NotEqual;

    public static int MaximumVersion => 3;

    public static NotEqual Parse(AttributeReader attributes) => new();

    public static NotEqual Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I8 => 2,
            _ => 1,
        },
        new NotEqualOptions());

    public override Kernel Prepare(KernelContext context) =>
        Prepare<NotEqualRelation>(context, rescalesInt16: true);
}
