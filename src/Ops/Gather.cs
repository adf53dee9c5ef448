using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Slices of a tensor along one axis, chosen by index.</summary>
/// <param name="Axis">The axis of x that indices address; negative ones count from the end.</param>
/// <param name="BatchDims">Leading dimensions that x and indices have in common; negative ones count from the end of the indices.</param>
/// <remarks>
/// <para>
/// Shape: <c>x [b.., o.., d, i..], indices [b.., n..] -> y [b.., o.., n.., i..]</c>. Indices i16, i32 or i64, from 0 to d - 1; any
/// other stops the run.
/// </para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 36, reference kernel <c>reference/gather.h</c>,
/// versions 1 to 7.</para>
/// </remarks>
public sealed record Gather(int Axis, int BatchDims = 0) : IOp<Gather>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<Gather>
{
    public static OpSchema Declaration { get; } = new("gather", ["x", "indices"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Gather;

    public static int MaximumVersion => 7;

    public static Gather Parse(AttributeReader attributes) => new(attributes.Int("axis"), attributes.Int("batch_dims"));

    public static Gather Read(TfLiteSource source)
    {
        GatherOptions options = source.Options<GatherOptions>();
        return new(options.Axis, options.BatchDims);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I4 => 7,
            _ when target.Operands[1].DType is DType.I16 => 6,
            _ when BatchDims != 0 => 5,
            DType.I16 => 4,
            DType.Bool => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new GatherOptions { Axis = Axis, BatchDims = BatchDims });

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis).Add("batch_dims", BatchDims);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        Shape indices = operands.Require(1, DType.I16, DType.I32, DType.I64).Shape;
        if (!x.Shape.HasRank || !indices.HasRank)
        {
            return [x.Unranked()];
        }

        (int axis, int batch) = Resolve(x.Shape, indices);
        int[] shared = new int[batch];
        for (int i = 0; i < batch; i++)
        {
            shared[i] = Dimensions.Agree(x.Shape[i], indices[i], "batch dimensions of tensor and indices");
        }

        return [x.Shaped([.. shared, .. x.Shape.Dims[batch..axis], .. indices.Dims[batch..], .. x.Shape.Dims[(axis + 1)..]])];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    /// <summary>Adds up what went to each slice; the indexed dimensions are brought to the front for that.</summary>
    public void Differentiate(GradientBuilder g)
    {
        (Shape x, Shape shape) = (g.Input(0).Type.Shape, g.Input(1).Type.Shape);
        (int axis, int batch) = Resolve(x, shape);
        int batches = (int)Dimensions.Outer(x, batch);
        int outer = x.Dims[batch..axis].Aggregate(1, (a, b) => a * b);
        int count = (int)Dimensions.Inner(shape, batch);
        int inner = (int)Dimensions.Inner(x, axis + 1);
        Value indices = IndexTuples.Wide(g, g.Reshape(g.Input(1), Shape.Of([batches, count])));
        if (batches > 1)
        {
            indices = g.Plus(indices, IndexTuples.RowStarts(g, indices.Type.DType, batches, x[axis]));
        }

        Value updates = g.Reshape(g.Gradient(), Shape.Of([batches, outer, count, inner]));
        Value moved = outer == 1 ? updates : g.Add(new Transpose(), updates, g.Ints(0, 2, 1, 3));
        Value sums = g.Add(
            new ScatterNd(),
            g.Reshape(indices, Shape.Of([batches * count, 1])),
            g.Reshape(moved, Shape.Of([batches * count, outer * inner])),
            g.Ints(batches * x[axis], outer * inner));
        Value rows = g.Reshape(sums, Shape.Of([batches, x[axis], outer, inner]));
        g.Give(0, g.Reshape(outer == 1 ? rows : g.Add(new Transpose(), rows, g.Ints(0, 2, 1, 3)), x));
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        (Shape x, Shape indices) = (context.Input(0).Shape, context.Input(1).Shape);
        (int axis, int batch) = Resolve(x, indices);
        int batches = (int)Dimensions.Outer(x, batch);
        int outer = (int)Dimensions.Outer(x, axis);
        outer = batches == 0 ? 0 : outer / batches;
        int count = (int)Dimensions.Inner(indices, batch);
        int run = (int)Dimensions.Inner(x, axis + 1) * elementSize;
        int size = x[axis];
        IndexReader read = IndexReader.For(context.Input(1).DType);
        return () =>
        {
            ReadOnlySpan<byte> from = context.InputBytes(0);
            ReadOnlySpan<byte> at = context.InputBytes(1);
            Span<byte> to = context.OutputBytes(0);
            for (int b = 0; b < batches; b++)
            {
                for (int o = 0; o < outer; o++)
                {
                    int row = ((b * outer) + o) * size;
                    for (int i = 0; i < count; i++)
                    {
                        long index = read.At(at, (b * count) + i);
                        if ((ulong)index >= (ulong)size)
                        {
                            throw IndexReader.OutOfRange(index, size);
                        }

                        from.Slice((row + (int)index) * run, run).CopyTo(to);
                        to = to[run..];
                    }
                }
            }
        };
    }

    private (int Axis, int Batch) Resolve(Shape x, Shape indices)
    {
        int axis = Dimensions.Axis(Axis, x.Rank);
        int batch = BatchDims < 0 ? BatchDims + indices.Rank : BatchDims;
        return batch >= 0 && batch <= indices.Rank && batch <= axis
            ? (axis, batch)
            : throw new OpRuleException("batch dimensions are out of range")
            {
                Found = $"{BatchDims}",
                Expected = $"at most the rank of the indices {indices} and the axis {axis}",
            };
    }
}
