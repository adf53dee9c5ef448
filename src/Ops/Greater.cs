using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Tells element by element whether <c>a &gt; b</c>.</summary>
/// <inheritdoc cref="Comparison{TSelf}" path="/remarks"/>
/// <remarks>Types: f32, i8, u8, i16, i32, i64. Source: TFLite builtin 61, versions 1 to 2.</remarks>
public sealed record Greater : Comparison<Greater>, IOp<Greater>, ITfLiteOp<Greater>
{
    public static OpSchema Declaration { get; } = new("greater", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Greater;

    public static int MaximumVersion => 2;

    public static Greater Parse(AttributeReader attributes) => new();

    public static Greater Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I8 => 2,
            _ => 1,
        },
        new GreaterOptions());

    public override Kernel Prepare(KernelContext context) =>
        Prepare<GreaterRelation>(context, rescalesInt16: context.Rounding is RoundingProfile.Tflm);
}
