using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>True where one or both of two operands hold, element by element.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>Types: bool; any byte but 0 is true. Source: TFLite builtin 84, <c>logical.cc</c>, version 1.</remarks>
public sealed record LogicalOr : BinaryElementwise<LogicalOr>, IOp<LogicalOr>, ITfLiteOp<LogicalOr>
{
    public static OpSchema Declaration { get; } = new("logical_or", ["a", "b"], ["y"]) { Kernels = KernelTypes.Bool };

    public static BuiltinOperator Code => BuiltinOperator.LogicalOr;

    public static int MaximumVersion => 1;

    public static LogicalOr Parse(AttributeReader attributes) => new();

    public static LogicalOr Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new LogicalOrOptions());

    public override Kernel Prepare(KernelContext context) => Broadcasting.Plain<byte, Disjunction>(context, default);

    private readonly struct Disjunction : IPlainElement<byte>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public byte Invoke(byte first, byte second) => first != 0 || second != 0 ? (byte)1 : (byte)0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<byte> Invoke(Vector256<byte> first, Vector256<byte> second) =>
            Vector256.Min(first, Vector256<byte>.One) | Vector256.Min(second, Vector256<byte>.One);
    }
}
