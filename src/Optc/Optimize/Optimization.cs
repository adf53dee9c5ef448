using System.Collections.Immutable;
using Optc.Report.Compression;

namespace Optc.Optimize;

/// <summary>What a recipe made of a model.</summary>
/// <param name="Result">The optimized model, as its file says.</param>
/// <param name="File">The <c>.tflite</c> file of the result, on which its structure was proved.</param>
/// <param name="Recipe">What was really done, with a value for every key.</param>
/// <param name="Run">Stages, scores, layers left alone and proofs, ready for a <see cref="CompressionReport"/>.</param>
public sealed record Optimization(Model Result, ReadOnlyMemory<byte> File, OptimizationRecipe Recipe, CompressionRun Run)
{
    /// <summary>Score of the model that the recipe began with.</summary>
    public double? ScoreBefore => Run.Stages[0].FloatScore;

    /// <summary>Score of the result: of its integers, if it has become integers.</summary>
    public double? ScoreAfter => Run.Stages[^1].Int8 is null ? Run.Stages[^1].FloatScore : Run.Stages[^1].Int8Score;

    /// <summary>What was lost between the two, in percentage points; <see langword="null"/> without scores, or for scores that are no shares.</summary>
    public double? DropPoints => Run.Metric.IsShare && ScoreBefore is { } before && ScoreAfter is { } after ? 100 * (before - after) : null;

    /// <summary>Layers that stages left alone.</summary>
    public ImmutableArray<SkippedLayer> Skipped => Run.Skipped;

    /// <summary>What was checked on the bytes of <see cref="File"/>; all of it holds.</summary>
    public ImmutableArray<InvariantResult> Invariants => Run.Invariants;
}
