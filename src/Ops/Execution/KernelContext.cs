using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Execution;

/// <summary>What a kernel sees of the runtime: types when it is prepared, buffers when it runs.</summary>
/// <remarks>
/// Buffers of activations and scratch start on a multiple of 64 bytes, are pinned, and stay where they are from one
/// run to the next; constants may be a slice of a file and have no alignment. Outputs never overlap inputs, but for
/// the first ones of an <see cref="IOverwriting"/> op.
/// </remarks>
public abstract class KernelContext
{
    public abstract int InputCount { get; }

    public abstract int OutputCount { get; }

    /// <summary>Whose rounding the integer kernels reproduce.</summary>
    public abstract RoundingProfile Rounding { get; }

    /// <summary>Runs chunks of a kernel on the threads of the session.</summary>
    public abstract Workers Workers { get; }

    /// <summary>Type of an operand, its shape fully known.</summary>
    /// <exception cref="OpRuleException">The operand is missing.</exception>
    public abstract TensorType Input(int index);

    public abstract TensorType Output(int index);

    /// <summary>False for an optional operand that is left out.</summary>
    public abstract bool Has(int index);

    /// <summary>Dense content of an operand that does not change between runs, else <see langword="null"/>.</summary>
    public abstract TensorData? Constant(int index);

    /// <summary>Bytes of an input. Valid inside a kernel only.</summary>
    public abstract ReadOnlySpan<byte> InputBytes(int index);

    /// <summary>Bytes of an output. Valid inside a kernel only; their content is undefined until written.</summary>
    public abstract Span<byte> OutputBytes(int index);

    /// <summary>Bytes of an input that is a variable: state that the op may change. Valid inside a kernel only.</summary>
    /// <exception cref="OpRuleException">The operand is not a variable.</exception>
    public abstract Span<byte> State(int index);

    /// <summary>Reserves memory that lives while this kernel runs; its content is undefined at the start of a run.</summary>
    /// <param name="bytes">Size for one worker.</param>
    /// <param name="perWorker">One piece for each of <see cref="Workers.Count"/> threads, or one in all.</param>
    public abstract Scratch Reserve(long bytes, bool perWorker = false);

    /// <summary>The subgraph that a control-flow attribute names, prepared once for the session.</summary>
    /// <exception cref="OpRuleException">There is no such graph, or it cannot be executed.</exception>
    public abstract Subroutine Subgraph(string name);

    /// <summary>The table of resource variables of the session.</summary>
    public abstract ResourceTable Resources { get; }

    public ReadOnlySpan<T> In<T>(int index)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(InputBytes(index));

    public Span<T> Out<T>(int index)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(OutputBytes(index));

    public Span<T> State<T>(int index)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(State(index));

    /// <summary>Integers of an operand that must not change between runs: axes, paddings, shapes.</summary>
    /// <exception cref="OpRuleException">The operand is computed.</exception>
    public int[] ConstantInts(int index) => Constant(index)?.AsInts()
        ?? throw new OpRuleException($"operand {index} must be a constant") { Found = "a computed value" };
}

/// <summary>Memory that a kernel reserved when it was prepared.</summary>
public abstract class Scratch
{
    /// <summary>The piece of one worker, 64-byte aligned.</summary>
    public abstract Span<byte> Bytes(int worker = 0);

    public Span<T> Span<T>(int worker = 0)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(worker));
}

/// <summary>A graph called by another.</summary>
public abstract class Subroutine
{
    public abstract int InputCount { get; }

    public abstract int OutputCount { get; }

    public abstract TensorType Input(int index);

    public abstract TensorType Output(int index);

    public abstract Span<byte> InputBytes(int index);

    public abstract ReadOnlySpan<byte> OutputBytes(int index);

    public abstract void Run();
}
