namespace Optc.Ir;

/// <summary>Nodes in execution order, between named inputs and outputs. Layout of images is NHWC.</summary>
/// <remarks>Built by a <see cref="GraphBuilder"/>, changed only by a <see cref="GraphPatch"/>.</remarks>
public sealed class Graph
{
    private readonly List<Node> _nodes = [];
    private List<Value> _inputs = [];
    private List<Value> _outputs = [];

    internal Graph(string name) => Name = name;

    /// <summary>Unique within the module; control-flow attributes refer to it.</summary>
    public string Name { get; }

    public IReadOnlyList<Node> Nodes => _nodes;

    public IReadOnlyList<Value> Inputs => _inputs;

    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>Facts of the source format that mean nothing here, kept so that a round trip loses nothing.</summary>
    public object? Foreign { get; internal set; }

    internal List<Node> MutableNodes => _nodes;

    internal List<Value> MutableInputs => _inputs;

    internal List<Value> MutableOutputs => _outputs;

    public bool IsOutput(Value value) => _outputs.Contains(value);

    public bool Contains(Node node) => _nodes.Contains(node);

    /// <summary>Every value once, in order of first appearance: inputs, then for each node its operands and its outputs, then outputs.</summary>
    public IEnumerable<Value> Values()
    {
        HashSet<Value> seen = [];
        foreach (Value input in _inputs)
        {
            if (seen.Add(input))
            {
                yield return input;
            }
        }

        foreach (Node node in _nodes)
        {
            foreach (Value? input in node.Inputs)
            {
                if (input is not null && seen.Add(input))
                {
                    yield return input;
                }
            }

            foreach (Value output in node.Outputs)
            {
                if (seen.Add(output))
                {
                    yield return output;
                }
            }
        }

        foreach (Value output in _outputs)
        {
            if (seen.Add(output))
            {
                yield return output;
            }
        }
    }

    public override string ToString() => $"graph {Name}: {_nodes.Count} nodes";
}
