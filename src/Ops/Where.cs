using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The places where a condition holds, in row-major order.</summary>
/// <remarks>
/// <para>
/// Shape: <c>condition [d0, ...] -> y [n, rank]</c>, n the number of elements that are not 0; known only when the condition is.
/// </para>
/// <para>Types: condition bool, f32, i8, u8, i16, i32, i64; y i64. Source: TFLite builtin 109, kernel <c>where.cc</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record Where : IOp<Where>, IExecutable, ITfLiteOp<Where>
{
    public static OpSchema Declaration { get; } = new("where", ["condition"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Where;

    public static int MaximumVersion => 2;

    public static Where Parse(AttributeReader attributes) => new();

    public static Where Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Operands[0].DType is DType.Bool ? 1 : 2, new WhereOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType condition = operands.Require(0, DType.Bool, DType.F32, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64);
        int count = operands.Constant(0) is { } known ? Count(known.ToDense()) : -1;
        return condition.Shape.HasRank
            ? [new(DType.I64, [count, condition.Shape.Rank])]
            : [new(DType.I64, Dimensions.Unknown(2))];
    }

    public Kernel Prepare(KernelContext context)
    {
        context.ElementSize();
        Shape shape = context.Input(0).Shape;
        DType type = context.Input(0).DType;
        int elements = (int)shape.ElementCount;
        return () =>
        {
            ReadOnlySpan<byte> condition = context.InputBytes(0);
            Span<long> y = context.Out<long>(0);
            for (int i = 0; i < elements; i++)
            {
                if (!Holds(condition, type, i))
                {
                    continue;
                }

                int rest = i;
                for (int d = shape.Rank - 1; d >= 0; d--)
                {
                    (rest, y[d]) = (rest / shape.Dims[d], rest % shape.Dims[d]);
                }

                y = y[shape.Rank..];
            }
        };
    }

    private static int Count(TensorData condition)
    {
        int count = 0;
        int elements = (int)condition.Shape.ElementCount;
        for (int i = 0; i < elements; i++)
        {
            count += Holds(condition.Bytes.Span, condition.DType, i) ? 1 : 0;
        }

        return count;
    }

    // Negative zero is zero, so floats are not compared by their bytes.
    private static bool Holds(ReadOnlySpan<byte> condition, DType type, int index) => type is DType.F32
        ? BitConverter.ToSingle(condition.Slice(index * 4, 4)) != 0
        : condition.Slice(index * (type.BitWidth / 8), type.BitWidth / 8).ContainsAnyExcept((byte)0);
}
