using Optc.Passes.Prune;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>How training makes weights sparse: by magnitude, a little more at a time, and never less again.</summary>
/// <remarks>
/// Weights of layers with two dimensions and more are pruned, each tensor alone; biases and batch normalization are not. A
/// weight that is zero stays zero: its gradient and its moments are masked, so that every checkpoint is as sparse as
/// the schedule says. A score counts for the best epoch only once the final sparsity is reached.
/// </remarks>
/// <param name="Schedule">Sparsity over the steps of the run.</param>
public sealed record Pruning(PruningSchedule Schedule)
{
    /// <summary>Keeps every weight that is zero now, and makes no other so.</summary>
    public static Pruning KeepZeros { get; } = new(PruningSchedule.Constant(0)) { KeepsOnly = true };

    /// <summary>What is dropped together.</summary>
    public PruningPattern Pattern { get; init; } = PruningPattern.Unstructured;

    /// <summary>Layers that are pruned, by a pattern found in their names; all when <see langword="null"/>.</summary>
    public string? Layers { get; init; }

    /// <summary>Depthwise weights are few and dear; they are pruned only if this says so.</summary>
    public bool Depthwise { get; init; }

    /// <summary>Steps between two looks at the weights; a hundredth of the run when 0.</summary>
    public int Every { get; init; }

    internal bool KeepsOnly { get; private init; }

    internal bool Concerns(TrainedVariable variable, bool isDepthwise) =>
        variable.Operand is "w" && variable.Shape.Rank >= 2
        && (Depthwise || KeepsOnly || !isDepthwise)
        && (Layers is null || new LayerRate(Layers, 1).Matches(variable.Layer));
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

    internal abstract bool[] Mask(ReadOnlySpan<float> scores, TrainedVariable variable, double sparsity);

    private static int Columns(TrainedVariable variable) => checked((int)(variable.Shape.ElementCount / variable.Shape[0]));

    private sealed record ElementPattern : PruningPattern
    {
        internal override string Name => "elements";

        internal override bool[] Mask(ReadOnlySpan<float> scores, TrainedVariable variable, double sparsity) => PruningMask.Unstructured(scores, sparsity);
    }

    private sealed record ChannelPattern : PruningPattern
    {
        internal override string Name => "channels";

        internal override bool[] Mask(ReadOnlySpan<float> scores, TrainedVariable variable, double sparsity) =>
            PruningMask.Channels(scores, variable.Shape[0], sparsity);
    }

    private sealed record BlockPattern(int Height, int Width) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"blocks {Height}x{Width}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, TrainedVariable variable, double sparsity) =>
            PruningMask.Blocks(scores, Columns(variable), Height, Width, sparsity);
    }

    private sealed record GroupPattern(int Dropped, int Group) : PruningPattern
    {
        internal override string Name => FormattableString.Invariant($"{Dropped}:{Group}");

        internal override bool[] Mask(ReadOnlySpan<float> scores, TrainedVariable variable, double sparsity) =>
            sparsity == 0 ? PruningMask.Unstructured(scores, 0) : PruningMask.OfGroups(scores, variable.Shape[-1], Dropped, Group);
    }
}
