using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Tells element by element whether <c>a &lt; b</c>.</summary>
/// <inheritdoc cref="Comparison{TSelf}" path="/remarks"/>
/// <remarks>Types: f32, i8, u8, i16, i32, i64. Source: TFLite builtin 58, versions 1 to 3.</remarks>
public sealed record Less : Comparison<Less>, IOp<Less>, ITfLiteOp<Less>
{
    public static OpSchema Declaration { get; } = new("less", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Less;

    public static int MaximumVersion => 3;

    public static Less Parse(AttributeReader attributes) => new();

    public static Less Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new LessOptions());

    public override Kernel Prepare(KernelContext context) => Prepare<LessRelation>(context);
}
