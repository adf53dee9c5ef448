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

    /// <summary>Whole output channels, which become zero; <c>Model.RemoveChannels</c> takes them out.</summary>
    public static PruningPattern Channels { get; } = new ChannelPattern();

    /// <summary>Blocks of so many output channels by so many of what each of them reads.</summary>
    public static PruningPattern Blocks(int height, int width) => new BlockPattern(height, width);

    /// <summary>
    /// So many of each group along the input channels, whatever the final sparsity of the schedule is: 2 of 4 for 2:4, by way of fewer while it rises.
    /// Weights that read a single channel, as depthwise ones do, have no groups and stay whole.
    /// </summary>
    public static PruningPattern Groups(int dropped, int group) => new GroupPattern(dropped, group);

    /// <summary>In words, as reports and files have it.</summary>
    internal abstract string Name { get; }

    /// <param name="kernel">What the dimensions of the weight mean.</param>
    /// <param name="sparsity">Wanted now.</param>
    /// <param name="part">How much of the final sparsity that is, 0 to 1.</param>
    internal abstract bool[] Mask(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity, double part);

    private sealed record ElementPattern : PruningPattern
    {
        internal override string Name => "elements";

        internal override bool[] Mask(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity, double part) => PruningMask.Unstructured(scores, sparsity);
    }

    private sealed record ChannelPattern : PruningPattern
    {
        internal override string Name => "channels";

        internal override bool[] Mask(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity, double part) =>
            PruningMask.Channels(scores, kernel, sparsity);
    }

    private sealed record BlockPattern(int Height, int Width) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"blocks {Height}x{Width}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity, double part) =>
            PruningMask.Blocks(scores, kernel, Height, Width, sparsity);
    }

    private sealed record GroupPattern(int Dropped, int Group) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"{Dropped}:{Group}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity, double part) =>
(int)Math.Round(Dropped * part, MidpointRounding.ToEven) is > 0 and var now && kernel.Inputs > 1
                ? PruningMask.OfGroups(scores, kernel, now, Group)
                : PruningMask.Unstructured(scores, 0);
    }
}
