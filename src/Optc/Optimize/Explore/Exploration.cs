using System.Collections.Immutable;
using Optc.Ir;
using Optc.Report.Compression;

namespace Optc.Optimize.Explore;

/// <summary>What the trials of a model's deployment tree came to.</summary>
/// <param name="Baseline">Score of the float model.</param>
/// <param name="Metric">Of all scores.</param>
/// <param name="Measure">What the sizes of trials are that front and winner were chosen by.</param>
/// <param name="Trials">Those that were finished, in the order of the tree.</param>
/// <param name="Unfinished">Names of those that the budget did not reach.</param>
/// <param name="Front">The trials that lead to no model from the smallest on, each with whether no other one is as small and as good.</param>
/// <param name="Winner">The smallest one whose score drops by no more than was allowed; <see langword="null"/> when all drop by more.</param>
/// <param name="Best">What the recipe of the winner made, or of the trial with the best score when there is no winner; with all trials in its report.</param>
public sealed record Exploration(
    double Baseline,
    Metric Metric,
    SizeMeasure Measure,
    ImmutableArray<TrialResult> Trials,
    ImmutableArray<string> Unfinished,
    ImmutableArray<ParetoEntry> Front,
    TrialResult? Winner,
    Optimization Best)
{
    /// <summary>Walks the tree. What is finished is kept in a folder, so that a run which is ended goes on; only what was under way is begun again, at its checkpoint.</summary>
    /// <param name="model">Float.</param>
    /// <param name="train">Labelled samples.</param>
    /// <param name="test">Labelled samples that score the trials.</param>
    /// <param name="folder">Made if it is missing; gets the folders <c>trials</c> and <c>stages</c>.</param>
    /// <param name="how">Seed, metric, threads and cancellation; its work folder is that of the exploration.</param>
    /// <exception cref="DiagnosticException">Options, model and data do not fit together, or no trial was finished.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Exploration Run(Model model, Dataset train, Dataset test, string folder, ExplorationOptions? options = null, OptimizationOptions? how = null) =>
        new Explorer(model, train, test, folder, options ?? new(), how ?? new()).Run();

    /// <summary>What the score of a trial lost against the float model: percentage points, or units of the metric.</summary>
    public double DropOf(TrialResult trial) => DropOf(Metric, Baseline, trial.Score);

    internal static double DropOf(Metric metric, double baseline, double score) => (metric.HigherIsBetter ? baseline - score : score - baseline) * (metric.IsShare ? 100 : 1);
}
