using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>Builds a graph from its inputs to its outputs. Nodes are appended in execution order.</summary>
/// <param name="name">Name of the graph, unique within its module.</param>
/// <param name="subgraphs">Finds graphs that control-flow attributes name.</param>
public sealed class GraphBuilder(string name, Func<string, Graph?>? subgraphs = null)
{
    private readonly Graph _graph = new(name);

    /// <summary>The nodes so far, in execution order.</summary>
    public IReadOnlyList<Node> Nodes => _graph.Nodes;

    public Value Input(string name, TensorType type, object? foreign = null)
    {
        Value value = new(name, type) { Foreign = foreign };
        _graph.MutableInputs.Add(value);
        return value;
    }

    /// <summary>Takes an existing value as the next input.</summary>
    internal void Input(Value value) => _graph.MutableInputs.Add(value);

    /// <summary>A constant; <paramref name="quant"/> says what its integers mean.</summary>
    public static Value Constant(TensorData data, string name, QuantParams? quant = null, object? foreign = null) =>
        new(name, new(data.DType, data.Shape, quant)) { Constant = data, Foreign = foreign };

    /// <summary>State that ops read and write and that is kept between invocations.</summary>
    public static Value Variable(string name, TensorType type, object? foreign = null) =>
        new(name, type) { IsVariable = true, Foreign = foreign };

    /// <summary>Appends an op whose output types follow from its shape rule.</summary>
    /// <exception cref="OpRuleException">The shape rule refuses the operands.</exception>
    public Node Add(IOp op, ImmutableArray<Value?> inputs, string name, params ReadOnlySpan<QuantParams?> outputQuant)
    {
        OpOperands operands = new([.. inputs.Select(v => v?.Type)], [.. inputs.Select(v => v?.Constant)], [], subgraphs);
        ImmutableArray<TensorType> types = op.InferTypes(operands);
        Value[] outputs = new Value[types.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            outputs[i] = new(i == 0 ? name : $"{name}:{i}", types[i] with { Quant = i < outputQuant.Length ? outputQuant[i] : null });
        }

        return Add(op, inputs, [.. outputs], name);
    }

    /// <summary>Appends an op with declared output values, as a reader of files does.</summary>
    public Node Add(IOp op, ImmutableArray<Value?> inputs, ImmutableArray<Value> outputs, string name, object? foreign = null)
    {
        Node node = new(op, inputs, outputs, name) { Foreign = foreign };
        _graph.MutableNodes.Add(node);
        return node;
    }

    /// <summary>A value to be given to the second form of <c>Add</c> as an output.</summary>
    public static Value Result(string name, TensorType type, object? foreign = null) => new(name, type) { Foreign = foreign };

    public void Output(Value value) => _graph.MutableOutputs.Add(value);

    public Graph Build(object? foreign = null)
    {
        _graph.Foreign = foreign;
        return _graph;
    }

    /// <summary>A module of one or more graphs; the first is the main one.</summary>
    public static Module Module(
        ImmutableArray<Graph> graphs,
        ImmutableArray<Signature> signatures = default,
        ImmutableArray<(string Name, ReadOnlyMemory<byte> Content)> metadata = default,
        string description = "",
        object? foreign = null) => new(
            graphs,
            signatures.IsDefault ? [] : signatures,
            metadata.IsDefault ? [] : metadata,
            description)
        { Foreign = foreign };
}
