using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>True where the operand does not hold, element by element.</summary>
/// <remarks>Types: bool; any byte but 0 is true. Source: TFLite builtin 87, <c>logical.cc</c>, version 1.</remarks>
public sealed record LogicalNot : Elementwise<LogicalNot>, IOp<LogicalNot>, ITfLiteOp<LogicalNot>
{
    public static OpSchema Declaration { get; } = new("logical_not", ["x"], ["y"]) { Kernels = KernelTypes.Bool };

    public static BuiltinOperator Code => BuiltinOperator.LogicalNot;

    public static int MaximumVersion => 1;

    public static LogicalNot Parse(AttributeReader attributes) => new();

    public static LogicalNot Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new LogicalNotOptions());

    public override Kernel Prepare(KernelContext context) => () =>
    {
        ReadOnlySpan<byte> x = context.InputBytes(0);
        Span<byte> y = context.OutputBytes(0);
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = x[i] == 0 ? (byte)1 : (byte)0;
        }
    };

    private protected override bool KeepsZero => false;
}
