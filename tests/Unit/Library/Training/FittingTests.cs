using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

public sealed class FittingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-fit-").FullName;

    [Fact]
    public void A_small_network_learns_to_tell_patterns_apart()
    {
        FitResult result = Network().Fit(Patterns(60, 1), Patterns(30, 2), new() { Epochs = 8, BatchSize = 10, Rate = LearningRate.Cosine(0.01) });

        Assert.InRange(result.Model.Evaluate(Patterns(30, 3)).Value, 0.9, 1);
        Assert.Equal(8, result.History.Length);
        Assert.True(result.History[^1].Loss < result.History[0].Loss / 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_number_of_threads_changes_no_bit(int threads)
    {
        FitOptions how = new() { Epochs = 2, BatchSize = 8, Augmentations = Augmentation.Parse("shift:1, mixup:0.2") };
        byte[] one = Network().Fit(Patterns(20, 1), how: how).Model.ToTfLite();

        Assert.Equal(one, Network().Fit(Patterns(20, 1), how: how, options: new() { Threads = threads }).Model.ToTfLite());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public void A_run_that_was_stopped_and_resumed_ends_with_the_same_bytes(int stop)
    {
        FitOptions how = new() { Epochs = 3, BatchSize = 8, CheckpointEvery = 2, Step = new() { MovingAverage = 0.9f } };
        FitResult whole = Network().Fit(Patterns(30, 1), Patterns(12, 2), how);
        string checkpoint = Path.Combine(_folder, "run.npz");
        using CancellationTokenSource cancel = new();
        FitOptions stopped = how with { Checkpoint = checkpoint, Progress = new Listener(p => { if (p.Step == stop) { cancel.Cancel(); } }) };

        Assert.Throws<OperationCanceledException>(() => Network().Fit(Patterns(30, 1), Patterns(12, 2), stopped, new() { Cancellation = cancel.Token }));
        FitResult resumed = Network().Fit(Patterns(30, 1), Patterns(12, 2), how with { Checkpoint = checkpoint });

        Assert.Equal(whole.Model.ToTfLite(), resumed.Model.ToTfLite());
        Assert.Equal(whole.History.AsEnumerable(), resumed.History.AsEnumerable());
    }

    [Fact]
    public void A_run_that_was_stopped_while_it_scored_ends_with_the_same_bytes()
    {
        FitOptions how = new() { Epochs = 2, BatchSize = 8 };
        FitResult whole = Network().Fit(Patterns(30, 1), Patterns(12, 2), how);
        using CancellationTokenSource cancel = new();
        FitOptions stopped = how with { Checkpoint = Path.Combine(_folder, "run.npz"), Metric = new Cancelling(cancel) };

        Assert.Throws<OperationCanceledException>(() => Network().Fit(Patterns(30, 1), Patterns(12, 2), stopped, new() { Cancellation = cancel.Token }));
        List<long> steps = [];
        FitResult resumed = Network().Fit(
            Patterns(30, 1), Patterns(12, 2), stopped with { Metric = Metric.Accuracy, Progress = new Listener(p => steps.Add(p.Step)) });

        Assert.Equal(whole.Model.ToTfLite(), resumed.Model.ToTfLite());
        Assert.Equal(whole.History.AsEnumerable(), resumed.History.AsEnumerable());
        Assert.Equal([4, 5, 6, 7, 8], steps);
    }

    [Theory]
    [InlineData("samples")]
    [InlineData("validation")]
    [InlineData("weights of the model")]
    [InlineData("normalization")]
    [InlineData("rate")]
    [InlineData("frozen")]
    public void A_checkpoint_of_other_content_is_refused(string what)
    {
        FitOptions how = new() { Epochs = 1, BatchSize = 8, Checkpoint = Path.Combine(_folder, "run.npz"), Normalization = Normalization.Bytes };
        Network().Fit(Patterns(20, 1), Patterns(12, 2), how);
        FitOptions other = what switch
        {
            "normalization" => how with { Normalization = new([], [0], [1 / 128f]) },
            "rate" => how with { Rate = LearningRate.Cosine(0.002) },
            "frozen" => how with { Step = new() { Rates = [new("stem", 0.5f)] } },
            _ => how,
        };

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Network(what == "weights of the model" ? 4u : 3u).Fit(
            Patterns(20, what == "samples" ? 5 : 1), Patterns(12, what == "validation" ? 5 : 2), other));

        Assert.Equal("the checkpoint belongs to another run", problem.Diagnostics[0].Message);
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused()
    {
        string checkpoint = Path.Combine(_folder, "run.npz");
        FitOptions how = new() { Epochs = 1, BatchSize = 8, Checkpoint = checkpoint };
        Network().Fit(Patterns(20, 1), how: how);

        Assert.Throws<DiagnosticException>(() => Network().Fit(Patterns(20, 1), how: how with { BatchSize = 4 }));
    }

    [Fact]
    public void Patience_ends_a_run_that_gets_no_better()
    {
        FitResult result = Network().Fit(
            Patterns(20, 1), Patterns(10, 2), new() { Epochs = 30, BatchSize = 10, Rate = LearningRate.Constant(1e-12), Patience = 2 });

        Assert.True(result.EndedEarly);
        Assert.Equal(3, result.History.Length);
        Assert.Equal(1, result.BestEpoch);
    }

    [Fact]
    public void The_weights_of_the_best_epoch_are_kept()
    {
        // A rate that ruins the weights after a good start.
        FitResult result = Network().Fit(
            Patterns(60, 1), Patterns(30, 2), new() { Epochs = 6, BatchSize = 10, Rate = LearningRate.Constant(0.05) });

        double best = result.History.Max(h => h.Score!.Value);
        Assert.Equal(best, result.History[result.BestEpoch!.Value - 1].Score);
        Assert.Equal(best, result.Model.Evaluate(Patterns(30, 2)).Value);
    }

    [Fact]
    public void Normalization_becomes_a_part_of_the_model()
    {
        Dataset raw = Patterns(60, 1, scale: 255);
        Normalization normalization = Normalization.Measure(TrainingData.Of(raw));

        FitResult result = Network().Fit(raw, how: new() { Epochs = 6, BatchSize = 10, Rate = LearningRate.Cosine(0.01), Normalization = normalization });

        Assert.InRange(result.Model.Evaluate(Patterns(30, 3, scale: 255)).Value, 0.9, 1);
    }

    [Fact]
    public void A_file_remembers_the_statistics_of_its_normalizations_until_it_is_quantized()
    {
        string path = Path.Combine(_folder, "trained.tflite");
        Model trained = Network().Fit(Patterns(40, 1), how: new() { Epochs = 2, BatchSize = 10 }).Model.Save(path);

        Model again = Model.Load(path);

        Assert.NotEmpty(StatisticsRecord.Read(again.Module));
        Assert.Equal(
            StatisticsRecord.Read(trained.Module).Select(s => (s.Key, s.Value.Mean[0])).Order(),
            StatisticsRecord.Read(again.Module).Select(s => (s.Key, s.Value.Mean[0])).Order());
        Assert.Empty(StatisticsRecord.Read(again.Quantize(QuantizationRecipe.StaticInt8, Patterns(10, 5)).Module));
    }

    [Fact]
    public void A_batch_larger_than_the_data_is_all_of_them()
    {
        byte[] all = Network().Fit(Patterns(12, 1), how: new() { Epochs = 2, BatchSize = 12 }).Model.ToTfLite();

        Assert.Equal(all, Network().Fit(Patterns(12, 1), how: new() { Epochs = 2, BatchSize = int.MaxValue }).Model.ToTfLite());
    }

    [Fact]
    public void A_file_may_leave_the_batch_open()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [-1, 8, 8, 1]));
        Value flat = builder.Add(new Reshape([-1, 64]), [x, null], "flat").Output;
        Value w = GraphBuilder.Constant(TensorData.FromFloats([3, 64], new float[3 * 64]), "w");
        builder.Output(builder.Add(new FullyConnected(), [flat, w, null], "dense").Output);

        FitResult result = Model.Of(GraphBuilder.Module([builder.Build()])).Fit(Patterns(30, 1), Patterns(9, 2), new() { Epochs = 2, BatchSize = 10 });

        Assert.True(result.History[1].Loss < result.History[0].Loss);
    }

    public static TheoryData<PruningPattern, double> PruningPatterns => new()
    {
        { PruningPattern.Unstructured, 0.6 }, { PruningPattern.Blocks(1, 4), 0.5 }, { PruningPattern.Groups(2, 4), 0.5 }, { PruningPattern.Channels, 0.25 },
    };

    [Theory]
    [MemberData(nameof(PruningPatterns))]
    public void Pruned_weights_are_exactly_as_sparse_as_asked_in_the_file(PruningPattern pattern, double sparsity)
    {
        // 22 steps, of which no refresh interval is a divisor.
        FitOptions how = new() { Epochs = 2, BatchSize = 6, Pruning = new(PruningSchedule.Polynomial(sparsity, end: 0.9)) { Pattern = pattern, Every = 7 } };
        Model pruned = Model.Read(Network().Fit(Patterns(66, 1), Patterns(9, 2), how).Model.ToTfLite());

        (int elements, int stay) = (0, 0);
        foreach (Value weight in pruned.Module.Main.Nodes.Where(n => n.Op is Conv2D or FullyConnected).Select(n => n.Inputs[1]!))
        {
            float[] w = weight.Constant!.AsFloats().ToArray();
            int groups = pattern is { } && pattern.ToString().StartsWith("Group", StringComparison.Ordinal) ? weight.Type.Shape[-1] : 0;
            int kept = groups == 0
                ? w.Count(v => v != 0)
                : w.Chunk(groups).SelectMany(row => row.Chunk(4)).Max(group => group.Count(v => v != 0));
            if (groups > 0)
            {
                Assert.True(kept <= 2);
            }
            else if (pattern == PruningPattern.Unstructured)
            {
                // Exact in the sum over the model: parts of a number go where the remainder is largest.
                Assert.InRange(kept, (int)Math.Floor(w.Length * (1 - sparsity)), (int)Math.Ceiling(w.Length * (1 - sparsity)));
                (elements, stay) = (elements + w.Length, stay + kept);
            }
            else
            {
                Assert.InRange(kept, 1, (int)(w.Length * (1 - sparsity)) + (w.Length / 8) + 4);
            }
        }

        Assert.Equal((int)Math.Round(elements * (1 - sparsity), MidpointRounding.ToEven), stay);
    }

    [Fact]
    public void A_sparse_model_that_is_trained_further_keeps_its_zeros()
    {
        Model pruned = Network().Fit(Patterns(60, 1), how: new() { Epochs = 2, BatchSize = 10, Pruning = new(PruningSchedule.Constant(0.7)) }).Model;
        bool[] Zeros(Model model) => [.. model.Module.Main.Nodes.Where(n => n.Op is Conv2D or FullyConnected).SelectMany(n => n.Inputs[1]!.Constant!.AsFloats().ToArray()).Select(v => v == 0)];

        Model kept = pruned.Fit(Patterns(60, 1), how: new() { Epochs = 2, BatchSize = 10, Pruning = Pruning.KeepZeros }).Model;
        Model unasked = pruned.Fit(Patterns(60, 1), how: new() { Epochs = 2, BatchSize = 10 }).Model;

        Assert.Equal(Zeros(pruned), Zeros(kept));
        Assert.Equal(Zeros(pruned), Zeros(unasked));
    }

    public static TheoryData<int, PruningCriterion> Stops => new()
    {
        { 3, PruningCriterion.Magnitude }, { 8, PruningCriterion.Magnitude }, { 3, PruningCriterion.GradientTimesWeight }, { 8, PruningCriterion.GradientTimesWeight },
    };

    [Theory]
    [MemberData(nameof(Stops))]
    public void Pruning_resumes_bit_for_bit(int stop, PruningCriterion criterion)
    {
        FitOptions how = new()
        {
            Epochs = 3,
            BatchSize = 10,
            CheckpointEvery = 2,
            Pruning = new(PruningSchedule.Polynomial(0.6)) { Every = 2, Criterion = criterion },
            Step = new() { MovingAverage = 0.9f },
        };
        byte[] whole = Network().Fit(Patterns(40, 1), Patterns(9, 2), how).Model.ToTfLite();
        string checkpoint = Path.Combine(_folder, "run.npz");
        using CancellationTokenSource cancel = new();
        FitOptions stopped = how with { Checkpoint = checkpoint, Progress = new Listener(p => { if (p.Step == stop) { cancel.Cancel(); } }) };
        Assert.Throws<OperationCanceledException>(() => Network().Fit(Patterns(40, 1), Patterns(9, 2), stopped, new() { Cancellation = cancel.Token }));

        Assert.Equal(whole, Network().Fit(Patterns(40, 1), Patterns(9, 2), how with { Checkpoint = checkpoint }).Model.ToTfLite());
    }

    [Fact]
    public void Gradient_times_weight_drops_what_the_loss_does_not_see()
    {
        // Half of the pixels are always zero: their weights have no gradients, however large they are.
        TensorData pixels = TensorData.FromFloats([20, 8], [.. Enumerable.Range(0, 160).Select(i => i % 8 < 4 ? MathF.Sin(i * 1.7f) : 0)]);
        Dataset data = Dataset.Of(pixels, TensorData.FromInts([20], [.. Enumerable.Range(0, 20).Select(i => i % 3)]));
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 8]));
        Value w = GraphBuilder.Constant(TensorData.FromFloats([3, 8], [.. Enumerable.Range(0, 24).Select(i => i % 8 < 4 ? 0.01f + (0.001f * i) : 5f + i)]), "w");
        builder.Output(builder.Add(new Softmax(1), [builder.Add(new FullyConnected(), [x, w, null], "dense").Output], "scores").Output);
        Model model = Model.Of(GraphBuilder.Module([builder.Build()]));
        FitOptions how = new()
        {
            Epochs = 1,
            BatchSize = 20,
            Rate = LearningRate.Constant(1e-6),
            Pruning = new(PruningSchedule.Constant(0.5)) { Criterion = PruningCriterion.GradientTimesWeight },
        };

        float[] pruned = model.Fit(data, how: how).Model.Module.Main.Nodes[0].Inputs[1]!.Constant!.AsFloats().ToArray();

        Assert.Equal(Enumerable.Range(0, 24).Select(i => i % 8 < 4), pruned.Select(v => v != 0));
    }

    [Fact]
    public void A_pattern_without_a_layer_to_prune_is_refused() => Assert.Throws<DiagnosticException>(() =>
        Network().Fit(Patterns(20, 1), how: new() { Pruning = new(PruningSchedule.Constant(0.5)) { Selection = new() { Only = "nothing" } } }));

    [Fact]
    public void Samples_of_weight_zero_teach_nothing()
    {
        // Half of the labels are wrong, and weigh nothing.
        (Dataset good, int[] labels) = (Patterns(60, 1), [.. Enumerable.Range(0, 60).Select(i => i % 3)]);
        float[] x = [.. good.Columns[0].Rows().SelectMany(r => r.AsFloats().ToArray())];
        Dataset mixed = Dataset.Of(
            TensorData.FromFloats([120, 8, 8, 1], [.. x, .. x]),
            TensorData.FromInts([120], [.. labels, .. labels.Select(l => (l + 1) % 3)]),
            weights: TensorData.FromFloats([120], [.. Enumerable.Range(0, 120).Select(i => i < 60 ? 2f : 0f)]));

        FitResult result = Network().Fit(mixed, how: new() { Epochs = 6, BatchSize = 10, Rate = LearningRate.Cosine(0.01) });

        Assert.InRange(result.Model.Evaluate(Patterns(30, 3)).Value, 0.9, 1);
    }

    [Fact]
    public void Labels_may_be_distributions_over_the_classes()
    {
        Dataset classes = Patterns(60, 1);
        float[] x = [.. classes.Columns[0].Rows().SelectMany(r => r.AsFloats().ToArray())];
        float[] scores = [.. Enumerable.Range(0, 60).SelectMany(i => Enumerable.Range(0, 3).Select(c => c == i % 3 ? 1f : 0f))];
        FitOptions how = new() { Epochs = 2, BatchSize = 10 };

        byte[] dense = Network().Fit(Dataset.Of(TensorData.FromFloats([60, 8, 8, 1], x), TensorData.FromFloats([60, 3], scores)), how: how).Model.ToTfLite();

        Assert.Equal(Network().Fit(classes, how: how).Model.ToTfLite(), dense);
    }

    [Fact]
    public void A_pupil_may_have_a_teacher()
    {
        Model teacher = Network().Fit(Patterns(60, 1), how: new() { Epochs = 6, BatchSize = 10, Rate = LearningRate.Cosine(0.01) }).Model;
        Model pupil = Model.Of(Architecture.Find("mlp").Build(new() { Input = [8, 8, 1], Classes = 3, Seed = 3 }));

        FitResult result = pupil.Fit(Patterns(60, 1), how: new() { Epochs = 8, BatchSize = 10, Step = new() { Teacher = new(teacher.Module, 1) } });

        Assert.InRange(result.Model.Evaluate(Patterns(30, 3)).Value, 0.9, 1);
    }

    [Fact]
    public void Options_that_make_no_sense_are_all_named()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Network().Fit(Patterns(8, 1), how: new() { Epochs = 0, BatchSize = 0, Patience = 1 }));

        Assert.Equal(3, problem.Diagnostics.Length);
    }

    [Fact]
    public void Options_of_a_step_that_make_no_sense_are_all_named()
    {
        FitOptions how = new()
        {
            ValidationPart = 1,
            Step = new() { MicroBatch = 0, ClipNorm = float.NaN, MovingAverage = 1, StatisticsMomentum = -0.5f, Optimizer = Optimizer.Sgd() with { WeightDecay = -1 } },
        };

        Assert.Equal(6, Assert.Throws<DiagnosticException>(() => Network().Fit(Patterns(8, 1), how: how)).Diagnostics.Length);
    }

    [Fact]
    public void Weights_that_the_last_step_has_ruined_are_not_exported()
    {
        // One step: the loss is that of the weights before it.
        FitOptions how = new() { Epochs = 1, BatchSize = 20, Rate = LearningRate.Constant(1e38), Step = new() { Optimizer = Optimizer.Sgd() } };

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Network().Fit(Patterns(20, 1), how: how));

        Assert.Equal("the weights are no finite numbers any more at step 1", problem.Diagnostics[0].Message);
    }

    [Theory]
    [InlineData("mse", 1)]
    [InlineData("mse", 2)]
    [InlineData("binary-cross-entropy", 1)]
    [InlineData("cross-entropy", 2)]
    public void Labels_of_another_shape_than_the_output_are_refused(string loss, int numbers)
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([4, 8, 8, 1], new float[256]), TensorData.FromFloats([4, numbers], new float[4 * numbers]));

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Network().Fit(data, how: new() { Step = new() { Loss = Loss.Parse(loss) } }));

        Assert.Equal("labels have another shape than the output of the model", problem.Diagnostics[0].Message);
        Assert.Equal("[3]", problem.Diagnostics[0].Expected);
    }

    [Theory]
    [InlineData("mse")]
    [InlineData("cross-entropy")]
    public void Data_without_labels_are_refused(string loss)
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([4, 8, 8, 1], new float[256]));

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Network().Fit(data, how: new() { Step = new() { Loss = Loss.Parse(loss) } }));

        Assert.Equal("the data have no labels", problem.Diagnostics[0].Message);
    }

    [Fact]
    public void Labels_out_of_range_are_refused_before_anything_runs()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 8, 8, 1], new float[128]), TensorData.FromInts([2], [0, 7]));

        Assert.Throws<DiagnosticException>(() => Network().Fit(data));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Model Network(ulong seed = 3) =>
        Model.Of(Architecture.Find("resnet-8").Build(new() { Input = [8, 8, 1], Classes = 3, Width = 0.25, Seed = seed }));

    /// <summary>Bars that stand, bars that lie, and chequers, with noise.</summary>
    private static Dataset Patterns(int count, int seed, float scale = 1)
    {
        Random random = new(seed);
        float[] x = new float[count * 64];
        int[] y = new int[count];
        for (int i = 0; i < count; i++)
        {
            y[i] = i % 3;
            int phase = random.Next(2);
            for (int k = 0; k < 64; k++)
            {
                (int row, int column) = (k / 8, k % 8);
                int bit = y[i] switch { 0 => column, 1 => row, _ => row + column };
                x[(i * 64) + k] = (((bit + phase) % 2) + (random.NextSingle() * 0.5f)) * scale;
            }
        }

        return Dataset.Of(TensorData.FromFloats([count, 8, 8, 1], x), TensorData.FromInts([count], y));
    }

    /// <summary>Accuracy that ends the run when it is asked for.</summary>
    private sealed record Cancelling(CancellationTokenSource Source) : Metric("accuracy")
    {
        internal override (double Value, double Class) Score(ReadOnlySpan<float> scores, ReadOnlySpan<double> label)
        {
            Source.Cancel();
            return (0, 0);
        }
    }

    private sealed class Listener(Action<FitProgress> report) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => report(value);
    }
}
