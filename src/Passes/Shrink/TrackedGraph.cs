using Optc.Ir;

namespace Optc.Passes.Shrink;

/// <summary>A copy of a model whose main graph is made smaller, with the number that each node has in the original.</summary>
internal sealed class TrackedGraph
{
    private readonly Dictionary<Node, int> _original = [];
    private readonly Dictionary<int, SortedSet<string>> _changes = [];
    private readonly Dictionary<int, int> _pads = [];

    public TrackedGraph(Module module)
    {
        Module = module.Clone();
        Number(Enumerable.Range(0, Graph.Nodes.Count));
    }

    private TrackedGraph(Module module, TrackedGraph before)
    {
        Module = module;
        Number(before.Graph.Nodes.Select(n => before._original[n]));
        (_changes, _pads, Removed) = (before._changes, before._pads, before.Removed);
    }

    public Module Module { get; }

    public Graph Graph => Module.Main;

    public List<RemovedOperator> Removed { get; } = [];

    /// <summary>Another module whose main graph has the same nodes in the same order.</summary>
    public TrackedGraph With(Module module) => new(module, this);

    /// <summary>The number of a node in the original.</summary>
    public int Original(Node node) => _original[node];

    /// <summary>How the original calls a computed value.</summary>
    public string Name(Value value) => value.Producer is { } producer
        ? FormattableString.Invariant($"op{_original[producer]}:{producer.Outputs.IndexOf(value)}")
        : FormattableString.Invariant($"in{Array.IndexOf([.. Graph.Inputs], value)}");

    public void Change(Node node, string what) => Change(_original[node], what);

    public void TakeIn(Node node, Node pad)
    {
        _pads[_original[node]] = _original[pad];
        Change(node, "pad-fused");
    }

    /// <summary>The operators as they are now.</summary>
    public IEnumerable<KeptOperator> Kept() => Graph.Nodes.Select(n => _original[n]).Select(o => new KeptOperator(
        o,
        _changes.TryGetValue(o, out SortedSet<string>? changes) ? [.. changes] : [],
        _pads.TryGetValue(o, out int pad) ? pad : null));

    /// <summary>Applies a patch; a node that it adds has the number of the one that it replaces.</summary>
    /// <param name="why">Says of each node that is gone afterwards why; the anchor is not among them if it was replaced by a new one.</param>
    public void Apply(GraphPatch patch, Node anchor, Func<Node, RemovedOperator> why)
    {
        Node[] before = [.. Graph.Nodes];
        Node? successor = patch.Added.SingleOrDefault();
        RemovedOperator[] reasons = Array.ConvertAll(before, n => why(n));
        patch.ApplyTo(Module, Graph, anchor);
        HashSet<Node> after = [.. Graph.Nodes];
        if (successor is not null)
        {
            _original[successor] = _original[anchor];
        }

        for (int i = 0; i < before.Length; i++)
        {
            if (!after.Contains(before[i]) && !(successor is not null && before[i] == anchor))
            {
                Removed.Add(reasons[i]);
            }
        }
    }

    /// <summary>Removes nodes whose results nobody reads.</summary>
    public void RemoveUnused()
    {
        Node[] before = [.. Graph.Nodes];
        for (int i = before.Length - 1; i >= 0; i--)
        {
            GraphPatch.RemoveUnused(Graph, before[i]);
        }

        HashSet<Node> after = [.. Graph.Nodes];
        Removed.AddRange(before.Where(n => !after.Contains(n)).Select(n => new RemovedOperator(_original[n], "unused")));
    }

    private void Number(IEnumerable<int> numbers)
    {
        foreach ((Node node, int number) in Graph.Nodes.Zip(numbers))
        {
            _original.Add(node, number);
        }
    }

    private void Change(int original, string what)
    {
        if (!_changes.TryGetValue(original, out SortedSet<string>? changes))
        {
            _changes.Add(original, changes = new(StringComparer.Ordinal));
        }

        changes.Add(what);
    }
}
