namespace Optc.Ops.Execution;

/// <summary>The threads of a session. Work is cut into chunks by the kernel, never by the number of threads.</summary>
public abstract class Workers
{
    /// <summary>Threads that may call a body at the same time, at least 1.</summary>
    public abstract int Count { get; }

    /// <summary>Calls <paramref name="body"/> with (chunk, worker) for every chunk, in any order, and waits for all.</summary>
    /// <param name="chunks">Number of chunks; a property of the problem, so that results do not depend on threads.</param>
    /// <param name="body">Made once when the kernel is prepared: a delegate made in the kernel would be an allocation.</param>
    public abstract void Run(int chunks, Action<int, int> body);
}
