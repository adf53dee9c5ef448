using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Numbers from a start in equal steps, the limit excluded.</summary>
/// <remarks>
/// <para>
/// Shape: <c>start, limit, delta (1 element each) -> y [ceil(|limit - start| / |delta|)]</c>. Each number is the one before plus
/// delta. Delta is not 0 and leads towards the limit.
/// </para>
/// <para>Types: f32, i32, i64, the same for all. Source: TFLite builtin 96, kernel <c>range.cc</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record Range : IOp<Range>, IExecutable, ITfLiteOp<Range>
{
    public static OpSchema Declaration { get; } = new("range", ["start", "limit", "delta"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Range;

    public static int MaximumVersion => 2;

    public static Range Parse(AttributeReader attributes) => new();

    public static Range Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Operands[0].DType is DType.I64 ? 2 : 1, new RangeOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        DType type = operands.Require(0, DType.F32, DType.I32, DType.I64).DType;
        for (int i = 0; i < 3; i++)
        {
            Shape shape = operands.Require(i, type).Shape;
            if (shape.Dims.Any(d => d is not (1 or -1)))
            {
                throw new OpRuleException("an end or step of a range is more than one element") { Found = shape.ToString() };
            }
        }

        return operands.Constant(0) is { } start && operands.Constant(1) is { } limit && operands.Constant(2) is { } delta
            ? [new(type, [Count(type, start.ToDense(), limit.ToDense(), delta.ToDense())])]
            : [new(type, Dimensions.Unknown(1))];
    }

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => Prepare<float>(context),
        DType.I32 => Prepare<int>(context),
        _ => Prepare<long>(context),
    };

    private static Kernel Prepare<T>(KernelContext context)
        where T : unmanaged, INumber<T> => () =>
    {
        Span<T> y = context.Out<T>(0);
        T value = context.In<T>(0)[0];
        T delta = context.In<T>(2)[0];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = value;
            value = unchecked(value + delta);
        }
    };

    private static int Count(DType type, TensorData start, TensorData limit, TensorData delta)
    {
        if (type is DType.F32)
        {
            (float first, float end, float step) = (start.AsFloats()[0], limit.AsFloats()[0], delta.AsFloats()[0]);
            RequireDirection((first <= end && step > 0) || (first >= end && step < 0), $"{first} to {end} by {step}");
            double count = Math.Ceiling(MathF.Abs((end - first) / step));
            return count <= int.MaxValue
                ? (int)count
                : throw new OpRuleException("a range is too long") { Found = $"{first} to {end} by {step}" };
        }

        (Int128 from, Int128 to, Int128 by) = type is DType.I32
            ? (start.Span<int>()[0], limit.Span<int>()[0], delta.Span<int>()[0])
            : ((Int128)start.Span<long>()[0], (Int128)limit.Span<long>()[0], (Int128)delta.Span<long>()[0]);
        RequireDirection((from <= to && by > 0) || (from >= to && by < 0), $"{from} to {to} by {by}");
        Int128 length = (Int128.Abs(to - from) + Int128.Abs(by) - 1) / Int128.Abs(by);
        return length <= int.MaxValue ? (int)length : throw new OpRuleException("a range is too long") { Found = $"{from} to {to} by {by}" };
    }

    private static void RequireDirection(bool reaches, string found)
    {
        if (!reaches)
        {
            throw new OpRuleException("the step of a range does not lead to its limit") { Found = found };
        }
    }
}
