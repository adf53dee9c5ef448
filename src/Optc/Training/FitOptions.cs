using System.Collections.Immutable;
using Optc.Runtime.Training;
using Optc.Training.Augmentations;

namespace Optc.Training;

/// <summary>How a model is trained.</summary>
public sealed record FitOptions
{
    /// <summary>Times that every sample is seen, at least 1.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Samples of a step, at least 1.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Of the order of the samples, their augmentation and the split; weights are drawn when a model is made.</summary>
    public ulong Seed { get; init; }

    /// <summary>Loss, optimizer, frozen layers, clipping, moving average.</summary>
    public TrainingOptions Step { get; init; } = new();

    public LearningRate Rate { get; init; } = LearningRate.Cosine(1e-3);

    /// <summary>Part of the training data that is set apart for validation when none are given, above 0 and below 1; of each class alike.</summary>
    public double? ValidationPart { get; init; }

    /// <summary>Lets samples of other sizes fit the model, see <see cref="TrainingDataOptions.FitSize"/>.</summary>
    public bool FitSize { get; init; }

    /// <summary>Transforms of the training samples, in order.</summary>
    public ImmutableArray<Augmentation> Augmentations { get; init; } = [];

    /// <summary>Trains although classes have no samples.</summary>
    public bool AllowEmptyClasses { get; init; }

    /// <summary>Measures mean and deviation on the training part, unless <see cref="Normalization"/> gives them.</summary>
    public NormalizationKind? Normalize { get; init; }

    /// <summary>Put in front of the model, and becomes part of it.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>Scores the model after each epoch, on the validation part if there is one.</summary>
    public Metric Metric { get; init; } = Metric.Accuracy;

    /// <summary>Ends the run after so many epochs without a better score; needs validation.</summary>
    public int? Patience { get; init; }

    /// <summary>Returns the weights of the best epoch instead of those of the last; without validation there is no best.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>File that is written as the run goes on, and from which it goes on when it exists.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Steps between two checkpoints; at the end of each epoch when 0.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Makes weights sparse, or keeps them so; <see langword="null"/> leaves zeros to chance.</summary>
    public Pruning? Pruning { get; init; }

    /// <summary>Makes weights share values; those that share some already go on to do so.</summary>
    public Clustering? Clustering { get; init; }

    /// <summary>Rounds as the integer model will.</summary>
    public QuantizationAware? Quantization { get; init; }

    /// <summary>
    /// Learning rates of weights are in proportion to their magnitude, ten times the root mean square of each tensor, so that one rate serves
    /// layers whose weights differ by orders of magnitude. Chains and recipes ask for it.
    /// </summary>
    public bool RelativeRates { get; init; }

    /// <summary>
    /// With pruning, clustering or quantization: folds what integers will fold, and gives convolutions a batch normalization with live
    /// statistics, which repair what zeros and shared values do to the distribution of activations.
    /// </summary>
    public bool LiveNormalization { get; init; } = true;

    /// <summary>Told of the epochs that a checkpoint brings along, before the run goes on.</summary>
    public Action<IReadOnlyList<EpochRecord>>? Resumed { get; init; }

    /// <summary>Told after every step.</summary>
    public IProgress<FitProgress>? Progress { get; init; }
}

/// <summary>Where a run stands.</summary>
/// <param name="Epoch">From 1 on.</param>
/// <param name="Step">Steps taken, of all epochs.</param>
/// <param name="Steps">Steps of the whole run, if it is not ended early.</param>
/// <param name="Samples">Samples seen in this epoch.</param>
/// <param name="Loss">Mean training loss of this epoch so far.</param>
/// <param name="Finished">The line of the log, after the last step of an epoch.</param>
public sealed record FitProgress(int Epoch, long Step, long Steps, int Samples, double Loss, EpochRecord? Finished);

/// <summary>What one epoch brought.</summary>
/// <param name="Epoch">From 1 on.</param>
/// <param name="Rate">Learning rate of its last step.</param>
/// <param name="Loss">Mean loss of the training samples, each before the step it took part in.</param>
/// <param name="Score">The metric on the validation part; <see langword="null"/> without one.</param>
/// <param name="Best">Whether the score is the best so far.</param>
public sealed record EpochRecord(int Epoch, double Rate, double Loss, double? Score, bool Best);

/// <summary>A trained model and how it came about.</summary>
/// <param name="Model">With the weights that the options ask for.</param>
/// <param name="Metric">Name of the metric of the scores.</param>
/// <param name="History">One entry for each epoch.</param>
/// <param name="BestEpoch">Epoch of the weights, where scores decided.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="EndedEarly">True when patience ran out.</param>
/// <param name="StepBytes">Memory planned for the values of a step.</param>
/// <param name="Skipped">Layers that were left alone, with the reasons.</param>
public sealed record FitResult(
    Model Model,
    string Metric,
    ImmutableArray<EpochRecord> History,
    int? BestEpoch,
    long Steps,
    bool EndedEarly,
    long StepBytes,
    ImmutableArray<SkippedLayer> Skipped);
