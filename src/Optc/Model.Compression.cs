using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;
using Optc.Training;

namespace Optc;

/// <content>Chains of optimizations: what is asked for is brought about by the next <see cref="FineTune"/>.</content>
/// <example>
/// <code>
/// Model compressed = Model.Load("kws.tflite")
///     .Prune(0.5, PruningSchedule.Polynomial(power: 3)).FineTune(train, epochs: 4)
///     .Cluster(16).FineTune(train, epochs: 3)
///     .QuantizeAware().FineTune(train, epochs: 3)
///     .ToInt8();
/// </code>
/// </example>
public sealed partial class Model
{
    private const float TeacherWeight = 0.7f;
    private const float TeacherTemperature = 3;
    private const int RefreshInterval = 5;

    /// <summary>The runs of training that made this model, in order.</summary>
    public ImmutableArray<CompressionStage> Stages { get; private init; } = [];

    /// <summary>What the next training is to bring about; without training it is done in one shot.</summary>
    internal CompressionIntent Intent { get; private init; } = CompressionIntent.None;

    /// <summary>The model at the beginning of the chain, which teaches the others.</summary>
    internal Model? Origin { get; private init; }

    /// <summary>Makes weights zero by magnitude while the next <see cref="FineTune"/> goes on; they stay so in all that follows.</summary>
    /// <param name="sparsity">Part of each weight tensor that is zero in the end, 0 to below 1.</param>
    /// <param name="schedule">How it gets there; a cubic rise over the first 40 % of the run when left out. Its final sparsity is replaced.</param>
    /// <exception cref="DiagnosticException">There is no such sparsity.</exception>
    public Model Prune(double sparsity, PruningSchedule? schedule = null) =>
        Prune(new Pruning(schedule?.To(sparsity) ?? PruningSchedule.Polynomial(sparsity, power: 3, end: 0.4)) { Every = RefreshInterval });

    /// <inheritdoc cref="Prune(double, PruningSchedule?)"/>
    /// <param name="how">Schedule, pattern and layers.</param>
    public Model Prune(Pruning how) => Asking(Intent with { Pruning = how });

    /// <summary>Zeros without training: by what removing a weight costs the results of its layer, with the others moved to make up for it.</summary>
    /// <param name="calibration">Typical inputs, some hundred.</param>
    /// <exception cref="DiagnosticException">There is nothing to prune, or the data do not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Model PruneBySecondOrder(double sparsity, Dataset calibration, SecondOrderOptions? how = null, WorkOptions? options = null)
    {
        WorkOptions work = options ?? WorkOptions.Default;
        Module module = Module;
        (Module pruned, _) = Located(() => SecondOrderPruning.Apply(
            module, calibration.For(module), sparsity, (how ?? new()) with { Threads = work.Threads }, work.Cancellation));
        return With(pruned);
    }

    /// <summary>
    /// Takes whole channels out of the model, through sums, concatenations and depthwise layers, so that its tensors become smaller: those
    /// of the smallest weights. Train afterwards.
    /// </summary>
    /// <exception cref="DiagnosticException">No channel can be removed.</exception>
    public Model RemoveChannels(ChannelChoice choice, PruningCriterion? criterion = null)
    {
        Module module = Module;
        return Located(() =>
        {
            ChannelGroups groups = ChannelGroups.Of(module.Main);
            Module smaller = Passes.Prune.RemoveChannels.Apply(module, groups, choice.Choose(groups, criterion).SelectMany(p => p.Removed));
            return With(StatisticsRecord.Attach(smaller, []));
        });
    }

    /// <inheritdoc cref="RemoveChannels(ChannelChoice, PruningCriterion?)"/>
    /// <param name="fraction">Part of the channels of each group, 0 to below 1.</param>
    public Model RemoveChannels(double fraction) => RemoveChannels(new ChannelChoice(fraction));

    /// <summary>Lets the values of each weight tensor come from a few codes, trained by the next <see cref="FineTune"/>; they stay so in all that follows.</summary>
    /// <param name="codes">Codes of a weight tensor, the zero included: 2 to 256.</param>
    public Model Cluster(int codes) => Cluster(new Clustering(codes));

    /// <inheritdoc cref="Cluster(int)"/>
    /// <param name="how">Codes, layers, grid.</param>
    public Model Cluster(Clustering how) => Asking(Intent with { Clustering = how });

    /// <summary>
    /// Lets the next <see cref="FineTune"/> round as the integer model will. On a model with zeros or shared values this is PQAT, CQAT or PCQAT:
    /// <see cref="Stages"/> says which.
    /// </summary>
    public Model QuantizeAware(QuantizationAware? how = null) => Asking(Intent with { Quantization = how ?? QuantizationAware.Default });

    /// <summary>Trains, and brings about what was asked for since the last training; several things are one joint run.</summary>
    /// <param name="epochs">Times that every sample is seen.</param>
    /// <param name="how">
    /// Everything else; when left out: batches of 64, Adam with a cosine from 5e-4, and the model at the beginning of the chain as the teacher of
    /// classifiers.
    /// </param>
    /// <exception cref="DiagnosticException">See <see cref="Fit"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Model FineTune(Dataset train, int epochs = 3, FitOptions? how = null, Dataset? validation = null, WorkOptions? options = null)
    {
        (CompressionMode mode, string reason) = Intent.Resolve(_given);
        Model start = new(_given, Name) { Events = Events, Stages = Stages, Origin = Origin ?? new Model(_given, Name) };
        FitOptions chosen = (how ?? start.Usual()) with { Epochs = epochs };
        FitResult result = start.Fit(train, validation, Intent.Into(chosen), options);
        return new(result.Model.Module, Name)
        {
            Events = Events,
            Origin = start.Origin,
            Stages = [.. Stages, new(mode, reason, Intent.IsJoint, result.Skipped, result.History)],
        };
    }

    /// <summary>The options of <see cref="FineTune"/> where none are given.</summary>
    public FitOptions Usual()
    {
        bool classifies = Outputs is [(_, { Shape: { HasRank: true, Rank: 2 } shape })] && shape[1] > 1;
        return new()
        {
            BatchSize = 64,
            Rate = LearningRate.Cosine(5e-4, 0.02),
            KeepBest = false,
            RelativeRates = true,
            Step = new() { Teacher = classifies ? new((Origin ?? this)._given, TeacherWeight, TeacherTemperature) : null },
        };
    }

    /// <summary>
    /// This float model as its integers will compute, in float: weights and activations rounded to the grids of a quantization of it. Its
    /// accuracy beside that of the integers tells what is lost by rounding and what by integer arithmetic.
    /// </summary>
    /// <param name="quantized">What <see cref="ToInt8"/> or <see cref="Quantize"/> made of this model.</param>
    public Model FakeQuantized(Model quantized, WorkOptions? options = null) =>
        new(FakeQuantizedCopy.Of(Module, quantized.Module, (options ?? WorkOptions.Default).ForPasses), Name);

    private Model Asking(CompressionIntent intent) => new(_given, Name)
    {
        Events = Events,
        Stages = Stages,
        Origin = Origin ?? new Model(_given, Name),
        Intent = intent,
    };
}
