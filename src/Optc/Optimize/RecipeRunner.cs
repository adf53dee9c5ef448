using System.Collections.Concurrent;
using System.Collections.Immutable;
using Optc.Ir;
using Optc.Optimize.Recipes;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Structure;
using Optc.Training;

namespace Optc.Optimize;

/// <summary>Carries out recipes on one model and its data, stage by stage.</summary>
internal sealed class RecipeRunner
{
    private readonly Model _start;
    private readonly Dataset _train;
    private readonly Dataset? _test;
    private readonly OptimizationOptions _options;
    private readonly StageStore _store;
    private readonly string _origin;
    private readonly ConcurrentDictionary<string, StageResult> _measured = [];

    /// <exception cref="DiagnosticException">Data cannot be read, or the work folder cannot be made.</exception>
    public RecipeRunner(Model start, Dataset train, Dataset? test, OptimizationOptions options)
    {
        bool isReal = start.Inputs.All(i => i.Type.DType is DType.F32);
        (_start, _options, _store) = (WithStructures(start), options, new(options.WorkFolder));
        (_train, _test) = isReal ? (train.InRealNumbers(), test?.InRealNumbers()) : (train, test);
        ModelHash = Fingerprint.Of((start.Source.IsEmpty ? start.ToTfLite() : start.Source).Span);
        DataHash = Fingerprint.Of(_train);
        _origin = Fingerprint.Of(Version, ModelHash, DataHash, FormattableString.Invariant($"{options.Seed}"));
    }

    /// <summary>Of the library, with the commit it was built from: other versions may train otherwise.</summary>
    public static string Version { get; } =
        typeof(RecipeRunner).Assembly.GetCustomAttributes(typeof(System.Reflection.AssemblyInformationalVersionAttribute), false).OfType<System.Reflection.AssemblyInformationalVersionAttribute>().FirstOrDefault()?.InformationalVersion ?? "0";

    /// <summary>Hash of what determines a result beside the recipe.</summary>
    public string Origin => _origin;

    public string ModelHash { get; }

    public string DataHash { get; }

    /// <summary>Does what a recipe says.</summary>
    /// <param name="work">Threads and cancellation of this run.</param>
    /// <param name="isComplete">Also measures what only a report tells: how far fake-quantized and integer models are apart.</param>
    /// <exception cref="DiagnosticException">
    /// The recipe contradicts itself, does not fit the model, or the result does not keep the structure of its weights.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished, and a checkpoint of what is not, are in the work folder.</exception>
    public Optimization Run(OptimizationRecipe recipe, WorkOptions work, IProgress<OptimizationProgress>? progress, bool isComplete = true)
    {
        recipe.Require();
        recipe = recipe.Resolved();
        QuantizeStep? quantize = recipe.Steps[^1] as QuantizeStep;
        ImmutableArray<PlannedStage> stages = PlannedStage.Of(recipe);
        List<StageResult> results = [Measured(_start, quantize, _origin, work, isComplete)];
        List<SkippedLayer> skipped = [];
        Model model = _start;
        string key = _origin;
        for (int i = 0; i < stages.Length; i++)
        {
            PlannedStage stage = stages[i];
            Reporter reporter = new(progress, i + 1, stages.Length, stage.Name);
            key = Fingerprint.Of(key, stage.Text, stage.QuantizeAware is null ? "" : QuantizationOf(quantize).ToString());
            Model from = model;
            string own = key;
            (model, FinishedStage facts, bool found) = _store.Obtain(own, _start.Name, () => Make(stage, from, quantize, own, work, reporter));
            if (found)
            {
                reporter.Tell(OptimizationActivity.TakenUp);
            }

            reporter.Tell(OptimizationActivity.Measuring);
            string name = Unique(NameOf(stage, facts.Mode), results);
            skipped.AddRange(facts.Skipped.Select(s => s with { Stage = name }));
            StageResult result = Measured(model, quantize, key, work, isComplete) with { Name = name };
            results.Add(stage.Steps[^1] is SimplifyStep or RemoveChannelsStep or SecondOrderStep
                ? result with { ModeReason = facts.Reason }
                : result.After(new(facts.Mode, facts.Reason, facts.Joint, facts.Skipped, facts.History)));
        }

        Model last = results[^1].Int8 ?? model;
        byte[] file = last.ToTfLite(_options.Writing);
        Model read = Model.Read(file, _start.Name).WrittenAs(_options.Writing);
        StructureProof proof = StructureProof.Verify(model.Module, file).ThrowIfBroken();
        string yaml = recipe.ToYaml();
        return new(read, file, recipe, new(_start.Name, _options.Metric, [.. results])
        {
            Samples = _test?.Count,
            Skipped = [.. skipped],
            Invariants = proof.Results,
            Agreement = isComplete ? Agreement(results[^1], quantize, work) : [],
            Reproduction = new(
                Version,
                [
                    new("input", _start.Name, ModelHash),
                    new("training data", Path.GetFileName(_train.Source), DataHash),
                    ContentHash.Of("recipe", recipe.Name, System.Text.Encoding.UTF8.GetBytes(yaml)),
                    ContentHash.Of("output", "", file),
                ],
                _options.Seed,
                yaml,
                _options.Command),
        });
    }

    /// <summary>A model of another tool with the zeros and shared values that its weights show, so that stages keep them; others as they are.</summary>
    private static Model WithStructures(Model model)
    {
        Model discovered = model.DiscoverStructures();
        return !HasStructure(model) && HasStructure(discovered) ? discovered : model;

        static bool HasStructure(Model model) => model.Module.Main.Nodes.SelectMany(n => n.Inputs).Any(v => v?.Constant?.Structure is not null);
    }

    private (Model Model, FinishedStage Facts) Make(PlannedStage stage, Model from, QuantizeStep? quantize, string key, WorkOptions work, Reporter reporter)
    {
        reporter.Tell(OptimizationActivity.Started);
        CompressionIntent intent = new(
            stage.Prune?.ToPruning(), stage.Cluster?.ToClustering(from), stage.QuantizeAware?.ToQuantizationAware(QuantizationOf(quantize)));
        (CompressionMode mode, string reason) = intent.Resolve(from.Module);
        FinishedStage facts = new(mode, reason, intent.IsJoint && stage.FineTune is not null, [], [], "");
        switch (stage.Steps[^1])
        {
            case FineTuneStep tune:
                string? checkpoint = _store.CheckpointOf(key);
                FitOptions how = tune.ToFitOptions(_start, _options.Seed) with
                {
                    Pruning = intent.Pruning,
                    Clustering = intent.Clustering,
                    Quantization = intent.Quantization,
                    AllowEmptyClasses = _options.AllowEmptyClasses,
                    Checkpoint = checkpoint,
                    CheckpointEvery = CheckpointInterval,
                    Resumed = _ => reporter.Tell(OptimizationActivity.Resumed),
                    Progress = reporter,
                };
                FitResult fit = from.Fit(_train, null, how, work with { Progress = null });
                return (fit.Model, facts with { Skipped = fit.Skipped, History = fit.History });
            case SimplifyStep:
                return (from.Simplify(work with { Progress = null }), facts with { Reason = "the graph is simplified" });
            case RemoveChannelsStep step:
                Module module = from.Module.Clone();
                ChannelGroups groups = ChannelGroups.Of(module.Main);
                ImmutableArray<PlannedChannels> choice = step.ToChoice().Choose(groups);
                Module narrower = RemoveChannels.Apply(module, groups, choice.SelectMany(c => c.Removed));
                return (from.With(StatisticsRecord.Attach(narrower, [])), facts with
                {
                    Reason = FormattableString.Invariant($"{choice.Sum(c => c.Removed.Length)} of {choice.Sum(c => c.Group.Channels.Length)} channels are removed"),
                    Skipped = [.. choice.Where(c => c.Reason is not null).Select(c => new SkippedLayer(c.Group.Name, "remove-channels", c.Reason!))],
                });
            case SecondOrderStep step:
                (Module pruned, ImmutableArray<SecondOrderLayer> layers) = SecondOrderPruning.Apply(
                    from.Module, _train.Sample(step.CalibrationSamples, _options.Seed).For(from.Module), step.Sparsity, step.ToOptions() with { Threads = work.Threads }, work.Cancellation);
                return (from.With(pruned), facts with
                {
                    Reason = "weights are removed by what that costs the results of their layers",
                    Skipped =
                    [
                        .. layers.Where(l => l.Plan.Reason is not null).Select(l => new SkippedLayer(l.Plan.Weight.Name, "prune-by-second-order", l.Plan.Reason!)),
                    ],
                });
            default:
                return (from.With(intent.InOneShot(from.Module)), facts);
        }
    }

    private const int CheckpointInterval = 100;

    /// <summary>A model with its integer form and the scores of both; measured once for each stage and quantization.</summary>
    private StageResult Measured(Model model, QuantizeStep? quantize, string key, WorkOptions work, bool isComplete)
    {
        string own = Fingerprint.Of(key, quantize is null ? "" : RecipeWriter.Write(quantize), isComplete ? "complete" : "");
        if (_measured.TryGetValue(own, out StageResult? known))
        {
            return known;
        }

        work = work with { Progress = null };
        Model? integers = quantize is null ? null : Quantized(model, quantize, work);
        StageResult result = new("Baseline")
        {
            Float = model,
            Int8 = integers,
            FloatScore = Score(model, work),
            FakeQuantScore = isComplete && _test is not null && IsStatic(quantize) ? Score(model.FakeQuantized(integers!, work), work) : null,
            Int8Score = integers is null ? null : Score(integers, work),
        };
        return _measured.GetOrAdd(own, result);
    }

    /// <summary>How far integer layers are from what training took for them, on test data if there are some.</summary>
    private ImmutableArray<LayerAgreement> Agreement(StageResult result, QuantizeStep? quantize, WorkOptions work) => IsStatic(quantize)
        ? LayerAgreements.Measure(result.Float!, result.Int8!, _test ?? _train, options: work with { Progress = null })
        : [];

    private static bool IsStatic(QuantizeStep? step) => step?.ToRecipe().Mode is QuantizationMode.Static;

    private Model Quantized(Model model, QuantizeStep step, WorkOptions work)
    {
        QuantizationRecipe recipe = step.ToRecipe();
        bool needsData = recipe.Mode is QuantizationMode.Static && RangeRecord.Read(model.Module, recipe.Activations).IsEmpty;
        return model.Quantize(recipe, needsData ? _train.Sample(step.CalibrationSamples, _options.Seed) : null, work);
    }

    private double? Score(Model model, WorkOptions work) => _test is null ? null : model.Evaluate(_test, _options.Metric, work).Value;

    private static QuantizationRecipe QuantizationOf(QuantizeStep? step) => step?.ToRecipe() ?? QuantizationRecipe.StaticInt8;

    private static string Unique(string name, List<StageResult> results)
    {
        int same = results.Count(r => r.Name == name || r.Name.StartsWith($"{name} (", StringComparison.Ordinal));
        return same == 0 ? name : FormattableString.Invariant($"{name} ({same + 1})");
    }

    private static string NameOf(PlannedStage stage, CompressionMode mode) => stage.Steps[^1] switch
    {
        SimplifyStep => "Simplified",
        RemoveChannelsStep => "Narrower",
        SecondOrderStep => "Pruned",
        _ => mode switch
        {
            CompressionMode.Plain => "Fine-tuned",
            CompressionMode.Pruning => "Pruned",
            CompressionMode.Clustering => "Clustered",
            CompressionMode.SparseClustering => "Pruned and clustered",
            _ => mode.ToString().ToUpperInvariant(),
        },
    };

    /// <summary>Adds the place in the recipe to what a stage tells.</summary>
    private sealed class Reporter(IProgress<OptimizationProgress>? progress, int stage, int stages, string name) : IProgress<FitProgress>
    {
        public void Tell(OptimizationActivity activity) => progress?.Report(new(stage, stages, name, activity));

        public void Report(FitProgress value) => progress?.Report(new(stage, stages, name, OptimizationActivity.Training, value));
    }
}
