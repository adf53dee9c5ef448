namespace Optc.Ops.Execution;

/// <summary>A prepared operator: reads and writes the buffers of its context. Allocates nothing.</summary>
public delegate void Kernel();

/// <summary>An op that can be executed.</summary>
public interface IExecutable
{
    /// <summary>
    /// Chooses the kernel for these types and computes everything that does not depend on the values: multipliers,
    /// tables, packed weights, scratch.
    /// </summary>
    /// <param name="context">Types are fully known. Buffers may be touched only by the returned kernel.</param>
    /// <exception cref="Ir.OpRuleException">There is no kernel for these types or attributes.</exception>
    /// <remarks>
    /// The kernel itself throws <see cref="Ir.OpRuleException"/> for values for which the op is not defined, an index
    /// out of range for instance.
    /// </remarks>
    Kernel Prepare(KernelContext context);
}

/// <summary>
/// An op whose only output has the bytes of its first input under another shape. A runtime may let both share memory
/// and never run the kernel.
/// </summary>
public interface IReshaping : IExecutable;

/// <summary>
/// An op whose first result may take the memory of its first operand when both have the same type: it writes no element before it
/// has read all that it needs of the operand for it and for what is computed at the same time.
/// </summary>
public interface IOverwriting : IExecutable;
