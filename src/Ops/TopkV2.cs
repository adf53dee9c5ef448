using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The k largest elements along the last axis, in falling order, and their positions; of equal ones the first.</summary>
/// <remarks>
/// <para>Shape: <c>x [.., D], k [] -> values [.., k], positions [.., k]</c>, <c>0 &lt;= k &lt;= D</c>. A k that is computed
/// leaves the last dimension open until the run. A NaN counts as smaller than every number.</para>
/// <para>Types: f32, i8, u8, i16, i32, i64; values keep the quantization of x, which must be that of the result. Positions
/// are i32.</para>
/// <para>Source: TFLite builtin 48, <c>topk_v2.cc</c> of LiteRT, versions 1 to 3; TFLite Micro does not have it.</para>
/// </remarks>
public sealed record TopkV2 : IOp<TopkV2>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<TopkV2>
{
    public static OpSchema Declaration { get; } = new("topk_v2", ["x", "k"], ["values", "positions"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.TopkV2;

    public static int MaximumVersion => 3;

    public static TopkV2 Parse(AttributeReader attributes) => new();

    public static TopkV2 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new TopKV2Options());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        int? k = operands.SingleInt(1);
        if (!x.Shape.HasRank)
        {
            return [x with { Quant = null }, new(DType.I32, x.Shape)];
        }

        if (x.Shape.Rank == 0 || k < 0 || (x.Shape[-1] >= 0 && k > x.Shape[-1]))
        {
            throw new OpRuleException("the last axis does not have as many elements as are asked for") { Found = $"{k} of {x.Shape}" };
        }

        Shape shape = x.Shape.With(-1, k ?? -1);
        return [new(x.DType, shape), new(DType.I32, shape)];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.Activation, OperandRule.AsIs], [OperandRule.SameAsInput(0), OperandRule.AsIs]);

    /// <summary>Brings the gradient of each value back to its position.</summary>
    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        int rows = (int)Dimensions.Outer(x, x.Rank - 1);
        int k = g.Output().Type.Shape[-1];
        Value positions = g.Reshape(g.Output(1), Shape.Of([rows, k]));
        Value indices = g.Plus(positions, IndexTuples.RowStarts(g, DType.I32, rows, x[-1]));
        Value sums = g.Add(
            new ScatterNd(),
            g.Reshape(indices, Shape.Of([rows * k, 1])),
            g.Reshape(g.Gradient(), Shape.Of([rows * k])),
            g.Ints(rows * x[-1]));
        g.Give(0, g.Reshape(sums, x));
    }

    public Kernel Prepare(KernelContext context)
    {
        if (context.Input(0).DType is DType.I8 or DType.U8 or DType.I16)
        {
            Grid.RequireEqual(context);
        }

        return context.Input(0).DType switch
        {
            DType.F32 => PrepareIn<float>(context),
            DType.I8 => PrepareIn<sbyte>(context),
            DType.U8 => PrepareIn<byte>(context),
            DType.I16 => PrepareIn<short>(context),
            DType.I32 => PrepareIn<int>(context),
            _ => PrepareIn<long>(context),
        };
    }

    private static Kernel PrepareIn<T>(KernelContext context)
        where T : unmanaged, IComparable<T>
    {
        int depth = context.Input(0).Shape[-1];
        int k = context.Output(0).Shape[-1];
        return () =>
        {
            ReadOnlySpan<T> x = context.In<T>(0);
            Span<T> values = context.Out<T>(0);
            Span<int> positions = context.Out<int>(1);
            for (int from = 0, to = 0; to < values.Length; from += depth, to += k)
            {
                ReadOnlySpan<T> row = x.Slice(from, depth);
                Span<int> chosen = positions.Slice(to, k);
                LargestElements.Find(row, chosen);
                for (int i = 0; i < k; i++)
                {
                    values[to + i] = row[chosen[i]];
                }
            }
        };
    }
}
