using System.Numerics;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;

namespace Optc.Ops.Kernels;

/// <summary>Sum and mean of quantized numbers.</summary>
/// <remarks>Source: <c>QuantizedMeanOrSum</c> of TFLite's <c>reference/reduce.h</c>: raw sums in 32 bits, wrapping.</remarks>
internal static class QuantizedSum
{
    /// <param name="divide">True for the mean: the number of elements goes into the multiplier.</param>
    /// <exception cref="OpRuleException">The quantization is not usable, or the mean of nothing is asked for.</exception>
    public static Kernel Prepare<T>(KernelContext context, ReductionPlan plan, bool divide)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));
        FixedPoint factor = Grid.Factor((double)x.Scale / y.Scale);
        if (divide)
        {
            RequireElements(plan);
            factor = Divide(factor, plan.Count);
        }

        int offset = unchecked(x.ZeroPoint * plan.Count);
        Scratch scratch = context.Reserve(sizeof(int) * (long)plan.OutputLength);
        if (context.Rounding is RoundingProfile.Xnnpack && typeof(T) == typeof(sbyte))
        {
            FloatRequantizer once = new(divide ? x.Scale / y.Scale / plan.Count : x.Scale / y.Scale);
            return () =>
            {
                Span<sbyte> results = context.Out<sbyte>(0);
                Span<int> sums = scratch.Span<int>();
                plan.Run(context.In<sbyte>(0), sums, default(IntegerSum<sbyte, int>));
                for (int i = 0; i < results.Length; i++)
                {
                    results[i] = (sbyte)once.Requantize(unchecked(sums[i] - offset), y.ZeroPoint, ActivationRange.Int8);
                }
            };
        }

        return () =>
        {
            Span<T> results = context.Out<T>(0);
            Span<int> sums = scratch.Span<int>();
            plan.Run(context.In<T>(0), sums, default(IntegerSum<T, int>));
            for (int i = 0; i < results.Length; i++)
            {
                results[i] = T.CreateSaturating(unchecked(factor.Scale(sums[i] - offset) + y.ZeroPoint));
            }
        };
    }

    /// <exception cref="OpRuleException">Results are wanted but are made of no elements.</exception>
    public static void RequireElements(ReductionPlan plan)
    {
        if (plan is { Count: 0, OutputLength: > 0 })
        {
            throw new OpRuleException("the reduction of no elements is not defined") { Found = "a reduced dimension of size 0" };
        }
    }

    /// <summary>A factor over a number of elements, with as many bits of headroom as the quotient leaves.</summary>
    private static FixedPoint Divide(FixedPoint factor, int count)
    {
        if (count <= 1)
        {
            return factor;
        }

        int shift = Math.Min(BitOperations.Log2((uint)count), Math.Min(32, 31 + factor.Exponent));
        return new(unchecked((int)(((long)factor.Mantissa << shift) / count)), factor.Exponent - shift);
    }
}
