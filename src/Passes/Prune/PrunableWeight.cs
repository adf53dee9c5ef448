using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Prune;

/// <summary>What a weight does in its layer.</summary>
public enum WeightRole
{
    Convolution,
    Depthwise,
    Dense,
    Transposed,
    Recurrent,
    Embedding,
}

/// <summary>A weight that may be pruned: where it stands, what its dimensions mean, and its numbers.</summary>
/// <param name="Layer">Name of the node that reads it; of the first one when there are several.</param>
/// <param name="Operand">Name of the operand in the schema of the op, e.g. <c>w</c>.</param>
/// <param name="Role">What it does there.</param>
/// <param name="Kernel">Its dimensions.</param>
/// <param name="Values">Its numbers in the order of memory; empty when <see cref="WhyFixed"/> says why it has none.</param>
public sealed record PrunableWeight(string Layer, string Operand, WeightRole Role, KernelShape Kernel, ReadOnlyMemory<float> Values)
{
    /// <summary>The constant in the graph, for weights that were found in one.</summary>
    public Value? Source { get; init; }

    /// <summary>Gradient of the loss for each number; only criteria that say so want it.</summary>
    public ReadOnlyMemory<float> Gradients { get; init; }

    /// <summary>Between the inputs of the graph and this weight there is no other.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Between this weight and the outputs of the graph there is no other.</summary>
    public bool IsLast { get; init; }

    /// <summary>Why nothing of it can be pruned, whatever is asked for; <see langword="null"/> for float constants.</summary>
    public string? WhyFixed { get; init; }

    /// <summary>Name of the layer, with that of the operand where a layer has several weights.</summary>
    public string Name => Operand is "w" ? Layer : $"{Layer}:{Operand}";

    /// <summary>The weights of a graph in execution order, each once, also those that cannot be pruned.</summary>
    public static ImmutableArray<PrunableWeight> Of(Graph graph)
    {
        List<(Node Node, ImmutableArray<(int Index, WeightRole Role)> Operands)> layers =
        [
            .. graph.Nodes.Select(n => (n, Operands(n).ToImmutableArray())).Where(l => !l.Item2.IsEmpty),
        ];
        HashSet<Node> weighted = [.. layers.Select(l => l.Node)];
        HashSet<Node> behind = Reached(graph.Nodes, weighted, n => n.Inputs.Select(v => v?.Producer));
        HashSet<Node> before = Reached(graph.Nodes.Reverse(), weighted, n => n.Outputs.SelectMany(o => o.Users));
        HashSet<Value> seen = [];
        ImmutableArray<PrunableWeight>.Builder found = ImmutableArray.CreateBuilder<PrunableWeight>();
        foreach ((Node node, ImmutableArray<(int Index, WeightRole Role)> operands) in layers)
        {
            foreach ((int index, WeightRole role) in operands)
            {
                Value value = node.Inputs[index]!;
                if (seen.Add(value))
                {
                    found.Add(Of(node, index, role) with { IsFirst = !behind.Contains(node), IsLast = !before.Contains(node) });
                }
            }
        }

        return found.ToImmutable();
    }

    private static PrunableWeight Of(Node node, int index, WeightRole role)
    {
        Value value = node.Inputs[index]!;
        string? fixedBy = value switch
        {
            { Constant: null } => "its weights are computed",
            { Type.DType: not DType.F32 } => $"its weights are {value.Type.DType.Name}, not float",
            { Type.Shape: not { IsKnown: true, ElementCount: > 0 } } => "its weights are empty",
            _ => null,
        };
        Shape shape = value.Type.Shape;
        KernelShape kernel = fixedBy is not null && !shape.IsKnown
            ? new(0, 0, 0, 0)
            : role switch
            {
                WeightRole.Depthwise => KernelShape.Depthwise(shape),
                WeightRole.Dense when node.Op is BatchMatMul { AdjY: false } => new(shape[-1], 1, 1, shape[0], OutputsInnermost: true),
                _ => KernelShape.OutputsFirst(shape),
            };
        return new(node.Name, OperandName(node.Op.Schema, index), role, kernel, fixedBy is null ? value.Constant!.ToDense().AsFloats().ToArray() : default)
        {
            Source = value,
            WhyFixed = fixedBy,
        };
    }

    private static IEnumerable<(int Index, WeightRole Role)> Operands(Node node)
    {
        IEnumerable<(int Index, WeightRole Role)> operands = node.Op switch
        {
            Conv2D => [(1, WeightRole.Convolution)],
            DepthwiseConv2D => [(1, WeightRole.Depthwise)],
            FullyConnected => [(1, WeightRole.Dense)],
            TransposeConv => [(1, WeightRole.Transposed)],
            BatchMatMul when node.Input(1) is { Constant: not null, Type.Shape.Rank: 2 } => [(1, WeightRole.Dense)],
            EmbeddingLookup => [(1, WeightRole.Embedding)],
            UnidirectionalSequenceRnn => [(1, WeightRole.Recurrent), (2, WeightRole.Recurrent)],
            UnidirectionalSequenceLstm => [.. Enumerable.Range(1, 8).Append(16).Select(i => (i, WeightRole.Recurrent))],
            Svdf => [(1, WeightRole.Recurrent), (2, WeightRole.Recurrent)],
            _ => [],
        };
        return operands.Where(o => node.Input(o.Index) is not null);
    }

    private static string OperandName(OpSchema schema, int index) => schema.Inputs[index].TrimEnd('?', '*');

    /// <summary>Nodes that a marked one reaches, with the nodes given so that those it reaches come later.</summary>
    private static HashSet<Node> Reached(IEnumerable<Node> nodes, HashSet<Node> marked, Func<Node, IEnumerable<Node?>> origins)
    {
        HashSet<Node> reached = [];
        foreach (Node node in nodes)
        {
            if (origins(node).Any(o => o is not null && (marked.Contains(o) || reached.Contains(o))))
            {
                reached.Add(node);
            }
        }

        return reached;
    }
}
