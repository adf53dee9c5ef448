using System.Numerics;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;

namespace Optc.Ops;

/// <summary>
/// Operands whose shapes are aligned at the right and in which a dimension of 1 repeats: shape rule, and kernels over
/// two such operands.
/// </summary>
internal static class Broadcasting
{
    /// <summary>The shape of the result, as far as it can be known.</summary>
    /// <exception cref="OpRuleException">
    /// The shapes do not fit, have too many dimensions, or the result has more elements than a kernel can address.
    /// </exception>
    public static Shape Join(Shape first, Shape second)
    {
        if (!first.HasRank || !second.HasRank)
        {
            return Shape.Unranked;
        }

        int rank = Math.Max(first.Rank, second.Rank);
        if (rank > BroadcastPlan.MaximumRank)
        {
            throw new OpRuleException("an element-wise operand has too many dimensions")
            {
                Found = $"{first} and {second}",
                Expected = $"at most {BroadcastPlan.MaximumRank} dimensions",
            };
        }

        int[] joined = new int[rank];
        UInt128 elements = 1;
        for (int axis = 1; axis <= rank; axis++)
        {
            int a = axis <= first.Rank ? first[-axis] : 1;
            int b = axis <= second.Rank ? second[-axis] : 1;
            int size = a == 1 ? b
                : b == 1 || a == b ? a
                : a < 0 ? b
                : b < 0 ? a
                : throw new OpRuleException("the shapes of the operands do not fit each other")
                {
                    Found = $"{first} and {second}",
                    Expected = "equal sizes, or 1, aligned at the right",
                };
            joined[rank - axis] = size;
            elements = size < 0 || elements > int.MaxValue ? elements : elements * (uint)size;
        }

        return elements <= int.MaxValue || Array.IndexOf(joined, 0) >= 0
            ? Shape.Create(joined)
            : throw new OpRuleException("the result of an element-wise operator is too large")
            {
                Found = $"{first} and {second}",
                Expected = $"at most {int.MaxValue} elements",
            };
    }

    /// <summary>The shape of a result of three operands.</summary>
    /// <inheritdoc cref="Join(Shape, Shape)"/>
    public static Shape Join(Shape first, Shape second, Shape third) => Join(Join(first, second), third);

    /// <summary>True when one of the first two operands is repeated along a dimension and the result has more than four.</summary>
    public static bool IsBeyondFourDimensions(OpOperands operands) =>
        !operands[0].Shape.Equals(operands[1].Shape)
        && Math.Max(operands[0].Shape.Rank, operands[1].Shape.Rank) > 4;

    /// <summary>How the first two operands are walked.</summary>
    /// <exception cref="OpRuleException">Their shapes do not fit, or an operand is too large.</exception>
    public static BroadcastPlan Plan(KernelContext context) =>
        Plan(context.Input(0).Shape, context.Input(1).Shape, Shape.Scalar);

    /// <summary>How three operands are walked.</summary>
    /// <inheritdoc cref="Plan(KernelContext)" path="/exception"/>
    public static BroadcastPlan Plan(Shape first, Shape second, Shape third)
    {
        try
        {
            if (BroadcastPlan.TryCreate(first.Dims.AsSpan(), second.Dims.AsSpan(), third.Dims.AsSpan(), out BroadcastPlan? plan))
            {
                return plan;
            }
        }
        catch (OverflowException)
        {
            throw new OpRuleException("an element-wise operand is too large")
            {
                Found = $"{first}, {second}",
                Expected = $"at most {int.MaxValue} elements",
            };
        }

        throw new OpRuleException("the shapes of the operands do not fit each other") { Found = $"{first}, {second}" };
    }

    /// <summary>A kernel on numbers that mean themselves.</summary>
    public static Kernel Plain<T, TElement>(KernelContext context, TElement element)
        where T : unmanaged
        where TElement : struct, IPlainElement<T>
    {
        BroadcastPlan plan = Plan(context);
        return () => ElementwiseLoop.Run(plan, context.In<T>(0), context.In<T>(1), context.Out<T>(0), element);
    }

    /// <summary>A kernel on raw integers of 8 or 16 bits.</summary>
    public static Kernel Quantized<T, TElement>(KernelContext context, TElement element)
        where T : unmanaged, IBinaryInteger<T>
        where TElement : struct, IQuantizedElement
    {
        BroadcastPlan plan = Plan(context);
        return () => ElementwiseLoop.RunQuantized(plan, context.In<T>(0), context.In<T>(1), context.Out<T>(0), element);
    }

    /// <summary>A kernel without a vector form, whose result may have another type.</summary>
    public static Kernel Scalar<T, TResult, TElement>(KernelContext context, TElement element)
        where T : unmanaged
        where TResult : unmanaged
        where TElement : struct, IBinaryElement<T, T, TResult>
    {
        BroadcastPlan plan = Plan(context);
        return () => plan.Apply(context.In<T>(0), context.In<T>(1), context.Out<TResult>(0), element);
    }
}
