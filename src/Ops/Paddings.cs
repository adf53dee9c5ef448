using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;

namespace Optc.Ops;

/// <summary>What the padding operators share: an operand of border widths, <c>[rank, 2]</c>, before and after each dimension.</summary>
internal static class Paddings
{
    /// <summary>Type of a padded tensor.</summary>
    /// <param name="operands">Tensor and border widths.</param>
    /// <param name="limit">For mirrored borders: by how much they are narrower than the dimension; null for no limit.</param>
    public static TensorType Infer(OpOperands operands, int? limit)
    {
        TensorType x = operands[0];
        TensorType paddings = operands.RequireRank(1, 2);
        if (!x.Shape.HasRank)
        {
            operands.Sizes(1);
            return x.Unranked();
        }

        int rank = x.Shape.Rank;
        if (paddings.Shape.HasRank && (paddings.Shape[0] is var rows && rows >= 0 && rows != rank || paddings.Shape[1] is not (2 or -1)))
        {
            throw new OpRuleException("border widths do not fit the tensor")
            {
                Found = $"{paddings.Shape} for {x.Shape}",
                Expected = $"[{rank}, 2]",
            };
        }

        if (operands.Sizes(1, checked(2 * rank)) is not { } widths)
        {
            return new(x.DType, Dimensions.Unknown(rank));
        }

        int[] dims = [.. x.Shape];
        for (int i = 0; i < rank; i++)
        {
            (long before, long after) = (widths[2 * i], widths[(2 * i) + 1]);
            if (before < 0 || after < 0)
            {
                throw new OpRuleException("a border width is negative") { Found = $"{before} and {after}" };
            }

            if (dims[i] >= 0 && limit is { } skip && Math.Max(before, after) is > 0 and var wide && wide > dims[i] - skip)
            {
                throw new OpRuleException("a mirrored border is wider than what it mirrors")
                {
                    Found = $"{wide} for a dimension of {dims[i]}",
                    Expected = $"at most {Math.Max(0, dims[i] - skip)}",
                };
            }

            dims[i] = dims[i] < 0 ? -1 : Dimensions.Size(before + dims[i] + after);
        }

        return x.Shaped(dims);
    }

    /// <summary>The part of the gradient of a padded tensor that belongs to the tensor.</summary>
    public static Value Inside(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        int[] widths = g.ConstantInts(1);
        int[] begin = [.. Enumerable.Range(0, x.Rank).Select(axis => widths[2 * axis])];
        return g.Add(new Slice(), g.Gradient(), g.Ints(begin), g.Ints(x.Dims.AsSpan()));
    }

    /// <summary>Plans the copy of a tensor between its borders.</summary>
    public static PaddedCopy Plan(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        int[] widths = context.ConstantInts(1);
        int rank = context.Input(0).Shape.Rank;
        int[] before = new int[rank];
        int[] after = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            (before[i], after[i]) = (widths[2 * i], widths[(2 * i) + 1]);
        }

        return new(elementSize, context.Input(0).Shape.Dims.AsSpan(), before, after);
    }

    /// <summary>Version of PAD and PADV2.</summary>
    public static int Version(TensorType x) => x switch
    {
        { DType: DType.Bool } => 5,
        { Shape.Rank: > 4 } => 4,
        { DType: DType.I16 } => 3,
        { DType: DType.I8 } => 2,
        _ => 1,
    };

    /// <summary>Channels of a tensor with borders; those of a border along the channels may go like others.</summary>
    /// <param name="isZero">The border is 0.</param>
    public static void Trace(ChannelTracer t, bool isZero)
    {
        if (t.Input(0) is not { } x)
        {
            return;
        }

        if (t.Ints(1) is not { } widths)
        {
            t.Fix(x, $"the borders of {t.Node} are computed");
            return;
        }

        (int before, int after) = (widths[2 * x.Axis], widths[(2 * x.Axis) + 1]);
        bool hasOthers = widths.Where((w, i) => i / 2 != x.Axis && w != 0).Any();
        ChannelAxis inside = x.Through(isZero || !hasOthers);
        if (before == 0 && after == 0)
        {
            t.Give(inside);
            return;
        }

        (ImmutableArray<int> first, ImmutableArray<int> last) = (t.Add(before), t.Add(after));
        t.Counted(1, 2 * x.Axis, first);
        t.Counted(1, (2 * x.Axis) + 1, last);
        t.Give(new(
            x.Axis,
            [.. first, .. inside.Channels, .. last],
            [.. Enumerable.Repeat(isZero, before), .. inside.IsZero, .. Enumerable.Repeat(isZero, after)]));
    }
}
