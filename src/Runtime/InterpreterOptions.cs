using Optc.Ops.Kernels;

namespace Optc.Runtime;

/// <summary>How a model is executed.</summary>
public sealed record InterpreterOptions
{
    public static InterpreterOptions Default { get; } = new();

    /// <summary>Whose rounding the integer kernels reproduce.</summary>
    public RoundingProfile Rounding { get; init; } = RoundingProfile.Tflm;

    /// <summary>Threads, at least 1. Results do not depend on it.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Bytes that activations, scratch and folded constants may take; more is refused before anything runs.</summary>
    public long MemoryLimit { get; init; } = 2_000_000_000;

    /// <summary>Size that an unknown outermost dimension of an input takes.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Keeps every intermediate value until the next run instead of reusing its memory.</summary>
    public bool KeepIntermediates { get; init; }
}
