using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>What SELECT and SELECT_V2 have in common: condition, value where it holds, value where it does not.</summary>
internal static class Selection
{
    /// <summary>Element type of both values, after all three operands are checked.</summary>
    /// <exception cref="OpRuleException">The condition is not bool, or the values have different types.</exception>
    public static DType RequireTypes(OpOperands operands)
    {
        operands.Require(0, DType.Bool);
        DType type = operands[1].RequireFixedSize("a selected value").DType;
        operands.Require(2, type);
        return type;
    }

    /// <summary>A kernel that copies elements of whole bytes.</summary>
    /// <param name="plan">How condition and values are walked.</param>
    /// <exception cref="OpRuleException">Elements are packed, or a value is quantized differently than the result.</exception>
    public static Kernel Prepare(KernelContext context, BroadcastPlan plan)
    {
        context.RequireSameQuantization(1);
        context.RequireSameQuantization(2);
        return context.ElementSize(1) switch
        {
            1 => () => Choose<byte>(context, plan),
            2 => () => Choose<ushort>(context, plan),
            4 => () => Choose<uint>(context, plan),
            8 => () => Choose<ulong>(context, plan),
            _ => () => Choose<UInt128>(context, plan),
        };
    }

    private static void Choose<T>(KernelContext context, BroadcastPlan plan)
        where T : unmanaged
    {
        ReadOnlySpan<byte> condition = context.InputBytes(0);
        ReadOnlySpan<T> yes = context.In<T>(1);
        ReadOnlySpan<T> no = context.In<T>(2);
        Span<T> y = context.Out<T>(0);
        foreach (BroadcastRun run in plan)
        {
            Span<T> target = y.Slice(run.Output, run.Length);
            if (run.FirstStep == 0)
            {
                bool holds = condition[run.First] != 0;
                Repeat(holds ? yes : no, holds ? run.Second : run.Third, holds ? run.SecondStep : run.ThirdStep, target);
                continue;
            }

            ReadOnlySpan<byte> conditions = condition.Slice(run.First, run.Length);
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = conditions[i] != 0 ? yes[run.Second + (i * run.SecondStep)] : no[run.Third + (i * run.ThirdStep)];
            }
        }
    }

    private static void Repeat<T>(ReadOnlySpan<T> source, int start, int step, Span<T> target)
    {
        if (step == 0)
        {
            target.Fill(source[start]);
        }
        else
        {
            source.Slice(start, target.Length).CopyTo(target);
        }
    }
}
