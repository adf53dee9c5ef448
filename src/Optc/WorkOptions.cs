using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Runtime;

namespace Optc;

/// <summary>How work is done; no choice but <see cref="Rounding"/> changes a result.</summary>
public sealed record WorkOptions
{
    public static WorkOptions Default { get; } = new();

    /// <summary>Threads, at least 1.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Whose rounding the integer kernels reproduce.</summary>
    public RoundingProfile Rounding { get; init; } = RoundingProfile.Tflm;

    /// <summary>Bytes that activations, scratch and folded constants of one interpreter may take.</summary>
    public long MemoryLimit { get; init; } = InterpreterOptions.Default.MemoryLimit;

    /// <summary>Ends the work with an <see cref="OperationCanceledException"/>; nothing is left half done.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Told how far the work is, from any thread.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>Receives the module after each pass; not to be changed there.</summary>
    public Action<IPass, Module>? PassDone { get; init; }

    /// <summary>For one interpreter of one thread; work over many samples is divided between interpreters.</summary>
    internal InterpreterOptions ForOneThread => new() { Rounding = Rounding, MemoryLimit = MemoryLimit };

    internal PassContext ForPasses => new() { Threads = Threads, Cancellation = Cancellation, Progress = Progress, PassDone = PassDone };
}
