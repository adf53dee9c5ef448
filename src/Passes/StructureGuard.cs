using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes;

/// <summary>What weights are bound to before a pass, to see whether they still are afterwards.</summary>
/// <remarks>
/// A weight is known by the names of its layer and operand. A layer that is gone, or reads a computed weight, is not looked at: the
/// verifier says whether the structures that are there hold; this says whether one was lost.
/// </remarks>
public sealed class StructureGuard
{
    private readonly Dictionary<(string Graph, string Layer, string Operand), (WeightStructure Structure, long Count)> _bound = [];

    private StructureGuard(Module module)
    {
        foreach ((Graph graph, Node node, string operand, TensorData data) in Weights(module).Where(w => w.Data.Structure is not null))
        {
            _bound.TryAdd((graph.Name, node.Name, operand), (data.Structure!, data.Shape.ElementCount));
        }
    }

    /// <summary>Takes down the structures of a module.</summary>
    public static StructureGuard Of(Module module) => new(module);

    /// <summary>Says where a changed module is less than it was.</summary>
    /// <param name="by">Name of the pass or step that changed it.</param>
    /// <exception cref="DiagnosticException">A weight lost its structure, or has a weaker one.</exception>
    public void ThrowIfLost(Module after, string by)
    {
        if (_bound.Count == 0)
        {
            return;
        }

        ImmutableArray<Diagnostic>.Builder lost = ImmutableArray.CreateBuilder<Diagnostic>();
        HashSet<(string, string, string)> seen = [];
        foreach ((Graph graph, Node node, string operand, TensorData data) in Weights(after))
        {
            (string, string, string) key = (graph.Name, node.Name, operand);
            if (seen.Add(key) && _bound.TryGetValue(key, out (WeightStructure Structure, long Count) before) && before.Count == data.Shape.ElementCount)
            {
                lost.AddRange(Weaker(before.Structure, data).Select(b => new Diagnostic(DiagnosticId.StructureBroken, $"'{by}' loses the {b.What} of a weight")
                {
                    At = [$"graph '{graph.Name}'", node.ToString(), $"operand '{operand}'"],
                    Found = b.Found,
                    Expected = b.Expected,
                }));
            }
        }

        if (lost.Count > 0)
        {
            throw new DiagnosticException(lost.ToImmutable());
        }
    }

    /// <summary>In which respects the structure of a weight is weaker than the one that it had.</summary>
    private static IEnumerable<StructureBreach> Weaker(WeightStructure before, TensorData data)
    {
        WeightStructure? after = data.Structure;
        if (before.Mask is { } mask && (after?.Mask is not { } kept || kept.Zeros < mask.Zeros))
        {
            yield return new("mask", $"{mask.Zeros} zeros", after?.Mask is { } left ? $"{left.Zeros}" : "none");
        }

        bool isFloat = data.DType is DType.F32;
        if (before.Grid is { } grid && isFloat && after?.Grid?.Bits != grid.Bits)
        {
            yield return new("grid", $"{grid.Bits} bits", after?.Grid is { } other ? $"{other.Bits} bits" : "none");
        }

        if (before.Codebook is not { } book)
        {
            yield break;
        }

        // Channels that change sign use the opposites of the codes too; without a grid, or without its scales, each channel has its own.
        bool ownAllowed = before.Grid is null || !isFloat;
        if (after?.Codebook is not { } now || now.Codes > (2 * book.Codes) + 1 || (now.Groups > book.Groups && !ownAllowed))
        {
            yield return new("codebook", Text(book), after?.Codebook is { } weaker ? Text(weaker) : "none");
        }
    }

    private static string Text(Codebook book) => book.Groups == 1 ? $"{book.Codes} codes" : $"{book.Codes} codes in each of {book.Groups} groups";

    /// <summary>Constant operands other than biases, also those that DEQUANTIZE makes float.</summary>
    private static IEnumerable<(Graph Graph, Node Node, string Operand, TensorData Data)> Weights(Module module)
    {
        foreach (Graph graph in module.Graphs)
        {
            foreach (Node node in graph.Nodes)
            {
                for (int i = 0; i < node.Inputs.Length; i++)
                {
                    string operand = i < node.Op.Schema.Inputs.Length ? node.Op.Schema.Inputs[i].TrimEnd('?', '*') : $"{i}";
                    if (!operand.StartsWith("bias", StringComparison.Ordinal) && node.Inputs[i] is { } value && ConstantOf(value) is { } data)
                    {
                        yield return (graph, node, operand, data);
                    }
                }
            }
        }
    }

    private static TensorData? ConstantOf(Value value) =>
        value.Constant ?? (value.Producer is { Op: Dequantize } node ? node.Inputs[0]?.Constant : null);
}
