using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>An op that finds the position of an extreme element along an axis.</summary>
/// <param name="IndexType">Element type of the result: i32 or i64.</param>
/// <remarks>Shape: <c>x [any], axis [] -> y [dimensions without the axis]</c>; a negative axis counts from the end.</remarks>
public abstract record ArgExtremum<TSelf>(DType IndexType) : IExecutable, IQuantizable
    where TSelf : ArgExtremum<TSelf>, IOp<TSelf>
{
    private protected const KernelTypes ComparedTypes =
        KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I32 | KernelTypes.Bool;

    /// <summary>True for the largest element, false for the smallest.</summary>
    private protected abstract bool IsMaximum { get; }

    public void Describe(AttributeWriter attributes) => attributes.Add("index_type", IndexType);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (IndexType is not (DType.I32 or DType.I64))
        {
            throw new OpRuleException("positions are i32 or i64") { Found = $"{IndexType}", Expected = "I32 or I64" };
        }

        Shape x = operands.RequireOneOf(0, TSelf.Declaration.Kernels).Shape;
        int? axis = operands.SingleInt(1);
        if (!x.HasRank)
        {
            return [new(IndexType, x)];
        }

        if (axis is not { } known)
        {
            return [new(IndexType, Shape.Unranked)];
        }

        int position = OperandTypes.Axis(known, x.Rank);
        return x[position] != 0
            ? [new(IndexType, Shape.Of(x.Dims.RemoveAt(position)))]
            : throw new OpRuleException("an axis without elements has no extreme one") { Found = x.ToString() };
    }

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.AsIs])
    {
        Activations = KernelTypes.I8,
    };

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => PrepareIn<float>(context),
        DType.I8 => PrepareIn<sbyte>(context),
        DType.I32 => PrepareIn<int>(context),
        _ => PrepareIn<byte>(context),
    };

    private protected static int Version(TfLiteTarget target) => target.Operands[0].DType switch
    {
        DType.Bool => 3,
        DType.I8 => 2,
        _ => 1,
    };

    private protected static DType ReadIndexType(TensorElementType code) =>
        TfLiteTypes.FromCode(code) is { } type and (DType.I32 or DType.I64)
            ? type
            : throw new OpRuleException("positions are i32 or i64") { Found = $"{code}", Expected = "INT32 or INT64" };

    private Kernel PrepareIn<T>(KernelContext context)
        where T : unmanaged, INumber<T>
    {
        AxisSplit split = AxisSplit.Of(context.Input(0).Shape, context.ConstantInts(1)[0]);
        bool maximum = IsMaximum;
        return IndexType is DType.I32
            ? () => Find(context.In<T>(0), context.Out<int>(0), split, maximum)
            : () => Find(context.In<T>(0), context.Out<long>(0), split, maximum);
    }

    private static void Find<T, TIndex>(ReadOnlySpan<T> x, Span<TIndex> y, AxisSplit split, bool maximum)
        where T : unmanaged, INumber<T>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        int target = 0;
        foreach (AxisLine line in split.Lines())
        {
            T best = x[line.Start];
            int position = 0;
            for (int i = 1, at = line.Start + line.Step; i < line.Length; i++, at += line.Step)
            {
                if (maximum ? x[at] > best : x[at] < best)
                {
                    best = x[at];
                    position = i;
                }
            }

            y[target++] = TIndex.CreateTruncating(position);
        }
    }
}
