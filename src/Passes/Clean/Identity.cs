using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>Takes away a node whose result is one of its operands, where the interface of the graph allows it.</summary>
internal static class Identity
{
    /// <summary>Every use of the node's result becomes a use of <paramref name="source"/>.</summary>
    /// <param name="node">A node with one output.</param>
    /// <param name="source">The value that the node copies.</param>
    public static Rewrite Forward(Graph graph, Node node, Value source, GraphPatch patch)
    {
        Value result = node.Output;
        if (!source.Type.Equals(result.Type))
        {
            return Rewrite.Decline($"the operand is declared as {source.Type}, the copy as {result.Type}");
        }

        if (source.IsVariable)
        {
            return Rewrite.Decline($"the copy keeps what the variable '{source.Name}' held");
        }

        if (source.Constant is { Sparse: not null })
        {
            return Rewrite.Decline($"'{source.Name}' is stored sparse, which other operators do not read");
        }

        if (!graph.IsOutput(result))
        {
            return patch.Replace(result, source);
        }

        if (source.Producer is null)
        {
            return Rewrite.Decline($"'{source.Name}' is not computed and cannot be the output '{result.Name}' of the graph");
        }

        return graph.IsOutput(source)
            ? Rewrite.Decline($"'{source.Name}' and '{result.Name}' are both outputs of the graph")
            : patch.Replace(result, source);
    }

    /// <summary>True for the ops that give their first operand another shape, and nothing else.</summary>
    public static bool Reshapes(IOp op) => op is Reshape or Squeeze or ExpandDims;

    /// <summary>The integers of an operand that is a constant, else <see langword="null"/>.</summary>
    public static int[]? Ints(Node node, int index) => node.Input(index)?.Constant?.ToDense().AsInts();
}
