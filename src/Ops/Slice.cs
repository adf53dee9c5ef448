using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A box out of a tensor.</summary>
/// <remarks>
/// <para>Shape: <c>x [d0, ...], begin [rank], size [rank] -> y [size]</c>; a size of -1 goes to the end. The box lies inside x.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 65, kernel <c>slice.cc</c>, versions 1 to 6.</para>
/// </remarks>
public sealed record Slice : IOp<Slice>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Slice>
{
    public static OpSchema Declaration { get; } = new("slice", ["x", "begin", "size"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Slice;

    public static int MaximumVersion => 6;

    public static Slice Parse(AttributeReader attributes) => new();

    public static Slice Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0] switch
        {
            { DType: DType.U32 } => 6,
            { Shape.Rank: > 4 } => 5,
            { DType: DType.I16 } => 4,
            { DType: DType.String } => 3,
            { DType: DType.I8 } => 2,
            _ => 1,
        },
        new SliceOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        int rank = x.Shape.HasRank ? x.Shape.Rank : -1;
        (int[]? begin, int[]? size) = (operands.Sizes(1, rank), operands.Sizes(2, rank));
        if (!x.Shape.HasRank)
        {
            return [x.Unranked()];
        }

        int[] dims = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            dims[i] = Size(x.Shape[i], begin?[i], size?[i]);
        }

        return [x.Shaped(dims)];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g)
    {
        (Shape x, Shape y) = (g.Input(0).Type.Shape, g.Output().Type.Shape);
        int[] begin = g.ConstantInts(1);
        g.Give(0, g.Pad(g.Gradient(), begin, [.. begin.Select((first, axis) => x[axis] - first - y[axis])]));
    }

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(0) is not { } x)
        {
            return;
        }

        if (t.Node.Outputs[0].Type.Shape is not { HasRank: true } y || y[x.Axis] != x.Count || t.Ints(2) is not { } size)
        {
            t.Fix(x, $"{t.Node} takes some of the channels");
            return;
        }

        t.Give(x);
        if (size[x.Axis] >= 0)
        {
            t.Counted(2, x.Axis, x.Channels);
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        long[] strides = StridedCopy.Strides(context.Input(0).Shape.Dims.AsSpan());
        ReadOnlySpan<int> sizes = context.Output(0).Shape.Dims.AsSpan();
        int[] begin = context.ConstantInts(1);
        long start = 0;
        for (int i = 0; i < begin.Length; i++)
        {
            start += begin[i] * strides[i];
        }

        StridedCopy copy = new(elementSize, sizes, strides, StridedCopy.Strides(sizes), start);
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }

    private static int Size(int whole, int? begin, int? size)
    {
        if (begin < 0 || size < -1 || (whole >= 0 && (begin > whole || (long?)begin + Math.Max(0, size ?? 0) > whole)))
        {
            throw new OpRuleException("a slice reaches beyond the tensor")
            {
                Found = $"begin {begin}, size {size}",
                Expected = $"inside a dimension of {(whole < 0 ? "unknown size" : whole)}",
            };
        }

        // Without a begin not even a given size is taken, so that the range is checked when the begin is known.
        return begin is not { } first || size is not { } count ? -1
            : count >= 0 ? count
            : whole < 0 ? -1
            : whole - first;
    }
}
