using System.Collections.Immutable;
using System.Diagnostics;
using Optc.Formats.WeightCoding;
using Optc.Training;

namespace Optc.Report.Compression;

/// <summary>What a chain of stages leaves behind for its report: the models, and what was measured with them.</summary>
/// <param name="Title">Name of the model, for the head of the report.</param>
/// <param name="Metric">Of all scores.</param>
/// <param name="Stages">In order of the chain: the first is what the others are compared with, the last is the result. At least one.</param>
public sealed record CompressionRun(string Title, Metric Metric, ImmutableArray<StageResult> Stages)
{
    /// <summary>Samples that the scores were measured on; <see langword="null"/> where nothing was measured.</summary>
    public int? Samples { get; init; }

    /// <summary>What the sizes of integer weights are asked of; the verdict speaks of the first.</summary>
    public ImmutableArray<IWeightCoder> Coders { get; init; } = [WeightCoders.OrderZero, WeightCoders.Gzip, WeightCoders.EthosU];

    /// <summary>Layers that a stage left alone.</summary>
    public ImmutableArray<SkippedLayer> Skipped { get; init; } = [];

    /// <summary>How far the fake-quantized result is from the integer one, layer by layer.</summary>
    public ImmutableArray<LayerAgreement> Agreement { get; init; } = [];

    /// <summary>What was checked on the bytes that were written.</summary>
    public ImmutableArray<InvariantResult> Invariants { get; init; } = [];

    /// <summary>Trials of an exploration, in any order.</summary>
    public ImmutableArray<ParetoPoint> Pareto { get; init; } = [];

    /// <summary>What the sizes of <see cref="Pareto"/> are; weights by the first of <see cref="Coders"/> unless given.</summary>
    public string? ParetoMeasure { get; init; }

    /// <summary>How the run can be done again.</summary>
    public Reproduction? Reproduction { get; init; }
}

/// <summary>What one stage made. At least one of the two models is there.</summary>
/// <param name="Name">As the report heads its column, e.g. <c>Baseline</c>, <c>Pruned</c>, <c>PCQAT</c>.</param>
public sealed record StageResult(string Name)
{
    /// <summary>The model in floating point.</summary>
    public Model? Float { get; init; }

    /// <summary>Its integer form.</summary>
    public Model? Int8 { get; init; }

    /// <summary>Score of <see cref="Float"/>.</summary>
    public double? FloatScore { get; init; }

    /// <summary>Score of the float graph with fake-quantized values.</summary>
    public double? FakeQuantScore { get; init; }

    /// <summary>Score of <see cref="Int8"/> by integer kernels.</summary>
    public double? Int8Score { get; init; }

    /// <summary>Epochs that the stage trained; empty without training.</summary>
    public ImmutableArray<EpochRecord> Curve { get; init; } = [];

    /// <summary>What the stage turned out to be, e.g. <c>PQAT</c> for quantization-aware training of a pruned model.</summary>
    public string? Mode { get; init; }

    /// <summary>Why it was that mode.</summary>
    public string? ModeReason { get; init; }

    /// <summary>The same with mode, reason and epochs of a run of training.</summary>
    public StageResult After(CompressionStage run) => this with
    {
        Mode = run.Mode switch
        {
            CompressionMode.Plain => "training",
            CompressionMode.Pruning => "pruning",
            CompressionMode.Clustering => "clustering",
            CompressionMode.SparseClustering => "pruning, clustering",
            CompressionMode.Qat => "QAT",
            CompressionMode.Pqat => "PQAT",
            CompressionMode.Cqat => "CQAT",
            CompressionMode.Pcqat => "PCQAT",
            _ => throw new UnreachableException(),
        } + (run.Joint ? ", joint" : ""),
        ModeReason = run.Reason,
        Curve = run.History,
    };
}

/// <summary>How far the values of a layer in the fake-quantized graph are from those of the integer graph.</summary>
/// <param name="Layer">Name of the value.</param>
/// <param name="MaxDifference">Largest difference, in real units.</param>
/// <param name="Sqnr">dB, the fake-quantized values being the signal.</param>
/// <param name="Tolerance">What <paramref name="MaxDifference"/> may be, where that is stated.</param>
public sealed record LayerAgreement(string Layer, double MaxDifference, double Sqnr, double? Tolerance = null)
{
    /// <summary>Whether the difference is within the tolerance; <see langword="null"/> without one. NaN is not.</summary>
    public bool? Holds => Tolerance is { } most ? MaxDifference <= most : null;

    /// <summary>The layers of a comparison of the fake-quantized model with the integer model.</summary>
    public static ImmutableArray<LayerAgreement> Of(Comparison comparison) =>
        [.. comparison.Layers.Select(l => new LayerAgreement(l.Name, l.MaxAbs, l.Sqnr))];
}

/// <summary>One trial of an exploration.</summary>
/// <param name="CodedBytes">Size by <see cref="CompressionRun.ParetoMeasure"/>.</param>
/// <param name="Chosen">Whether it is the one that was taken.</param>
public sealed record ParetoPoint(string Name, long CodedBytes, double Score, bool Chosen = false);

/// <summary>All that is needed to do a run again.</summary>
/// <param name="Version">Of the program.</param>
/// <param name="Hashes">Of model, data, recipe and result, in lower-case hexadecimal.</param>
/// <param name="Seed">Of everything random.</param>
/// <param name="Recipe">The effective recipe, word for word.</param>
/// <param name="Command">The command line, where there was one.</param>
public sealed record Reproduction(
    string Version, ImmutableArray<ContentHash> Hashes, ulong? Seed = null, string? Recipe = null, string? Command = null);

/// <param name="What">E.g. <c>input</c>, <c>output</c>, <c>recipe</c>, <c>training data</c>.</param>
/// <param name="Name">Of the file, may be empty.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
public sealed record ContentHash(string What, string Name, string Sha256)
{
    /// <summary>The hash of some bytes.</summary>
    public static ContentHash Of(string what, string name, ReadOnlySpan<byte> content) =>
        new(what, name, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)));
}
