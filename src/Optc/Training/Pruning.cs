using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Prune;

namespace Optc.Training;

/// <summary>How training makes weights sparse: by their scores, a little more at a time, and never less again.</summary>
/// <remarks>
/// Weights of layers with two dimensions and more are pruned; biases and batch normalization are not. A
/// weight that is zero stays zero: its gradient and its moments are masked, so that every checkpoint is as sparse as
/// the schedule says. A score counts for the best epoch only once the final sparsity is reached.
/// </remarks>
/// <param name="Schedule">Sparsity over the steps of the run.</param>
public sealed record Pruning(PruningSchedule Schedule)
{
    /// <summary>Keeps every weight that is zero now, and makes no other so.</summary>
    public static Pruning KeepZeros { get; } = new(PruningSchedule.Constant(0)) { KeepsOnly = true };

    /// <summary>What is dropped together; anything but elements is chosen in each tensor alone.</summary>
    public PruningPattern Pattern { get; init; } = PruningPattern.Unstructured;

    /// <summary>How zeros are spread over the layers, for elements.</summary>
    public SparsityDistribution Distribution { get; init; } = SparsityDistribution.Uniform;

    /// <summary>Which elements go first.</summary>
    public PruningCriterion Criterion { get; init; } = PruningCriterion.Magnitude;

    /// <summary>Layers that are pruned.</summary>
    public PruningSelection Selection { get; init; } = PruningSelection.Default;

    /// <summary>Steps between two looks at the weights; a hundredth of the run when 0.</summary>
    public int Every { get; init; }

    internal bool KeepsOnly { get; private init; }

    /// <summary>Weights of a graph that are pruned, and for the others the reason why not.</summary>
    internal ImmutableArray<(PrunableWeight Weight, string? Reason)> Weights(Graph graph)
    {
        ImmutableArray<PrunableWeight> all = PrunableWeight.Of(graph);
        return [.. all.Zip((KeepsOnly ? PruningSelection.Everything : Selection).Reasons(all))];
    }
}

/// <summary>Elements that are dropped together.</summary>
public abstract record PruningPattern
{
    /// <summary>Each element for itself.</summary>
    public static PruningPattern Unstructured { get; } = new ElementPattern();

    /// <summary>Whole output channels: rows of the weight.</summary>
    public static PruningPattern Channels { get; } = new ChannelPattern();

    /// <summary>Blocks of the weight as a matrix [output channels, rest].</summary>
    public static PruningPattern Blocks(int height, int width) => new BlockPattern(height, width);

    /// <summary>So many of each group along the innermost axis, whatever the schedule says: 2 of 4 for 2:4.</summary>
    public static PruningPattern Groups(int dropped, int group) => new GroupPattern(dropped, group);

    /// <summary>In words, as reports and files have it.</summary>
    internal abstract string Name { get; }

    internal abstract bool[] Mask(ReadOnlySpan<float> scores, Shape shape, double sparsity);

    private static int Columns(Shape shape) => checked((int)(shape.ElementCount / shape[0]));

    private sealed record ElementPattern : PruningPattern
    {
        internal override string Name => "elements";

        internal override bool[] Mask(ReadOnlySpan<float> scores, Shape shape, double sparsity) => PruningMask.Unstructured(scores, sparsity);
    }

    private sealed record ChannelPattern : PruningPattern
    {
        internal override string Name => "channels";

        internal override bool[] Mask(ReadOnlySpan<float> scores, Shape shape, double sparsity) =>
            PruningMask.Channels(scores, shape[0], sparsity);
    }

    private sealed record BlockPattern(int Height, int Width) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"blocks {Height}x{Width}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, Shape shape, double sparsity) =>
            PruningMask.Blocks(scores, Columns(shape), Height, Width, sparsity);
    }

    private sealed record GroupPattern(int Dropped, int Group) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"{Dropped}:{Group}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, Shape shape, double sparsity) =>
            sparsity == 0 ? PruningMask.Unstructured(scores, 0) : PruningMask.OfGroups(scores, shape[-1], Dropped, Group);
    }
}
