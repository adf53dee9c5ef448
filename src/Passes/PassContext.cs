using Optc.Ir;

namespace Optc.Passes;

/// <summary>What a rule did to a node, or why it did nothing.</summary>
/// <param name="Rule">Name of the rule or pass.</param>
/// <param name="Node">Name of the layer.</param>
/// <param name="Op">Name of its op.</param>
/// <param name="Reason">Why it was left alone; <see langword="null"/> where the rule was applied.</param>
public sealed record PassEvent(string Rule, string Node, string Op, string? Reason)
{
    public bool Applied => Reason is null;
}

/// <summary>What a run of passes may use, and where it keeps its record.</summary>
public sealed class PassContext
{
    private readonly List<PassEvent> _events = [];

    public CancellationToken Cancellation { get; init; }

    /// <summary>Told about the step under way.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>Threads that a pass may use, at least 1; results do not depend on it.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Verifies the module after every pass.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Receives the module after each pass, for <c>--dump-ir</c>.</summary>
    public Action<IPass, Module>? PassDone { get; init; }

    /// <summary>What was applied and what was declined, in order.</summary>
    public IReadOnlyList<PassEvent> Events => _events;

    public void Record(string rule, Node node, string? reason = null) => _events.Add(new(rule, node.Name, node.Op.Schema.Name, reason));

    /// <summary>Records what concerns no single layer.</summary>
    public void Record(PassEvent done) => _events.Add(done);

    public int AppliedCount => _events.Count(e => e.Applied);
}
