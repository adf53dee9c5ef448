using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor of zeros to which updates are added at given places.</summary>
/// <remarks>
/// <para>
/// Shape: <c>indices [n.., k], updates [n.., dk, ...], shape [rank] -> y [d0, ...]</c>. Indices and shape i32 or i64. Updates to the
/// same place add up, in the order of the indices; integers wrap, booleans are or-ed. An index out of range stops the run.
/// </para>
/// <para>Types: f32, i8, i16, u8, i32, i64, bool. Source: TFLite builtin 122, kernel <c>scatter_nd.cc</c>, version 1.</para>
/// </remarks>
public sealed record ScatterNd : IOp<ScatterNd>, IExecutable, IDifferentiable, ITfLiteOp<ScatterNd>
{
    public static OpSchema Declaration { get; } = new("scatter_nd", ["indices", "updates", "shape"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ScatterNd;

    public static int MaximumVersion => 1;

    public static ScatterNd Parse(AttributeReader attributes) => new();

    public static ScatterNd Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new ScatterNdOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape indices = operands.Require(0, DType.I32, DType.I64).Shape;
        TensorType updates = operands[1];
        int rank = operands.Length(2);
        IndexTuples.RequireRank(indices);
        if (operands.Sizes(2) is not { } sizes)
        {
            return [rank >= 0 ? new(updates.DType, Dimensions.Unknown(rank)) : updates.Unranked()];
        }

        Shape y = Dimensions.Checked(sizes);
        if (!y.IsKnown)
        {
            throw new OpRuleException("a dimension is negative") { Found = y.ToString() };
        }

        if (indices.HasRank && indices[-1] >= 0)
        {
            Shape expected = Shape.Create([.. indices.Dims[..^1], .. IndexTuples.SliceDims(y, indices)]);
            if (!updates.Shape.IsCompatibleWith(expected))
            {
                throw new OpRuleException("updates do not fit indices and shape") { Found = updates.Shape.ToString(), Expected = expected.ToString() };
            }
        }

        return [new(updates.DType, y)];
    }

    public void Differentiate(GradientBuilder g) => g.Give(1, g.Add(new GatherNd(), g.Gradient(), g.Input(0)));

    public Kernel Prepare(KernelContext context)
    {
        context.ElementSize(1);
        return context.Input(1).DType switch
        {
            DType.F32 => Prepare<float>(context),
            DType.I8 => Prepare<sbyte>(context),
            DType.U8 => Prepare<byte>(context),
            DType.I16 => Prepare<short>(context),
            DType.I32 => Prepare<int>(context),
            DType.I64 => Prepare<long>(context),
            DType.Bool => PrepareBool(context),
            DType other => throw new OpRuleException("there is no kernel for this element type") { Found = other.Name },
        };
    }

    private static Kernel Prepare<T>(KernelContext context)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        IndexTuples tuples = new(context.Output(0).Shape, context.Input(0));
        int run = tuples.SliceElements;
        return () =>
        {
            ReadOnlySpan<byte> indices = context.InputBytes(0);
            ReadOnlySpan<T> updates = context.In<T>(1);
            Span<T> y = context.Out<T>(0);
            y.Clear();
            for (int i = 0; i < tuples.Count; i++)
            {
                Span<T> target = y.Slice(tuples.SliceAt(indices, i) * run, run);
                ReadOnlySpan<T> update = updates.Slice(i * run, run);
                for (int j = 0; j < update.Length; j++)
                {
                    target[j] = unchecked(target[j] + update[j]);
                }
            }
        };
    }

    private static Kernel PrepareBool(KernelContext context)
    {
        IndexTuples tuples = new(context.Output(0).Shape, context.Input(0));
        int run = tuples.SliceElements;
        return () =>
        {
            ReadOnlySpan<byte> indices = context.InputBytes(0);
            ReadOnlySpan<byte> updates = context.InputBytes(1);
            Span<byte> y = context.OutputBytes(0);
            y.Clear();
            for (int i = 0; i < tuples.Count; i++)
            {
                Span<byte> target = y.Slice(tuples.SliceAt(indices, i) * run, run);
                ReadOnlySpan<byte> update = updates.Slice(i * run, run);
                for (int j = 0; j < update.Length; j++)
                {
                    target[j] |= update[j];
                }
            }
        };
    }
}
