using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>What a shape rule may know: types of the inputs, contents of those that are constant, declared output types.</summary>
/// <param name="inputs">One entry for each operand; <see langword="null"/> where an optional one is left out.</param>
/// <param name="constants">Content of each operand that is known, else <see langword="null"/>; as long as <paramref name="inputs"/>.</param>
/// <param name="declared">Output types as the graph states them; rules use them only where operands do not decide.</param>
/// <param name="subgraphs">Finds the graph that a control-flow attribute names.</param>
public sealed class OpOperands(
    ImmutableArray<TensorType?> inputs,
    ImmutableArray<TensorData?> constants,
    ImmutableArray<TensorType> declared,
    Func<string, Graph?>? subgraphs = null)
{
    public OpOperands(params ImmutableArray<TensorType?> inputs)
        : this(inputs, [.. new TensorData?[inputs.Length]], [])
    {
    }

    public int Count => inputs.Length;

    public ImmutableArray<TensorType> Declared => declared;

    /// <summary>Type of operand <paramref name="index"/>.</summary>
    /// <exception cref="OpRuleException">The operand is missing.</exception>
    public TensorType this[int index] => index < inputs.Length && inputs[index] is { } type
        ? type
        : throw new OpRuleException($"operand {index} is missing") { Found = $"{inputs.Length} operands" };

    public static OpOperands Of(Node node, Func<string, Graph?>? subgraphs = null) => new(
        [.. node.Inputs.Select(v => v?.Type)],
        [.. node.Inputs.Select(v => v?.Constant)],
        [.. node.Outputs.Select(v => v.Type)],
        subgraphs);

    public bool Has(int index) => index < inputs.Length && inputs[index] is not null;

    /// <summary>Content of an operand, or <see langword="null"/> when it is computed or missing.</summary>
    public TensorData? Constant(int index) => index < constants.Length ? constants[index] : null;

    /// <summary>Integers of a constant operand that holds a shape, axes or indices; <see langword="null"/> when it is computed.</summary>
    public int[]? Ints(int index) => Constant(index)?.ToDense().AsInts();

    /// <summary>Type of an operand that must have one of the given element types; none given allows any.</summary>
    /// <exception cref="OpRuleException">The operand is missing or has another element type.</exception>
    public TensorType Require(int index, params ReadOnlySpan<DType> allowed)
    {
        TensorType type = this[index];
        if (!allowed.IsEmpty && !allowed.Contains(type.DType))
        {
            throw new OpRuleException($"operand {index} has an element type that the operator does not take")
            {
                Found = type.DType.Name,
                Expected = string.Join(" or ", allowed.ToArray().Select(d => d.Name)),
                ConcernsElementType = true,
            };
        }

        return type;
    }

    /// <summary>Type of an operand of the given rank (or of unknown rank).</summary>
    /// <exception cref="OpRuleException">The operand is missing or has another rank.</exception>
    public TensorType RequireRank(int index, int rank)
    {
        TensorType type = this[index];
        if (type.Shape.HasRank && type.Shape.Rank != rank)
        {
            throw new OpRuleException($"operand {index} has the wrong number of dimensions")
            {
                Found = type.Shape.ToString(),
                Expected = $"{rank} dimensions",
            };
        }

        return type;
    }

    /// <summary>The declared shape of an output, or an unranked one.</summary>
    public Shape DeclaredShape(int output) => output < declared.Length ? declared[output].Shape : Shape.Unranked;

    /// <summary>The graph that a control-flow attribute names.</summary>
    /// <exception cref="OpRuleException">There is no such graph.</exception>
    public Graph Subgraph(string name) => subgraphs?.Invoke(name)
        ?? throw new OpRuleException("a control-flow operator names a graph that does not exist") { Found = name };
}
