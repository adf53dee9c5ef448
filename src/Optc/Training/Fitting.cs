using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Runtime.Training;
using Optc.Structure;

namespace Optc.Training;

/// <summary>The loop of training: epochs of steps, scores, the best weights, checkpoints.</summary>
internal sealed class Fitting : IDisposable
{
    private readonly Model _model;
    private readonly FitOptions _options;
    private readonly WorkOptions _work;
    private readonly TrainingData _train;
    private readonly TrainingData? _validation;
    private readonly ThreadWorkers _workers;
    private readonly Trainer _trainer;
    private readonly BatchSource _batches;
    private readonly BatchOptions _batchOptions;
    private readonly StructureKeeper _structure;
    private readonly StructurePlan _structurePlan;
    private readonly ImmutableArray<(ImmutableArray<string> Values, ActivationForm Form)> _grids;
    private readonly byte[] _plan;
    private readonly long _steps;
    private FitState _state = new();
    private Batch? _judging;

    /// <param name="options">As <see cref="Check"/> accepts them.</param>
    /// <exception cref="DiagnosticException">Data, options and model do not fit together, or the checkpoint belongs to another run.</exception>
    public Fitting(Model model, TrainingData train, TrainingData? validation, FitOptions options, WorkOptions work)
    {
        (_train, _validation, _options, _work) = (train, validation, options, work);
        bool structured = options.Pruning is not null || options.Clustering is not null || options.Quantization is not null;
        _model = structured && options.LiveNormalization
            ? model.With(TrainableForm.Of(model.Module, train, options.Quantization?.CalibrationSamples ?? QuantizationAware.Default.CalibrationSamples, work))
            : model;
        RequireLabels(model, train, options.Step.Loss);
        if (validation is not null)
        {
            RequireLabels(model, validation, options.Step.Loss);
        }

        _workers = new(work.Threads);
        _batchOptions = new()
        {
            Size = Math.Min(options.BatchSize, train.Count),
            Seed = options.Seed,
            Augmentations = options.Augmentations,
            Normalization = options.Normalization,
            SoftTargets = !options.Step.Loss.TakesClasses,
        };
        _batches = new(train, _batchOptions, _workers);
        TrainingOptions step = options.Step with
        {
            Loss = _batches.Current.TargetShape is null ? options.Step.Loss : options.Step.Loss.OnDistributions(),
            Statistics = StatisticsRecord.Read(_model.Module),
            SampleWeights = train.HasWeights,

            // Its normalizations and activations become parts of its layers: it runs in every step.
            Teacher = options.Step.Teacher is { } teacher
                ? teacher with { Model = Pipelines.PrepareForQuantization.Run(teacher.Model, work.ForPasses) }
                : null,
        };
        _grids = options.Quantization is null ? [] : ActivationPlan.Of(_model.Module, options.Quantization, train, work);
        _steps = (long)_batches.BatchesPerEpoch * options.Epochs;
        _structurePlan = new(options, _model.Module, ActivationPlan.ByValue(_model.Module.Main, _grids));
        _structure = new(options, step, _structurePlan, _model.Module.Main, _steps, Gradients);
        _trainer = new(
            _model.Module,
            Math.Min(options.BatchSize, train.Count),
            _structure.First,
            new() { Threads = work.Threads, MemoryLimit = work.MemoryLimit });
        _structure.Take(_trainer);
        _plan = options.Checkpoint is null ? [] : FitState.PlanOf(model.Module, options, train, validation);
        if (options.Checkpoint is { } path && File.Exists(path))
        {
            _state = FitState.Load(path, _plan, _trainer, _structure.Resume);
            _batches.Position = _state.Position;
            options.Resumed?.Invoke(_state.History);
        }
    }

    /// <exception cref="DiagnosticException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint, if one is kept, holds everything up to the last whole step.</exception>
    public FitResult Run()
    {
        bool endedEarly = false;
        while (_state.History.Count < _options.Epochs && !(endedEarly = PatienceIsOver()))
        {
            RunEpoch();
        }

        EpochRecord? best = _options.KeepBest ? _state.BestRecord : null;
        if (best is not null)
        {
            _trainer.LoadState(_state.Steps, _state.Best.ToDictionary(v => v.Name, v => v.Content));
        }

        return new(Current(), _options.Metric.Name, [.. _state.History], best?.Epoch, _state.Steps, endedEarly, _trainer.ArenaBytes, [.. _structurePlan.Skipped]);
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _workers.Dispose();
    }

    private void RunEpoch()
    {
        int epoch = _state.History.Count;

        // A run that was cancelled while it scored has taken all steps already.
        while (_batches.Position.Epoch == epoch)
        {
            if (_work.Cancellation.IsCancellationRequested)
            {
                Save();
                _work.Cancellation.ThrowIfCancellationRequested();
            }

            _structure.Before(_state.Steps);
            Batch batch = _batches.Next();
            float loss = _trainer.Step(batch.Count, BytesOf(batch), WeightsOf(batch), _options.Rate.At(_state.Steps, _steps));
            _state.Steps++;
            _state.Position = _batches.Position;
            _state.LossSum += (double)loss * batch.Count;
            _state.LossSamples += batch.Count;
            if (_batches.Position.Epoch == epoch)
            {
                Report(epoch, _state.LossSamples, _state.LossSum, finished: null);
                if (_options.CheckpointEvery > 0 && _state.Steps % _options.CheckpointEvery == 0)
                {
                    Save();
                }
            }
        }

        if (_state.Steps == _steps)
        {
            _structure.Before(_steps);
        }

        (long samples, double sum) = (_state.LossSamples, _state.LossSum);
        Report(epoch, samples, sum, Finish(epoch));
        Save();
    }

    private void Report(int epoch, long samples, double sum, EpochRecord? finished) =>
        _options.Progress?.Report(new(epoch + 1, _state.Steps, _steps, (int)samples, sum / samples, finished));

    private EpochRecord Finish(int epoch)
    {
        _trainer.RequireFinite();
        double? score = null;
        try
        {
            score = _validation is null ? null : Score(_validation);
        }
        catch (OperationCanceledException)
        {
            Save();
            throw;
        }

        double rate = _options.Rate.At(_state.Steps - 1, _steps);
        EpochRecord? before = _state.BestRecord;
        bool better = score is { } now && _structure.IsFinal(_state.Steps) && (before?.Score is not { } old || (_options.Metric.HigherIsBetter ? now > old : now < old));
        EpochRecord record = new(epoch + 1, rate, _state.LossSum / _state.LossSamples, score, better);
        _state.History.Add(record);
        (_state.LossSum, _state.LossSamples) = (0, 0);
        if (better && _options.KeepBest)
        {
            _state.Best = _trainer.SaveState();
        }

        return record;
    }

    private bool PatienceIsOver() => _options.Patience is { } patience
        && _state.History.Count > 0
        && _state.History[^1].Epoch - (_state.BestRecord?.Epoch ?? 0) >= patience;

    private double Score(TrainingData data) =>
        Evaluation.Run(Current().Module, LabelledSamples.Of(data), data.Count, data.Source, _options.Metric, _work with { Progress = null }).Value;

    private Model Current()
    {
        Module trained = WeightStructures.NamePatterns(RangeRecord.Without(_trainer.Export()));
        trained = StatisticsRecord.Attach(_options.Normalization?.FoldInto(trained) ?? trained, _trainer.Statistics);
        return _model.With(_options.Quantization is { } aware
            ? RangeRecord.Attach(trained, aware.Recipe.Activations, ActivationPlan.Ranges(_grids, _trainer))
            : trained);
    }

    private void Save()
    {
        if (_options.Checkpoint is { } path)
        {
            _state.Save(path, _plan, _trainer.SaveState());
        }
    }

    /// <summary>
    /// Gradients of the weights as they are now, for the first batch throughout a run: what is pruned by them then does not depend on where a run was
    /// interrupted.
    /// </summary>
    private IReadOnlyDictionary<string, float[]> Gradients()
    {
        _judging ??= new BatchSource(_train, _batchOptions, _workers).Next();
        return _trainer.Gradients(_judging.Count, BytesOf(_judging), WeightsOf(_judging), _work.Cancellation);
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> BytesOf(Batch batch) =>
    [
        .. Enumerable.Range(0, batch.InputShapes.Length).Select(batch.InputBytes),
        batch.TargetShape is not null ? batch.TargetBytes : batch.ClassBytes,
    ];

    private ReadOnlyMemory<float> WeightsOf(Batch batch)
    {
        if (!_train.HasWeights)
        {
            return default;
        }

        float[] weights = new float[batch.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = _train.WeightOf(batch.Samples[i]);
        }

        return weights;
    }

    /// <summary>Refuses options that make no sense, all at once, before data are read.</summary>
    /// <exception cref="DiagnosticException">There are some.</exception>
    public static void Check(FitOptions options, bool hasValidation)
    {
        List<Diagnostic> problems = [];
        TrainingOptions step = options.Step;
        Require(options.Epochs >= 1, "the number of epochs is not allowed", options.Epochs, "1 or more");
        Require(options.BatchSize >= 1, "the batch size is not allowed", options.BatchSize, "1 or more");
        Require(options.ValidationPart is null or (> 0 and < 1), "the part for validation is not allowed", options.ValidationPart, "above 0 and below 1");
        Require(options.Patience is null or >= 1, "the patience is not allowed", options.Patience, "1 or more epochs");
        Require(
            options.Patience is null || hasValidation || options.ValidationPart is not null,
            "patience needs scores",
            "no validation data",
            "validation data, or a part of the data for it");
        Require(options.CheckpointEvery >= 0, "the number of steps between checkpoints is not allowed", options.CheckpointEvery, "0 or more");
        Require(step.MicroBatch is null or >= 1, "the number of samples in memory at a time is not allowed", step.MicroBatch, "1 or more");
        Require(step.ClipNorm is null or (> 0 and < float.PositiveInfinity), "the length that gradients are shortened to is not allowed", step.ClipNorm, "a number above 0");
        Require(
            options.Quantization is null || (options.Normalization is null && options.Normalize is null),
            "a normalization cannot be measured in a run that is quantization-aware",
            "a normalization",
            "a model that contains its normalization, as training it first makes it");
        Require(
            step.MovingAverage is null || (options.Quantization is null && options.Clustering is null),
            "averages of weights have no codes",
            "a moving average with clustering or quantization",
            "one of them");
        Require(options.Clustering is null or { Codes: >= 2 and <= 256 }, "the number of codes is not allowed", options.Clustering?.Codes, "2 to 256");
        Require(options.Clustering is null or { Begin: >= 0 and < 1, Freeze: > 0 and <= 1 }, "the parts of the run for clustering are not allowed", $"{options.Clustering?.Begin} and {options.Clustering?.Freeze}", "a beginning of 0 to below 1, and an end of up to 1");
        Require(options.Clustering is null or { GroupSize: >= 1 }, "the number of channels that share a codebook is not allowed", options.Clustering?.GroupSize, "1 or more");
        Require(options.Clustering is null or { BitPrice: >= 0 and < double.PositiveInfinity }, "the price of a bit is not allowed", options.Clustering?.BitPrice, "0 or more");
        Require(options.Quantization is null or { WeightBits: >= 2 and <= 8 }, "the number of bits of weights is not allowed", options.Quantization?.WeightBits, "2 to 8");
        Require(options.Quantization is null or { Recipe.Mode: QuantizationMode.Static }, "quantization-aware training is for static recipes", options.Quantization?.Recipe.Name, "static-int8 or static-int16x8");
        Require(step.MovingAverage is null or (>= 0 and < 1), "the weight of the past in averages of weights is not allowed", step.MovingAverage, "0 to below 1, such as 0.999");
        Require(step.StatisticsMomentum is >= 0 and < 1, "the weight of the past in statistics is not allowed", step.StatisticsMomentum, "0 to below 1, such as 0.9");
        Require(step.Optimizer.WeightDecay is >= 0 and < float.PositiveInfinity, "the weight decay is not allowed", step.Optimizer.WeightDecay, "0 or more");
        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }

        void Require(bool holds, string message, object? found, string expected)
        {
            if (!holds)
            {
                problems.Add(new(DiagnosticId.InvalidOption, message) { Found = Convert.ToString(found, CultureInfo.InvariantCulture), Expected = expected });
            }
        }
    }

    /// <summary>Refuses data without labels, or with labels that are not what the loss compares with the output.</summary>
    private static void RequireLabels(Model model, TrainingData data, Loss loss)
    {
        // The first dimension is the batch, known or not.
        Shape output = model.Outputs[0].Type.Shape;
        Shape wanted = Shape.Create(output.Dims.AsSpan()[Math.Min(1, output.Rank)..]);
        if (data.Targets is TargetKind.None)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the data have no labels")
            {
                At = [data.Source],
                Expected = "an array 'y', a folder for each class, or a file of labels",
                Hint = "'--y' names the array or file of the labels",
            });
        }

        bool numbersClasses = data.Targets is TargetKind.Classes && loss.TakesClasses;
        if (!numbersClasses && wanted.IsKnown && data.TargetShape!.ElementCount != wanted.ElementCount)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "labels have another shape than the output of the model")
            {
                At = [data.Source],
                Found = data.TargetShape.ToString(),
                Expected = wanted.ToString(),
                Hint = loss.TakesClasses ? "labels that number classes are integers, one for each sample" : "this loss compares each number of the output with one of the label",
            });
        }
    }
}
