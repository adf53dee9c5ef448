using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Training;

namespace Optc.Report.Compression;

/// <summary>What compression made of a model, stage by stage: accuracy, bytes, every layer's weights, and the proofs.</summary>
/// <remarks>
/// Plain data: <see cref="ReportJson"/>, <see cref="CompressionMarkdown"/> and <see cref="CompressionHtml"/> print it, with the same
/// numbers. The same run gives the same bytes.
/// </remarks>
/// <param name="Verdict">The result in a sentence or two.</param>
/// <param name="Metric">Name of the metric of all scores.</param>
/// <param name="MetricIsShare">True for scores from 0 to 1 that are parts of the samples.</param>
/// <param name="HigherIsBetter">False for errors.</param>
/// <param name="Samples">Samples that the scores were measured on.</param>
/// <param name="Layers">One entry for each weight tensor, in the order of the first model that has it.</param>
/// <param name="Kernel">The values of the largest layer; <see langword="null"/> for a model without weights.</param>
/// <param name="Coders">The coders that sizes of weights were asked of, the first of them for the verdict.</param>
/// <param name="ParetoMeasure">What the sizes of <paramref name="Pareto"/> are; <see langword="null"/> without trials.</param>
/// <param name="AllInvariantsHold"><see langword="null"/> when none were checked.</param>
/// <param name="Notes">What could not be computed, and why.</param>
public sealed record CompressionReport(
    string Title,
    string Verdict,
    string Metric,
    bool MetricIsShare,
    bool HigherIsBetter,
    int? Samples,
    ImmutableArray<CoderEntry> Coders,
    ImmutableArray<StageEntry> Stages,
    ImmutableArray<LayerEntry> Layers,
    ImmutableArray<SkippedLayer> Skipped,
    KernelEntry? Kernel,
    ImmutableArray<LayerAgreement> Agreement,
    bool? AllInvariantsHold,
    ImmutableArray<InvariantResult> Invariants,
    ImmutableArray<ParetoEntry> Pareto,
    string? ParetoMeasure,
    Reproduction? Reproduction,
    ImmutableArray<string> Notes)
{
    /// <summary>Measures the models of a run.</summary>
    /// <param name="options">Left out: as many threads as there are processors.</param>
    /// <exception cref="ArgumentException">There is no stage, or one without a model.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CompressionReport Build(CompressionRun run, WorkOptions? options = null) =>
        new CompressionReporter(run, options ?? WorkOptions.Default with { Threads = Environment.ProcessorCount }).Build();

    /// <summary>Writes <c>report.html</c>, <c>report.md</c> and <c>report.json</c>, all or none; makes the folder if it is missing.</summary>
    /// <param name="overwrite">Replaces files that exist; otherwise they are an error.</param>
    /// <exception cref="DiagnosticException">A file exists or cannot be written.</exception>
    public void Save(string folder, bool overwrite = false) => CompressionFiles.Write(this, folder, overwrite);
}

/// <param name="Name">As <see cref="WeightCost.Coder"/> has it.</param>
/// <param name="Description">What it counts.</param>
public sealed record CoderEntry(string Name, string Description);

/// <summary>A column of the table of stages.</summary>
/// <param name="Float">The float model; <see langword="null"/> when the stage has none.</param>
/// <param name="Int8">The integer model.</param>
public sealed record StageEntry(
    string Name,
    string? Mode,
    string? ModeReason,
    double? FloatScore,
    double? FakeQuantScore,
    double? Int8Score,
    FormEntry? Float,
    FormEntry? Int8,
    ImmutableArray<EpochRecord> Curve);

/// <summary>The size of a model.</summary>
/// <param name="FileBytes">Of the <c>.tflite</c> file; <see langword="null"/> when the model cannot be written.</param>
/// <param name="GzipBytes">Of that file by gzip at the highest level of .NET; the program <c>gzip -9</c> differs by up to 3 %.</param>
/// <param name="Weights">Elements of the weight tensors; biases do not count.</param>
/// <param name="WeightBytes">Bytes of the weight tensors as stored.</param>
/// <param name="Zeros">Weights that are 0.</param>
/// <param name="Coded">
/// Size of the integer weights, all tensors together, by each coder; empty where there are none. No figure of one coder is comparable with that of another.
/// </param>
/// <param name="UncodedBytes">Bytes of weights that are no integers of 8 bits or less, and so have no coded size.</param>
/// <param name="Uses">What the bytes of the file are for.</param>
public sealed record FormEntry(
    long? FileBytes,
    long? GzipBytes,
    long Weights,
    long WeightBytes,
    long Zeros,
    double ZeroPercent,
    ImmutableArray<WeightCost> Coded,
    long UncodedBytes,
    ImmutableArray<ByteUse> Uses);

/// <summary>A weight tensor through the stages.</summary>
/// <param name="Name">Of the tensor.</param>
/// <param name="Layer">The layer that uses it.</param>
/// <param name="Stages">In order; the float form of a stage before its integer form.</param>
/// <param name="Skipped">What left the tensor alone: stages of the report, or steps such as <c>pruning</c> in any of them.</param>
public sealed record LayerEntry(
    string Name,
    string Layer,
    string Op,
    ImmutableArray<int>? Shape,
    long Elements,
    ImmutableArray<LayerStage> Stages,
    ImmutableArray<SkippedLayer> Skipped);

/// <summary>A weight tensor in one model.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Form"><c>float</c> or <c>int8</c>: which of the stage's models.</param>
/// <param name="Type">Element type.</param>
/// <param name="Distinct">Different codes; of float weights those on their grid, or different values where there is none.</param>
/// <param name="Entropy">Of these, bits for a weight.</param>
/// <param name="Coded">Of this tensor stored alone, by each coder; empty for float weights.</param>
/// <param name="Sqnr">
/// Against the first stage's weights, dB, both with batch normalization folded in; <see langword="null"/> where shapes differ. Infinite for equal weights.
/// </param>
/// <param name="Skipped">Why the stage left the layer alone, where it did; with the last stage also what names no stage of the report.</param>
public sealed record LayerStage(
    string Stage,
    string Form,
    string Type,
    long Elements,
    long Zeros,
    double ZeroPercent,
    long Distinct,
    double Entropy,
    ImmutableArray<WeightCost> Coded,
    double? Sqnr,
    string? Skipped);

/// <summary>The values of the largest layer that was not left alone, for pictures.</summary>
/// <param name="Low">Lower end of the first bin, the same in all stages.</param>
/// <param name="High">Upper end of the last bin.</param>
/// <param name="Values">For each float model the count of values in each of the equal bins.</param>
/// <param name="Codes">For each integer model the codes that occur, ascending.</param>
public sealed record KernelEntry(
    string Layer, double Low, double High, ImmutableArray<KernelValues> Values, ImmutableArray<KernelCodes> Codes);

/// <param name="Zeros">Values that are 0, counted in <paramref name="Counts"/> too.</param>
public sealed record KernelValues(string Stage, long Elements, long Zeros, ImmutableArray<long> Counts);

public sealed record KernelCodes(string Stage, long Elements, ImmutableArray<CodeCount> Counts);

/// <param name="Code">With the zero point taken off.</param>
public sealed record CodeCount(int Code, long Count);

/// <summary>A trial of an exploration.</summary>
/// <param name="OnFront">True when no other trial is both as small and as good, and better in one of the two.</param>
public sealed record ParetoEntry(string Name, long CodedBytes, double Score, bool OnFront, bool Chosen);
