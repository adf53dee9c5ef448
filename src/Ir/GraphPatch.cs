using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>
/// A change to one graph, collected while looking and applied afterwards: new nodes, values that take the place of
/// others, operands that are exchanged. The only way to change a graph.
/// </summary>
public sealed class GraphPatch
{
    private readonly List<Node> _added = [];
    private readonly List<(Value Old, Value New)> _replaced = [];
    private readonly List<(Node Node, int Index, Value? New)> _inputs = [];

    /// <summary>New nodes in execution order.</summary>
    public IReadOnlyList<Node> Added => _added;

    public static Value Constant(TensorData data, string name, QuantParams? quant = null) => GraphBuilder.Constant(data, name, quant);

    /// <summary>Adds an op with one output that has the type, the name and the foreign facts of an existing value.</summary>
    /// <param name="layer">Name of the new node; that of <paramref name="like"/> when left out.</param>
    public Value Add(IOp op, ImmutableArray<Value?> inputs, Value like, string? layer = null)
    {
        Value output = new(like.Name, like.Type) { Foreign = like.Foreign };
        _added.Add(new Node(op, inputs, [output], layer ?? like.Name));
        return output;
    }

    /// <summary>Adds an op with one output of a given type.</summary>
    public Value Add(IOp op, ImmutableArray<Value?> inputs, TensorType type, string name)
    {
        Value output = new(name, type);
        _added.Add(new Node(op, inputs, [output], name));
        return output;
    }

    /// <summary>Adds an op with any number of outputs.</summary>
    public Node AddNode(IOp op, ImmutableArray<Value?> inputs, ImmutableArray<(string Name, TensorType Type)> outputs, string name)
    {
        Node node = new(op, inputs, [.. outputs.Select(o => new Value(o.Name, o.Type))], name);
        _added.Add(node);
        return node;
    }

    /// <summary>Every use of a value, graph outputs and signatures included, becomes a use of another.</summary>
    public Rewrite Replace(Value old, Value with)
    {
        _replaced.Add((old, with));
        return Rewrite.Apply;
    }

    /// <summary>Says what holds of a constant of a graph, whose content stays as it is; at once, for whoever owns the graph.</summary>
    /// <exception cref="ArgumentException">The value is no constant.</exception>
    public static void Bind(Value constant, WeightStructure? structure) => constant.Constant = constant.Constant is { } data
        ? data.With(structure)
        : throw new ArgumentException($"'{constant.Name}' is no constant.", nameof(constant));

    /// <summary>One operand of an existing node becomes another value.</summary>
    public Rewrite SetInput(Node node, int index, Value? with)
    {
        _inputs.Add((node, index, with));
        return Rewrite.Apply;
    }

    /// <summary>Undoes the uses that the collected nodes made of existing values, when the patch is not applied.</summary>
    public void Discard()
    {
        for (int i = _added.Count - 1; i >= 0; i--)
        {
            _added[i].Detach();
        }

        _added.Clear();
        _replaced.Clear();
        _inputs.Clear();
    }

    /// <summary>Carries out the change.</summary>
    /// <param name="module">Its signatures follow the values that are replaced.</param>
    /// <param name="graph">The graph that holds <paramref name="anchor"/>.</param>
    /// <param name="anchor">New nodes stand directly before this node (after it, if they read its outputs).</param>
    public void ApplyTo(Module module, Graph graph, Node anchor)
    {
        int position = graph.MutableNodes.IndexOf(anchor);
        bool readsAnchor = _added.Exists(n => n.Inputs.Any(v => v?.Producer == anchor));
        graph.MutableNodes.InsertRange(readsAnchor ? position + 1 : position, _added);
        HashSet<Node> added = [.. _added];
        foreach ((Value old, Value replacement) in _replaced)
        {
            Redirect(module, graph, old, replacement, added);
        }

        foreach ((Node node, int index, Value? value) in _inputs)
        {
            Node? producer = node.Inputs[index]?.Producer;
            node.SetInput(index, value);
            if (producer is not null)
            {
                RemoveUnused(graph, producer);
            }
        }

        RemoveUnused(graph, anchor);
    }

    /// <summary>Removes a node without uses and side effects, and then its producers that have none left.</summary>
    public static int RemoveUnused(Graph graph, Node candidate)
    {
        Stack<Node> pending = new([candidate]);
        int removed = 0;
        while (pending.TryPop(out Node? node))
        {
            if (node.Op.Schema.HasSideEffects
                || node.Inputs.Any(v => v is { IsVariable: true })
                || node.Outputs.Any(o => o.UseCount > 0 || graph.IsOutput(o))
                || !graph.MutableNodes.Remove(node))
            {
                continue;
            }

            removed++;
            node.Detach();
            foreach (Value? input in node.Inputs)
            {
                if (input?.Producer is { } producer)
                {
                    pending.Push(producer);
                }
            }
        }

        return removed;
    }

    /// <summary>Removes a graph that is called by no other and is no entry point; the main graph stays.</summary>
    /// <returns>False when it is the main graph, a signature begins there, or it is not in the module.</returns>
    public static bool RemoveGraph(Module module, Graph graph)
    {
        if (module.Main == graph || module.Signatures.Any(s => s.Graph == graph) || !module.Graphs.Contains(graph))
        {
            return false;
        }

        module.Graphs = module.Graphs.Remove(graph);
        return true;
    }

    private static void Redirect(Module module, Graph graph, Value old, Value replacement, HashSet<Node> added)
    {
        foreach (Node user in old.Users.Distinct().ToArray())
        {
            if (added.Contains(user) && user.Outputs.Contains(replacement))
            {
                continue;
            }

            for (int i = 0; i < user.Inputs.Length; i++)
            {
                if (user.Inputs[i] == old)
                {
                    user.SetInput(i, replacement);
                }
            }
        }

        if (!graph.IsOutput(old))
        {
            return;
        }

        for (int i = 0; i < graph.MutableOutputs.Count; i++)
        {
            if (graph.MutableOutputs[i] == old)
            {
                graph.MutableOutputs[i] = replacement;
            }
        }

        if (replacement.Producer is not null)
        {
            replacement.Name = old.Name;
        }

        module.Signatures =
        [
            .. module.Signatures.Select(s => s.Graph != graph
                ? s
                : s with { Outputs = [.. s.Outputs.Select(o => o.Value == old ? (o.Name, replacement) : o)] }),
        ];
    }
}
