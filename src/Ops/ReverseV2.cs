using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor read backwards along some axes.</summary>
/// <remarks>
/// <para>Shape: <c>x [any], axes [n] -> y [same]</c>; axes i32 or i64, negative ones count from the end, none twice.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 105, kernel <c>reverse.cc</c>, versions 1 to 3.</para>
/// </remarks>
public sealed record ReverseV2 : IOp<ReverseV2>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<ReverseV2>
{
    public static OpSchema Declaration { get; } = new("reverse_v2", ["x", "axes"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ReverseV2;

    public static int MaximumVersion => 3;

    public static ReverseV2 Parse(AttributeReader attributes) => new();

    public static ReverseV2 Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch { DType.I8 => 3, DType.Bool => 2, _ => 1 }, new ReverseV2Options());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        operands.Length(1);
        if (operands.Sizes(1) is { } axes && x.Shape.HasRank)
        {
            Backwards(axes, x.Shape.Rank);
        }

        return [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new ReverseV2(), g.Gradient(), g.Input(1)));

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        Shape x = context.Input(0).Shape;
        if (context.Constant(1) is { } axes)
        {
            StridedCopy copy = Plan(elementSize, x, Backwards(axes.AsInts(), x.Rank));
            return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
        }

        return PrepareComputed(context, elementSize, x);
    }

    /// <summary>Axes that are computed are read in each run, and elements moved one by one.</summary>
    private static Kernel PrepareComputed(KernelContext context, int elementSize, Shape x)
    {
        IndexReader read = IndexReader.For(context.Input(1).DType);
        int count = (int)context.Input(1).ElementCount;
        int elements = (int)x.ElementCount;
        bool[] backwards = new bool[x.Rank];
        return () =>
        {
            Array.Clear(backwards);
            for (int i = 0; i < count; i++)
            {
                Mark(backwards, read.At(context.InputBytes(1), i));
            }

            ReadOnlySpan<byte> from = context.InputBytes(0);
            Span<byte> to = context.OutputBytes(0);
            for (int i = 0; i < elements; i++)
            {
                (int rest, int stride, int source) = (i, 1, 0);
                for (int d = backwards.Length - 1; d >= 0; d--)
                {
                    int size = x.Dims[d];
                    int at = rest % size;
                    source += (backwards[d] ? size - 1 - at : at) * stride;
                    (rest, stride) = (rest / size, stride * size);
                }

                from.Slice(source * elementSize, elementSize).CopyTo(to[(i * elementSize)..]);
            }
        };
    }

    private static StridedCopy Plan(int elementSize, Shape x, bool[] backwards)
    {
        long[] target = StridedCopy.Strides(x.Dims.AsSpan());
        long[] source = [.. target];
        long start = 0;
        for (int i = 0; i < backwards.Length; i++)
        {
            if (backwards[i])
            {
                start += Math.Max(0, x[i] - 1) * source[i];
                source[i] = -source[i];
            }
        }

        return new(elementSize, x.Dims.AsSpan(), source, target, start);
    }

    private static bool[] Backwards(int[] axes, int rank)
    {
        bool[] backwards = new bool[rank];
        foreach (int axis in axes)
        {
            Mark(backwards, axis);
        }

        return backwards;
    }

    private static void Mark(bool[] backwards, long given)
    {
        int axis = Dimensions.Axis((int)Math.Clamp(given, int.MinValue, int.MaxValue), backwards.Length);
        backwards[axis] = !backwards[axis]
            ? true
            : throw new OpRuleException("an axis is reversed twice") { Found = $"axis {axis}" };
    }
}
