using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>An op applied to values.</summary>
public sealed class Node
{
    internal Node(IOp op, ImmutableArray<Value?> inputs, ImmutableArray<Value> outputs, string name)
    {
        Op = op;
        Inputs = inputs;
        Outputs = outputs;
        Name = name;
        foreach (Value? input in inputs)
        {
            input?.AddUser(this);
        }

        foreach (Value output in outputs)
        {
            output.Producer = this;
        }
    }

    public IOp Op { get; }

    /// <summary>Operands; <see langword="null"/> where an optional one is left out.</summary>
    public ImmutableArray<Value?> Inputs { get; private set; }

    public ImmutableArray<Value> Outputs { get; }

    /// <summary>Name of the layer: that of the source, else that of the first output.</summary>
    public string Name { get; }

    /// <summary>Facts of the source format that mean nothing here, kept so that a round trip loses nothing.</summary>
    public object? Foreign { get; internal set; }

    /// <summary>The only output.</summary>
    /// <exception cref="InvalidOperationException">The node has another number of outputs.</exception>
    public Value Output => Outputs.Length == 1
        ? Outputs[0]
        : throw new InvalidOperationException($"'{Name}' has {Outputs.Length} outputs.");

    /// <summary>The operand at <paramref name="index"/>, or <see langword="null"/> when it is left out.</summary>
    public Value? Input(int index) => index < Inputs.Length ? Inputs[index] : null;

    internal void SetInput(int index, Value? value)
    {
        Inputs[index]?.RemoveUser(this);
        value?.AddUser(this);
        Inputs = Inputs.SetItem(index, value);
    }

    internal void Detach()
    {
        foreach (Value? input in Inputs)
        {
            input?.RemoveUser(this);
        }
    }

    public override string ToString() => $"{Op.Title} '{Name}'";
}
