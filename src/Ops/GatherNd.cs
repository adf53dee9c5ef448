using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Slices of a tensor, each named by a tuple of indices of its leading dimensions.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [d0, ...], indices [n.., k] -> y [n.., dk, ...]</c> with k at most the rank of x. Indices i16, i32 or i64; one
/// out of range stops the run.
/// </para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 107, kernel <c>gather_nd.cc</c>, versions 1 to 5.</para>
/// </remarks>
public sealed record GatherNd : IOp<GatherNd>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<GatherNd>
{
    public static OpSchema Declaration { get; } = new("gather_nd", ["x", "indices"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.GatherNd;

    public static int MaximumVersion => 5;

    public static GatherNd Parse(AttributeReader attributes) => new();

    public static GatherNd Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.Bool => 5,
            _ when target.Operands[1].DType is DType.I16 => 4,
            DType.I16 => 3,
            DType.String => 2,
            _ => 1,
        },
        new GatherNdOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        Shape indices = operands.Require(1, DType.I16, DType.I32, DType.I64).Shape;
        IndexTuples.RequireRank(indices);
        return x.Shape.HasRank && indices.HasRank && indices[-1] >= 0
            ? [x.Shaped([.. indices.Dims[..^1], .. IndexTuples.SliceDims(x.Shape, indices)])]
            : [x.Unranked()];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(
        new ScatterNd(), IndexTuples.Wide(g, g.Input(1)), g.Gradient(), g.Ints(g.Input(0).Type.Shape.Dims.AsSpan())));

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        IndexTuples tuples = new(context.Input(0).Shape, context.Input(1));
        int run = tuples.SliceElements * elementSize;
        return () =>
        {
            ReadOnlySpan<byte> x = context.InputBytes(0);
            ReadOnlySpan<byte> indices = context.InputBytes(1);
            Span<byte> y = context.OutputBytes(0);
            for (int i = 0; i < tuples.Count; i++)
            {
                x.Slice(tuples.SliceAt(indices, i) * run, run).CopyTo(y.Slice(i * run, run));
            }
        };
    }
}
