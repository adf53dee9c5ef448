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

/// <summary>Part of a tensor: along each dimension every n-th element of a range, possibly backwards.</summary>
/// <param name="BeginMask">Bit i: the i-th entry has no begin; it is the first element in walking direction.</param>
/// <param name="EndMask">Bit i: the i-th entry has no end; it goes to the last element.</param>
/// <param name="EllipsisMask">Bit i: the i-th entry stands for as many whole dimensions as the others leave; one bit at most.</param>
/// <param name="NewAxisMask">Bit i: the i-th entry inserts a dimension of one element (unless it is the ellipsis).</param>
/// <param name="ShrinkAxisMask">Bit i: the i-th entry takes the single element at begin and drops the dimension.</param>
/// <param name="Offset">Ends count from begins.</param>
/// <remarks>
/// <para>
/// Shape: <c>x [d0, ...], begin [n], end [n], strides [n] -> y</c>. Negative indices count from the end of the dimension; they
/// are then clamped to it. Dimensions without an entry are whole. An index that picks a single element must exist.
/// </para>
/// <para>Types: any of whole bytes, quantized alike.</para>
/// <para>
/// Source: TFLite builtin 45, kernel <c>strided_slice.cc</c> of LiteRT, versions 1 to 8. TFLite Micro ignores ellipsis, new
/// axes and offset.
/// </para>
/// </remarks>
public sealed partial record StridedSlice(
    int BeginMask, int EndMask, int EllipsisMask, int NewAxisMask, int ShrinkAxisMask, bool Offset = false)
    : IOp<StridedSlice>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<StridedSlice>
{
    public static OpSchema Declaration { get; } = new("strided_slice", ["x", "begin", "end", "strides"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.StridedSlice;

    public static int MaximumVersion => 8;

    public static StridedSlice Parse(AttributeReader attributes) => new(
        attributes.Int("begin_mask"),
        attributes.Int("end_mask"),
        attributes.Int("ellipsis_mask"),
        attributes.Int("new_axis_mask"),
        attributes.Int("shrink_axis_mask"),
        attributes.Bool("offset"));

    public static StridedSlice Read(TfLiteSource source)
    {
        StridedSliceOptions o = source.Options<StridedSliceOptions>();
        return new(o.BeginMask, o.EndMask, o.EllipsisMask, o.NewAxisMask, o.ShrinkAxisMask, o.Offset);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0] switch
        {
            _ when Offset => 8,
            { DType: DType.U32 } => 7,
            _ when EllipsisMask != 0 || NewAxisMask != 0 => 6,
            { DType: DType.String } => 5,
            { Shape.Rank: > 4 } => 4,
            { DType: DType.Bool } => 3,
            { DType: DType.I8 } => 2,
            _ => 1,
        },
        new StridedSliceOptions
        {
            BeginMask = BeginMask,
            EndMask = EndMask,
            EllipsisMask = EllipsisMask,
            NewAxisMask = NewAxisMask,
            ShrinkAxisMask = ShrinkAxisMask,
            Offset = Offset,
        });

    public void Describe(AttributeWriter attributes) => attributes
        .Add("begin_mask", BeginMask)
        .Add("end_mask", EndMask)
        .Add("ellipsis_mask", EllipsisMask)
        .Add("new_axis_mask", NewAxisMask)
        .Add("shrink_axis_mask", ShrinkAxisMask)
        .Add("offset", Offset);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        int entries = Dimensions.Agree(
            Dimensions.Agree(operands.Length(1), operands.Length(2), "the numbers of begins and ends"),
            operands.Length(3),
            "the numbers of ends and strides");
        (int[]? begin, int[]? end, int[]? strides) = (operands.Sizes(1), operands.Sizes(2), operands.Sizes(3));
        if (!x.Shape.HasRank || entries < 0)
        {
            return [x.Unranked()];
        }

        List<int> dims = [];
        foreach (AxisRange range in Ranges(x.Shape, entries, begin, end, strides))
        {
            if (!range.Dropped)
            {
                dims.Add(range.Count);
            }
        }

        return [x.Shaped([.. dims])];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(0) is not { } x)
        {
            return;
        }

        bool isPlain = EllipsisMask == 0 && NewAxisMask == 0 && ShrinkAxisMask == 0 && !Offset
            && t.Node.Outputs[0].Type.Shape is { HasRank: true } y && y[x.Axis] == x.Count;
        if (!isPlain || t.Ints(2) is not { } end || t.Ints(3) is not { } strides || (x.Axis < strides.Length && strides[x.Axis] != 1))
        {
            t.Fix(x, $"{t.Node} takes some of the channels");
            return;
        }

        t.Give(x);
        if (x.Axis < end.Length && (EndMask >> x.Axis & 1) == 0)
        {
            t.Counted(2, x.Axis, x.Channels);
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        Shape x = context.Input(0).Shape;
        (int[] begin, int[] end, int[] strides) = (context.ConstantInts(1), context.ConstantInts(2), context.ConstantInts(3));
        List<AxisRange> ranges = Ranges(x, begin.Length, begin, end, strides);
        long[] distances = StridedCopy.Strides(x.Dims.AsSpan());
        long start = 0;
        long[] source = new long[ranges.Count];
        for (int i = 0; i < source.Length; i++)
        {
            AxisRange range = ranges[i];
            long distance = range.Axis < 0 ? 0 : distances[range.Axis];
            start += range.Count > 0 ? range.Start * distance : 0;
            source[i] = range.Step * distance;
        }

        int[] sizes = [.. ranges.Select(r => r.Count)];
        StridedCopy copy = new(elementSize, sizes, source, StridedCopy.Strides(sizes), start);
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }

    private static bool Bit(int mask, int index) => index < 32 && (mask >> index & 1) != 0;

    /// <summary>One range for each dimension of the input and each inserted one, in the order of the result.</summary>
    private List<AxisRange> Ranges(Shape x, int entries, int[]? begin, int[]? end, int[]? strides)
    {
        int ellipsis = -1;
        int inserted = 0;
        for (int i = 0; i < entries; i++)
        {
            if (Bit(EllipsisMask, i))
            {
                ellipsis = ellipsis < 0 ? i : throw new OpRuleException("a slice has more than one ellipsis") { Found = $"mask {EllipsisMask}" };
            }
            else if (Bit(NewAxisMask, i))
            {
                inserted++;
            }
        }

        int named = entries - inserted - (ellipsis < 0 ? 0 : 1);
        if (named > x.Rank)
        {
            throw new OpRuleException("a slice has more entries than the tensor has dimensions") { Found = $"{named}", Expected = $"at most {x.Rank}" };
        }

        List<AxisRange> ranges = [];
        int axis = 0;
        for (int i = 0; i < entries; i++)
        {
            if (i == ellipsis)
            {
                for (int whole = x.Rank - named; whole > 0; whole--)
                {
                    ranges.Add(new(axis, 0, 1, x[axis], Dropped: false));
                    axis++;
                }
            }
            else if (Bit(NewAxisMask, i))
            {
                ranges.Add(new(-1, 0, 0, 1, Dropped: false));
            }
            else
            {
                ranges.Add(Entry(i, axis, x[axis], begin?[i], end?[i], strides?[i]));
                axis++;
            }
        }

        for (; axis < x.Rank; axis++)
        {
            ranges.Add(new(axis, 0, 1, x[axis], Dropped: false));
        }

        return ranges;
    }

    private AxisRange Entry(int index, int axis, int size, int? begin, int? end, int? stride)
    {
        bool shrink = Bit(ShrinkAxisMask, index);
        if (stride == 0 || (shrink && stride < 0))
        {
            throw new OpRuleException("a slice has a stride that is not allowed") { Found = $"{stride}", Expected = shrink ? "1" : "not 0" };
        }

        bool fromFirst = Bit(BeginMask, index);
        if (shrink)
        {
            if (size < 0 || (begin is null && !fromFirst))
            {
                return new(axis, 0, 1, 1, Dropped: true);
            }

            long only = fromFirst ? 0 : begin!.Value < 0 ? (long)begin.Value + size : begin.Value;
            return only >= 0 && only < size
                ? new(axis, only, 1, 1, Dropped: true)
                : throw new OpRuleException("a slice picks an element that does not exist") { Found = $"{begin}", Expected = $"{-size} to {size - 1}" };
        }

        if (size < 0 || stride is not { } step || (begin is null && !fromFirst) || (end is null && !Bit(EndMask, index)))
        {
            return new(axis, 0, 1, -1, Dropped: false);
        }

        (long low, long high) = step > 0 ? (0, size) : (-1, size - 1L);
        long first = fromFirst ? (step > 0 ? low : high) : Clamped(begin!.Value, size, low, high);
        long last = Bit(EndMask, index) ? (step > 0 ? high : low) : Clamped(end!.Value + (Offset ? first : 0), size, low, high);
        long distance = step > 0 ? last - first : first - last;
        long pace = Math.Abs((long)step);
        return new(axis, first, step, distance <= 0 ? 0 : (int)((distance + pace - 1) / pace), Dropped: false);
    }

    private static long Clamped(long index, int size, long low, long high) => Math.Clamp(index < 0 ? index + size : index, low, high);

    /// <param name="Axis">Dimension of the input; -1 for an inserted one.</param>
    /// <param name="Count">Elements; -1 when not known.</param>
    private readonly record struct AxisRange(int Axis, long Start, long Step, int Count, bool Dropped);
}
