namespace Optc.Ir;

/// <summary>An edge of the graph: a graph input, a constant, a variable, or one output of a node.</summary>
public sealed class Value
{
    private readonly List<Node> _users = [];

    internal Value(string name, TensorType type)
    {
        Name = name;
        Type = type;
    }

    /// <summary>Name as the source gave it, or made by a pass; need not be unique, may be empty.</summary>
    public string Name { get; internal set; }

    public TensorType Type { get; internal set; }

    /// <summary>The node that computes this value; <see langword="null"/> for inputs, constants and variables.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Content, for constants.</summary>
    public TensorData? Constant { get; internal set; }

    /// <summary>True for state that an op reads and writes and that is kept between invocations.</summary>
    public bool IsVariable { get; internal init; }

    /// <summary>Facts of the source format that mean nothing here, kept so that a round trip loses nothing.</summary>
    public object? Foreign { get; internal set; }

    /// <summary>The nodes that read this value, once for each operand that does.</summary>
    public IReadOnlyList<Node> Users => _users;

    /// <summary>Number of operands that read this value; graph outputs are not counted (<see cref="Graph.IsOutput"/>).</summary>
    public int UseCount => _users.Count;

    internal void AddUser(Node node) => _users.Add(node);

    internal void RemoveUser(Node node) => _users.Remove(node);

    public override string ToString() => $"{Name}: {Type}";
}
