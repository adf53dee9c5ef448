using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes;
using Optc.Runtime;

namespace Optc.Report.Compression;

/// <summary>Makes a <see cref="CompressionReport"/>: measures each model on a thread of its own, then lays the layers of all models side by side.</summary>
internal sealed class CompressionReporter
{
    private readonly CompressionRun _run;
    private readonly WorkOptions _options;

    public CompressionReporter(CompressionRun run, WorkOptions options)
    {
        if (run.Stages.IsDefaultOrEmpty || run.Stages.Any(s => s.Float is null && s.Int8 is null))
        {
            throw new ArgumentException("There must be a stage, and a model in each.", nameof(run));
        }

        (_run, _options) = (run, options);
    }

    public CompressionReport Build()
    {
        Form[] forms = Measure();
        LayerIndex index = new();
        ImmutableArray<int>[] places = [.. forms.Select(f => index.Place(f.Weights, grow: true))];
        double?[][] sqnr = Sqnr(forms, index, places);
        ImmutableArray<LayerEntry> layers = LayersOf(forms, index, places, sqnr);
        ImmutableArray<StageEntry> stages = [.. _run.Stages.Select((s, i) => StageOf(s, i, forms))];
        ImmutableArray<ParetoEntry> pareto = ParetoFront.Of(_run.Pareto, _run.Metric.HigherIsBetter);
        CompressionReport report = new(
            _run.Title,
            "",
            _run.Metric.Name,
            _run.Metric.IsShare,
            _run.Metric.HigherIsBetter,
            _run.Samples,
            [.. _run.Coders.Select(c => new CoderEntry(c.Name, c.Description))],
            stages,
            layers,
            _run.Skipped,
            KernelOf(forms, places, layers),
            _run.Agreement,
            _run.Invariants.IsEmpty ? null : _run.Invariants.All(i => i.Holds),
            _run.Invariants,
            pareto,
            pareto.IsEmpty ? null : _run.ParetoMeasure ?? $"weights by {_run.Coders.FirstOrDefault()?.Name}",
            _run.Reproduction,
            [.. forms.SelectMany(f => f.Notes)]);
        return report with { Verdict = CompressionVerdict.Of(report) };
    }

    private Form[] Measure()
    {
        (int Stage, bool IsInteger, Model Model)[] models =
        [
            .. _run.Stages.SelectMany((s, i) => new[] { (i, false, s.Float), (i, true, s.Int8) }.Where(m => m.Item3 is not null).Select(m => (m.i, m.Item2, m.Item3!))),
        ];
        Form[] forms = new Form[models.Length];
        using ThreadWorkers workers = new(Math.Min(_options.Threads, models.Length));
        workers.Run(models.Length, (i, _) =>
        {
            _options.Cancellation.ThrowIfCancellationRequested();
            forms[i] = Measure(models[i].Stage, models[i].IsInteger, models[i].Model);
        });
        return forms;
    }

    private Form Measure(int stage, bool isInteger, Model model)
    {
        List<string> notes = [];
        string place = $"{_run.Stages[stage].Name}, {Form.NameOf(isInteger)}";
        ImmutableArray<WeightTensor> weights = WeightTensor.Of(model.Module);
        ImmutableArray<WeightTensor> folded = weights;
        if (!isInteger)
        {
            try
            {
                folded = WeightTensor.Of(model.Apply(Pipelines.PrepareForQuantization, new() { Cancellation = _options.Cancellation }).Module);
            }
            catch (DiagnosticException problem)
            {
                folded = [];
                notes.Add($"{place}: no SQNR, since batch normalization cannot be folded: {problem.Message}");
            }
        }

        (long? file, long? gzip) = (null, null);
        ImmutableArray<ByteUse> uses = [];
        try
        {
            ReadOnlyMemory<byte> bytes = model.Source.IsEmpty ? model.ToTfLite() : model.Source;
            (file, gzip, uses) = (bytes.Length, WeightCoders.Gzip.CountBytes(bytes.Span), new Inspector(model.Module, bytes).Size().Uses);
        }
        catch (DiagnosticException problem)
        {
            notes.Add($"{place}: no size of the file, since it cannot be written: {problem.Message}");
        }

        ImmutableArray<ImmutableArray<WeightCost>> layers = [.. weights.Select(Coded)];
        long elements = weights.Sum(w => w.Elements);
        long zeros = weights.Sum(w => w.Facts.Zeros);
        FormEntry size = new(
            file,
            gzip,
            elements,
            weights.Sum(w => w.Bytes),
            zeros,
            Percent(zeros, elements),
            Coded(weights, layers),
            weights.Where(w => w.Codes is null).Sum(w => w.Bytes),
            uses);
        return new(stage, isInteger, weights, folded, layers, size, [.. notes]);
    }

    private ImmutableArray<WeightCost> Coded(WeightTensor weights) => weights.Codes is { Length: > 0 } codes
        ? [.. _run.Coders.Select(coder => WeightCost.Of(coder, codes))]
        : [];

    /// <summary>All tensors together, from what each takes alone where that is their sum.</summary>
    private ImmutableArray<WeightCost> Coded(ImmutableArray<WeightTensor> weights, ImmutableArray<ImmutableArray<WeightCost>> layers)
    {
        ReadOnlyMemory<short>[] codes = [.. weights.Where(w => w.Codes is { Length: > 0 }).Select(w => (ReadOnlyMemory<short>)w.Codes)];
        return codes.Length == 0 ? [] :
        [
            .. _run.Coders.Select((coder, i) => coder.JoinsTensors
                ? WeightCost.Of(coder, codes)
                : new(coder.Name, codes.Sum(c => (long)c.Length), layers.Where(l => l.Length > 0).Sum(l => l[i].Bits))),
        ];
    }

    private static double Percent(long part, long whole) => whole == 0 ? 0 : 100.0 * part / whole;

    /// <summary>Of each tensor of each form against the first stage's, both as the integer graph has them.</summary>
    private static double?[][] Sqnr(Form[] forms, LayerIndex index, ImmutableArray<int>[] places)
    {
        Dictionary<int, WeightTensor> reference = [];
        ImmutableArray<int> first = index.Place(forms[0].Folded, grow: false);
        for (int i = 0; i < first.Length; i++)
        {
            reference.TryAdd(first[i], forms[0].Folded[i]);
        }

        Dictionary<int, float[]?> reals = reference.Where(r => r.Key >= 0).ToDictionary(r => r.Key, r => r.Value.Reals());
        return [.. forms.Select((form, f) =>
        {
            Dictionary<int, WeightTensor> folded = [];
            ImmutableArray<int> own = index.Place(form.Folded, grow: false);
            for (int i = 0; i < own.Length; i++)
            {
                folded.TryAdd(own[i], form.Folded[i]);
            }

            return places[f].Select(layer => reals.GetValueOrDefault(layer) is { } signal && folded.GetValueOrDefault(layer) is { } weights
                && weights.Shape.Equals(reference[layer].Shape) && weights.Reals() is { } numbers ? Sqnr(signal, numbers) : (double?)null).ToArray();
        })];
    }

    private static double Sqnr(float[] reference, float[] weights)
    {
        double signal = 0;
        double noise = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            double error = (double)reference[i] - weights[i];
            signal += (double)reference[i] * reference[i];
            noise += error * error;
        }

        return noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
    }

    private ImmutableArray<LayerEntry> LayersOf(Form[] forms, LayerIndex index, ImmutableArray<int>[] places, double?[][] sqnr)
    {
        List<LayerStage>[] stages = [.. index.Layers.Select(_ => new List<LayerStage>())];
        HashSet<string>[] names = [.. index.Layers.Select(_ => new HashSet<string>())];
        for (int f = 0; f < forms.Length; f++)
        {
            for (int i = 0; i < places[f].Length; i++)
            {
                names[places[f][i]].UnionWith([forms[f].Weights[i].Layer, forms[f].Weights[i].Name]);
            }
        }

        for (int f = 0; f < forms.Length; f++)
        {
            for (int i = 0; i < places[f].Length; i++)
            {
                int layer = places[f][i];
                WeightEntry facts = forms[f].Weights[i].Facts;
                stages[layer].Add(new(
                    _run.Stages[forms[f].Stage].Name,
                    Form.NameOf(forms[f].IsInteger),
                    facts.Type,
                    facts.Elements,
                    facts.Zeros,
                    facts.ZeroPercent,
                    forms[f].Weights[i].Distinct,
                    forms[f].Weights[i].Entropy,
                    forms[f].CodedLayers[i],
                    sqnr[f][i],
                    ReasonFor(names[layer], forms[f].Stage)));
            }
        }

        return
        [
            .. index.Layers.Select((w, i) => new LayerEntry(
                w.Name, w.Layer, w.Facts.Op, w.Facts.Shape, w.Elements, [.. stages[i]], [.. SkippedOf(names[i])])),
        ];
    }

    private IEnumerable<SkippedLayer> SkippedOf(HashSet<string> names) => _run.Skipped.Where(s => names.Contains(s.Layer)).Distinct();

    private string? ReasonFor(HashSet<string> names, int stage)
    {
        bool isLast = stage == _run.Stages.Length - 1;
        string[] reasons =
        [
            .. SkippedOf(names).Where(s => IsOf(s, _run.Stages[stage])).Select(s => s.Reason),
            .. SkippedOf(names).Where(s => isLast && !_run.Stages.Any(other => IsOf(s, other))).Select(s => $"{s.Stage}: {s.Reason}"),
        ];
        return reasons.Length == 0 ? null : string.Join("; ", reasons.Distinct());

        static bool IsOf(SkippedLayer skipped, StageResult stage) => skipped.Stage == stage.Name || skipped.Stage == stage.Mode;
    }

    private static StageEntry StageOf(StageResult stage, int number, Form[] forms) => new(
        stage.Name,
        stage.Mode,
        stage.ModeReason,
        stage.FloatScore,
        stage.FakeQuantScore,
        stage.Int8Score,
        forms.FirstOrDefault(f => f.Stage == number && !f.IsInteger)?.Size,
        forms.FirstOrDefault(f => f.Stage == number && f.IsInteger)?.Size,
        stage.Curve);

    private KernelEntry? KernelOf(Form[] forms, ImmutableArray<int>[] places, ImmutableArray<LayerEntry> layers)
    {
        int largest = -1;
        foreach (bool alsoSkipped in new[] { false, true })
        {
            for (int i = 0; i < layers.Length && (largest < 0 || !alsoSkipped); i++)
            {
                bool counts = layers[i].Elements > 0 && (alsoSkipped || layers[i].Skipped.IsEmpty);
                largest = counts && (largest < 0 || layers[i].Elements > layers[largest].Elements) ? i : largest;
            }
        }

        if (largest < 0)
        {
            return null;
        }

        (Form Form, WeightTensor Weights)[] found =
        [
            .. forms.Zip(places).Where(p => p.Second.Contains(largest)).Select(p => (p.First, p.First.Weights[p.Second.IndexOf(largest)])),
        ];
        return WeightDistribution.Of(
            layers[largest].Layer,
            [.. found.Where(f => !f.Form.IsInteger).Select(f => (_run.Stages[f.Form.Stage].Name, f.Weights))],
            [.. found.Where(f => f.Form.IsInteger).Select(f => (_run.Stages[f.Form.Stage].Name, f.Weights))]);
    }

    /// <summary>One model and what was measured of it.</summary>
    /// <param name="Folded">Its weights with batch normalization folded in.</param>
    /// <param name="CodedLayers">Size of each of its weights by each coder.</param>
    private sealed record Form(
        int Stage,
        bool IsInteger,
        ImmutableArray<WeightTensor> Weights,
        ImmutableArray<WeightTensor> Folded,
        ImmutableArray<ImmutableArray<WeightCost>> CodedLayers,
        FormEntry Size,
        ImmutableArray<string> Notes)
    {
        public static string NameOf(bool isInteger) => isInteger ? "int8" : "float";
    }
}
