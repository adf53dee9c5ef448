using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fuse;

/// <summary>The fused activation of the ops that have one, both in TFLite's options and in their kernels.</summary>
internal static class ActivationSlot
{
    /// <summary>The fused activation, or <see langword="null"/> for an op that takes none.</summary>
    public static FusedActivation? Of(IOp op) => op switch
    {
        Conv2D o => o.Activation,
        DepthwiseConv2D o => o.Activation,
        TransposeConv o => o.Activation,
        FullyConnected o => o.Activation,
        Arithmetic o => o.Activation,
        Pool2D o => o.Activation,
        _ => null,
    };

    /// <exception cref="ArgumentException">The op takes no activation.</exception>
    public static IOp With(IOp op, FusedActivation activation) => op switch
    {
        Conv2D o => o with { Activation = activation },
        DepthwiseConv2D o => o with { Activation = activation },
        TransposeConv o => o with { Activation = activation },
        FullyConnected o => o with { Activation = activation },
        Arithmetic o => (IOp)(o with { Activation = activation }),
        Pool2D o => (IOp)(o with { Activation = activation }),
        _ => throw new ArgumentException($"{op.Title} has no fused activation.", nameof(op)),
    };

    /// <summary>The interval that an activation leaves; <see langword="null"/> for one that is no interval.</summary>
    public static (float Low, float High)? IntervalOf(FusedActivation activation) => activation switch
    {
        FusedActivation.None => (float.NegativeInfinity, float.PositiveInfinity),
        FusedActivation.Relu => (0, float.PositiveInfinity),
        FusedActivation.Relu6 => (0, 6),
        FusedActivation.ReluN1To1 => (-1, 1),
        _ => null,
    };

    /// <summary>The activation that does what two do in a row, or <see langword="null"/> when there is none.</summary>
    public static FusedActivation? Join(FusedActivation first, FusedActivation second)
    {
        if (IntervalOf(first) is not { } a || IntervalOf(second) is not { } b)
        {
            return null;
        }

        (float Low, float High) joined = (Math.Max(a.Low, b.Low), Math.Min(a.High, b.High));
        foreach (FusedActivation candidate in (ReadOnlySpan<FusedActivation>)[first, second])
        {
            if (IntervalOf(candidate) == joined)
            {
                return candidate;
            }
        }

        return null;
    }
}
