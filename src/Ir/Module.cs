using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>A named entry point: a graph with names for its inputs and outputs.</summary>
/// <param name="Key">Unique name by which callers choose the entry point.</param>
/// <param name="Inputs">Name and value, in the order of the source.</param>
/// <param name="Outputs">Name and value, in the order of the source.</param>
public sealed record Signature(
    string Key,
    Graph Graph,
    ImmutableArray<(string Name, Value Value)> Inputs,
    ImmutableArray<(string Name, Value Value)> Outputs);

/// <summary>A model: graphs, the first of which is the main one, entry points, and what else the file said.</summary>
public sealed class Module
{
    internal Module(
        ImmutableArray<Graph> graphs,
        ImmutableArray<Signature> signatures,
        ImmutableArray<(string Name, ReadOnlyMemory<byte> Content)> metadata,
        string description)
    {
        Graphs = graphs;
        Signatures = signatures;
        Metadata = metadata;
        Description = description;
    }

    public ImmutableArray<Graph> Graphs { get; internal set; }

    public ImmutableArray<Signature> Signatures { get; internal set; }

    public ImmutableArray<(string Name, ReadOnlyMemory<byte> Content)> Metadata { get; internal set; }

    public string Description { get; internal set; }

    /// <summary>Facts of the source format that mean nothing here, kept so that a round trip loses nothing.</summary>
    public object? Foreign { get; internal set; }

    public Graph Main => Graphs[0];

    public Graph? FindGraph(string name) => Graphs.FirstOrDefault(g => g.Name == name);

    /// <summary>A copy whose graphs can be rewritten without touching these; constants are shared, they are immutable.</summary>
    public Module Clone()
    {
        Dictionary<Value, Value> map = [];
        ImmutableArray<Graph> graphs = [.. Graphs.Select(g => CloneGraph(g, map))];
        Dictionary<Graph, Graph> graphMap = Graphs.Zip(graphs).ToDictionary(p => p.First, p => p.Second);
        return new(
            graphs,
            [.. Signatures.Select(s => new Signature(
                s.Key,
                graphMap[s.Graph],
                [.. s.Inputs.Select(i => (i.Name, map[i.Value]))],
                [.. s.Outputs.Select(o => (o.Name, map[o.Value]))]))],
            Metadata,
            Description)
        { Foreign = Foreign };
    }

    private static Graph CloneGraph(Graph graph, Dictionary<Value, Value> map)
    {
        Value Copy(Value value)
        {
            if (!map.TryGetValue(value, out Value? copy))
            {
                copy = new Value(value.Name, value.Type) { Constant = value.Constant, IsVariable = value.IsVariable, Foreign = value.Foreign };
                map.Add(value, copy);
            }

            return copy;
        }

        Graph clone = new(graph.Name) { Foreign = graph.Foreign };
        clone.MutableInputs.AddRange(graph.Inputs.Select(Copy));
        foreach (Node node in graph.Nodes)
        {
            clone.MutableNodes.Add(new Node(
                node.Op,
                [.. node.Inputs.Select(v => v is null ? null : Copy(v))],
                [.. node.Outputs.Select(Copy)],
                node.Name)
            { Foreign = node.Foreign });
        }

        clone.MutableOutputs.AddRange(graph.Outputs.Select(Copy));
        return clone;
    }
}
