using Optc.Backends.TfLite;
using Optc.Training;

namespace Optc.Optimize;

/// <summary>How a recipe is carried out.</summary>
public sealed record OptimizationOptions
{
    /// <summary>Of the order of samples, their augmentation and all that is drawn; the same seed gives the same bytes.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// Folder in which finished stages and the checkpoint of the one under way are kept, and from which a run goes on; made if it is missing.
    /// Recipes that begin alike share their first stages. <see langword="null"/> keeps nothing.
    /// </summary>
    public string? WorkFolder { get; init; }

    /// <summary>Scores the models of all stages; needs test data.</summary>
    public Metric Metric { get; init; } = Metric.Accuracy;

    /// <summary>Trains although classes have no samples.</summary>
    public bool AllowEmptyClasses { get; init; }

    /// <summary>The command line, for the report.</summary>
    public string? Command { get; init; }

    /// <summary>Told what is under way.</summary>
    public IProgress<OptimizationProgress>? Progress { get; init; }

    /// <summary>How the result is written; stages on the way to it keep all names.</summary>
    public TfLiteWriteOptions Writing { get; init; } = TfLiteWriteOptions.Default;

    /// <summary>Threads and cancellation.</summary>
    public WorkOptions Work { get; init; } = WorkOptions.Default;
}

/// <summary>Where the run of a recipe stands.</summary>
/// <param name="Stage">From 1 on.</param>
/// <param name="Stages">Of the recipe.</param>
/// <param name="Name">What the stage does: the names of its steps.</param>
/// <param name="Activity">What is under way in it.</param>
/// <param name="Fit">How far training is, while it goes on.</param>
public sealed record OptimizationProgress(int Stage, int Stages, string Name, OptimizationActivity Activity, FitProgress? Fit = null);

/// <summary>What is under way in a stage.</summary>
public enum OptimizationActivity
{
    /// <summary>It begins.</summary>
    Started,

    /// <summary>It was done before, and is taken from the work folder.</summary>
    TakenUp,

    /// <summary>It was interrupted, and training goes on from its checkpoint.</summary>
    Resumed,

    /// <summary>Training.</summary>
    Training,

    /// <summary>Its models are scored.</summary>
    Measuring,
}
