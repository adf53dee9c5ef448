using System.Collections.Immutable;
using Optc.Formats.WeightCoding;

namespace Optc.Optimize.Explore;

/// <summary>What is tried, and how much of it.</summary>
public sealed record ExplorationOptions
{
    /// <summary>Sparsities that are tried.</summary>
    public ImmutableArray<double> Sparsities { get; init; } = [0.5, 0.7];

    /// <summary>Numbers of codes that are tried.</summary>
    public ImmutableArray<int> Codes { get; init; } = [8, 16, 32];

    /// <summary>
    /// Gives all other settings: its steps prune, cluster, quantize-aware and quantize, those of the library where it has none, and its last
    /// fine-tune for every run.
    /// </summary>
    public OptimizationRecipe Settings { get; init; } = OptimizationRecipe.Find("pcqat-staged")!;

    /// <summary>What the size of a trial is: it decides the front and the winner.</summary>
    public SizeMeasure Coder { get; init; } = SizeMeasure.Of(WeightCoders.OrderZero);

    /// <summary>Trials at most, in the order of the tree; all when <see langword="null"/>.</summary>
    public int? Trials { get; init; }

    /// <summary>Ends the exploration; a trial under way then is left, and goes on when the exploration does.</summary>
    public TimeSpan? Budget { get; init; }

    /// <summary>Trials at a time, which share the threads; results do not depend on it.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>What the score of the winner may be below that of the float model: percentage points, or units of a metric that is no share.</summary>
    public double MaximumDrop { get; init; } = 1;

    /// <summary>Told of every trial that is there: taken up, or finished now; from any thread.</summary>
    public Action<TrialResult, bool>? TrialDone { get; init; }
}
