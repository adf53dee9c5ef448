using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The shape to which two shapes broadcast.</summary>
/// <remarks>
/// <para>Shape: <c>a [n], b [m] -> y [max(n, m)]</c>, aligned at the right; where sizes differ one of them is 1.</para>
/// <para>Types: i32 and i64, the same for all. Source: TFLite builtin 145, kernel <c>broadcast_args.cc</c>, version 1.</para>
/// </remarks>
public sealed record BroadcastArgs : IOp<BroadcastArgs>, IExecutable, ITfLiteOp<BroadcastArgs>
{
    public static OpSchema Declaration { get; } = new("broadcast_args", ["a", "b"], ["y"]) { Kernels = KernelTypes.I32 | KernelTypes.I64 };

    public static BuiltinOperator Code => BuiltinOperator.BroadcastArgs;

    public static int MaximumVersion => 1;

    public static BroadcastArgs Parse(AttributeReader attributes) => new();

    public static BroadcastArgs Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType a = operands.Require(0, DType.I32, DType.I64);
        operands.Require(1, a.DType);
        (int n, int m) = (operands.Length(0), operands.Length(1));
        return [new(a.DType, n < 0 || m < 0 ? Dimensions.Unknown(1) : [Math.Max(n, m)])];
    }

    public Kernel Prepare(KernelContext context)
    {
        IndexReader read = IndexReader.For(context.Input(0).DType);
        bool wide = context.Input(0).DType is DType.I64;
        int rank = context.Output(0).Shape[0];
        (int leadA, int leadB) = (rank - context.Input(0).Shape[0], rank - context.Input(1).Shape[0]);
        return () =>
        {
            for (int i = 0; i < rank; i++)
            {
                long a = i < leadA ? 1 : read.At(context.InputBytes(0), i - leadA);
                long b = i < leadB ? 1 : read.At(context.InputBytes(1), i - leadB);
                if (a != b && a != 1 && b != 1)
                {
                    throw new OpRuleException("shapes do not broadcast") { Found = $"dimensions {a} and {b}" };
                }

                long size = a == 1 ? b : a;
                if (wide)
                {
                    context.Out<long>(0)[i] = size;
                }
                else
                {
                    context.Out<int>(0)[i] = (int)size;
                }
            }
        };
    }
}
