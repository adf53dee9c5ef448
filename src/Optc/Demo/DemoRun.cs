using Optc.Backends.TfLite;
using Optc.Ir;
using Optc.Optimize;
using Optc.Report.Compression;
using Optc.Runtime.Training;
using Optc.Training;

namespace Optc.Demo;

/// <summary>The demo carried out: a classifier trained, pruned, clustered, trained for integers, quantized, proved and measured.</summary>
/// <param name="Task">Its data.</param>
/// <param name="Float">The trained model.</param>
/// <param name="Optimization">What came of it; the stages are Baseline, Pruned and PCQAT.</param>
/// <param name="Report">The stages measured.</param>
public sealed record DemoRun(DemoTask Task, Model Float, Optimization Optimization, CompressionReport Report)
{
    private const string Name = "sounds.tflite";
    private const int BatchSize = 32;
    private const double Rate = 0.003;
    private const string FineTuningRate = "cosine:0.001:0:0.02";
    private const int Codes = 8;

    /// <summary>Of this program, as reports have it; the same version gives the same bytes.</summary>
    public static string Version => RecipeRunner.Version;

    /// <summary>What is done to the trained model.</summary>
    public static OptimizationRecipe Recipe(DemoSize size) => new OptimizationRecipe(
        "demo",
        [
            new PruneStep { Sparsity = 0.5 },
            Tune(size.PruningEpochs),
            new ClusterStep { Codes = Codes, Depthwise = true },
            new QuantizeAwareStep(),
            Tune(size.JointEpochs),
            new QuantizeStep(),
        ])
    {
        Description = "Half of the weights zero, then 8 values for each weight tensor, trained for int8 in the same run.",
    }.Resolved();

    /// <summary>Does everything in memory; the same size gives the same bytes, whatever the threads.</summary>
    /// <param name="size">How much work it is.</param>
    /// <param name="command">The command line, for the report.</param>
    /// <param name="work">Threads and cancellation.</param>
    /// <param name="progress">Told what is under way.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DemoRun Of(DemoSize size, string? command = null, WorkOptions? work = null, IProgress<DemoProgress>? progress = null)
    {
        work ??= WorkOptions.Default;
        progress?.Report(new(DemoStep.Synthesizing));
        DemoTask task = DemoTask.Create(size.TrainSounds, size.TestSounds, work.Threads, work.Cancellation);
        (Dataset train, Dataset test) = (DataOf(task.Train), DataOf(task.Test));

        progress?.Report(new(DemoStep.Training));
        FitResult fit = Model.Of(DemoNetwork.Build(size.Channels), Name).Fit(train, how: new()
        {
            Epochs = size.Epochs,
            BatchSize = BatchSize,
            Rate = LearningRate.Cosine(Rate),
            Progress = progress is null ? null : new Epochs(progress),
        }, options: work);

        // From the file, so that 'optc optimize' of that file does the same.
        Model model = Model.Read(fit.Model.ToTfLite(TfLiteWriteOptions.WithAllNames), Name);
        Optimization result = Recipe(size).Run(model, train, test, new()
        {
            Command = command,
            Progress = progress is null ? null : new Stages(progress),
            Work = work,
        });
        progress?.Report(new(DemoStep.Measuring));
        StageResult[] stages = [.. result.Run.Stages];
        (Model real, Model integers) = (stages[^1].Float!, stages[^1].Int8!);
        stages[0] = stages[0] with { Curve = fit.History };
        stages[^1] = stages[^1] with { FakeQuantScore = real.FakeQuantized(integers, work).Evaluate(test, options: work).Value };
        result = result with
        {
            Run = result.Run with { Stages = [.. stages], Agreement = LayerAgreements.Measure(real, integers, test, options: work) },
        };
        return new(task, model, result, CompressionReport.Build(result.Run, work));
    }

    private static Dataset DataOf(LabelledSounds sounds) => Dataset.Of(sounds.Stack(), TensorData.FromInts([sounds.Count], [.. sounds.Labels]));

    private static FineTuneStep Tune(int epochs) => new() { Epochs = epochs, Batch = BatchSize, Rate = FineTuningRate };

    private sealed class Epochs(IProgress<DemoProgress> progress) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => progress.Report(new(DemoStep.Training, value));
    }

    private sealed class Stages(IProgress<DemoProgress> progress) : IProgress<OptimizationProgress>
    {
        public void Report(OptimizationProgress value) => progress.Report(new(value.Stage == 1 ? DemoStep.Pruning : DemoStep.Compressing, value.Fit));
    }
}
