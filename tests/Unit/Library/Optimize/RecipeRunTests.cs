using System.Globalization;
using Optc.Architectures;
using Optc.Frontend;
using Optc.Ir;
using Optc.Optimize;
using Optc.Optimize.Explore;
using Optc.Report.Compression;
using Xunit;

namespace Optc.Tests.Unit.Library.Optimize;

public sealed class RecipeRunTests : IDisposable
{
    private const int Samples = 96;
    private const int Classes = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("optc-recipe-").FullName;

    public static TheoryData<string> Names => [.. OptimizationRecipe.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_built_in_recipe_keeps_what_it_makes(string name)
    {
        OptimizationRecipe recipe = Short(name, 1);

        Optimization result = recipe.Run(Start(), Data(1), Data(2));

        Assert.Equal(DType.I8, result.Result.Inputs[0].Type.DType);
        Assert.All(result.Invariants, i => Assert.True(i.Holds));
        bool prunes = recipe.Steps.Any(s => s is PruneStep);
        bool clusters = recipe.Steps.Any(s => s is ClusterStep);
        Assert.Equal(prunes, result.Invariants.Any(i => i.What == "zeros kept"));
        Assert.Equal(clusters, result.Invariants.Any(i => i.What == "distinct codes" && i.Expected == "at most 16"));
        Assert.Equal(PlannedStage.Of(recipe).Length + 1, result.Run.Stages.Length);
        if (recipe.Steps.Any(s => s is QuantizeAwareStep))
        {
            Assert.StartsWith(name.Split('-')[0].ToUpperInvariant(), result.Run.Stages[^1].Mode, StringComparison.Ordinal);
        }

        CompressionReport report = CompressionReport.Build(result.Run);
        if (prunes)
        {
            // Depthwise weights are left alone, and of everything else half are zeros.
            HashSet<string> pruned = [.. result.Invariants.Where(i => i.What == "zeros kept").Select(i => i.Layer)];
            long elements = WeightTensor.Of(result.Run.Stages[^1].Float!.Module).Where(w => pruned.Contains(w.Layer)).Sum(w => w.Elements);
            long zeros = result.Invariants.Where(i => i.What == "zeros kept").Sum(i => long.Parse(i.Found.Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
            Assert.InRange(zeros, (elements / 2) - 1, clusters ? elements : (elements / 2) + 1);
            Assert.True(report.Stages[^1].Int8!.Zeros >= zeros);
            Assert.NotEmpty(result.Skipped);
        }
    }

    [Theory]
    [InlineData("pcqat")]
    [InlineData("pcqat-staged")]
    public void Threads_change_no_byte(string name)
    {
        OptimizationRecipe recipe = Short(name, 1);

        byte[] one = recipe.Run(Start(), Data(1), null, new() { Seed = 5 }).File.ToArray();
        byte[] two = recipe.Run(Start(), Data(1), null, new() { Seed = 5, Work = new() { Threads = 2 } }).File.ToArray();
        byte[] other = recipe.Run(Start(), Data(1), null, new() { Seed = 6 }).File.ToArray();

        Assert.Equal(one, two);
        Assert.NotEqual(one, other);
    }

    /// <summary>Stopped after each of the first so many reports, then run again.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(21)]
    public void An_interrupted_run_goes_on_to_the_same_bytes(int reports)
    {
        OptimizationRecipe recipe = Short("pcqat-staged", 2);
        byte[] whole = recipe.Run(Start(), Data(1)).File.ToArray();
        using CancellationTokenSource cancel = new();
        int told = 0;
        int trained = 0;
        OptimizationOptions options = new()
        {
            WorkFolder = _folder,
            Work = new() { Cancellation = cancel.Token },
            Progress = new Listener(p =>
            {
                trained += p.Activity is OptimizationActivity.Training && p.Fit!.Finished is null ? 1 : 0;
                if (++told == reports)
                {
                    cancel.Cancel();
                }
            }),
        };
        Assert.Throws<OperationCanceledException>(() => recipe.Run(Start(), Data(1), null, options));
        List<OptimizationProgress> again = [];

        Optimization result = recipe.Run(Start(), Data(1), null, new() { WorkFolder = _folder, Progress = new Listener(again.Add) });

        Assert.Equal(whole, result.File.ToArray());

        // Three runs of two epochs of three steps, of which the last is told with the epoch: none is done twice.
        Assert.Equal(12, trained + again.Count(p => p.Activity is OptimizationActivity.Training && p.Fit!.Finished is null));
        Assert.Equal([2, 2, 2], result.Run.Stages.Skip(1).Select(s => s.Curve.Length));
    }

    [Fact]
    public void Recipes_that_begin_alike_share_their_stages()
    {
        OptimizationOptions options = new() { WorkFolder = _folder };
        Short("pcqat-staged", 1).Run(Start(), Data(1), null, options);
        OptimizationRecipe other = OptimizationRecipe.Parse(Short("pcqat-staged", 1).ToYaml().Replace("codes: 16", "codes: 4", StringComparison.Ordinal));
        List<(int, OptimizationActivity)> told = [];

        byte[] shared = other.Run(Start(), Data(1), null, options with { Progress = new Listener(p => told.Add((p.Stage, p.Activity))) }).File.ToArray();

        Assert.Contains((1, OptimizationActivity.TakenUp), told);
        Assert.Contains((2, OptimizationActivity.Started), told);
        Assert.Equal(other.Run(Start(), Data(1)).File.ToArray(), shared);
    }

    [Fact]
    public void A_damaged_stage_is_made_anew()
    {
        OptimizationRecipe recipe = Short("prune", 1);
        OptimizationOptions options = new() { WorkFolder = _folder };
        byte[] first = recipe.Run(Start(), Data(1), null, options).File.ToArray();
        string file = Assert.Single(Directory.GetFiles(_folder, "*.tflite"));
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..100]);

        Assert.Equal(first, recipe.Run(Start(), Data(1), null, options).File.ToArray());
    }

    [Fact]
    public void Without_training_zeros_and_codes_come_in_one_shot()
    {
        OptimizationRecipe recipe = OptimizationRecipe.Parse("steps:\n- prune: 0.75\n- cluster:\n    codes: 4\n    depthwise: true\n- quantize\n");

        Optimization result = recipe.Run(Start(), Data(1));

        Assert.Equal("Pruned and clustered", result.Run.Stages[1].Name);
        Assert.All(result.Invariants, i => Assert.True(i.Holds));
        Assert.Contains(result.Invariants, i => i.Expected == "at most 4");
    }

    [Fact]
    public void A_price_on_bits_of_a_coder_makes_the_weights_shorter_in_it()
    {
        long free = Bits("");
        long priced = Bits("    bit-price: 0.1\n    coder: ethos-u\n");

        Assert.True(priced < 0.9 * free, $"{priced} against {free}");

        static long Bits(string more)
        {
            Optimization result = OptimizationRecipe.Parse($"steps:\n- cluster:\n    codes: 16\n{more}- quantize\n").Run(Start(), Data(1));
            Assert.All(result.Invariants, i => Assert.True(i.Holds));
            return SizeMeasure.Find("ethos-u")!.Count(result);
        }
    }

    [Fact]
    public void Channels_that_are_removed_make_the_file_smaller()
    {
        OptimizationRecipe recipe = OptimizationRecipe.Parse("steps:\n- simplify\n- remove-channels: 0.5\n- fine-tune: 1\n");
        Model start = Start();

        Optimization result = recipe.Run(start, Data(1), Data(2));

        Assert.Equal(["Baseline", "Simplified", "Narrower", "Fine-tuned"], result.Run.Stages.Select(s => s.Name));
        Assert.True(result.File.Length < 0.6 * start.FileLength, $"{result.File.Length} of {start.FileLength}");
        Assert.Contains("channels are removed", result.Run.Stages[2].ModeReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_and_numbers_are_the_same_data()
    {
        byte[] pixels = new byte[Samples * 64];
        new Random(3).NextBytes(pixels);
        Dataset bytes = Dataset.Of(TensorData.From<byte>(DType.U8, [Samples, 8, 8, 1], pixels), Labels(3));
        Dataset numbers = Dataset.Of(TensorData.FromFloats([Samples, 8, 8, 1], Array.ConvertAll(pixels, p => (float)p)), Labels(3));

        Optimization first = Short("prune", 1).Run(Start(), bytes, bytes);
        Optimization second = Short("prune", 1).Run(Start(), numbers, numbers);

        Assert.Equal(second.File.ToArray(), first.File.ToArray());
        Assert.Equal(second.ScoreAfter, first.ScoreAfter);
    }

    [Fact]
    public void Codes_are_chosen_by_an_error_or_a_number_of_bits()
    {
        OptimizationRecipe few = OptimizationRecipe.Parse("steps:\n- cluster:\n    relative-error: 0.1\n- quantize\n");
        OptimizationRecipe many = OptimizationRecipe.Parse("steps:\n- cluster:\n    bits-per-weight: 4\n    depthwise: true\n- quantize\n");

        Optimization first = few.Run(Start(), Data(1));
        Optimization second = many.Run(Start(), Data(1));

        string[] codes = [.. first.Invariants.Where(i => i.What == "distinct codes").Select(i => i.Expected)];
        Assert.True(codes.Distinct().Count() > 1, string.Join(", ", codes));
        Assert.Equal(
            second.Invariants.Count(i => i.What == "distinct codes"),
            first.Invariants.Count(i => i.What == "distinct codes") + 4);
        Assert.True(Codes(second) > Codes(first), $"{Codes(second)} against {Codes(first)}");

        static double Codes(Optimization result) =>
            result.Invariants.Where(i => i.What == "distinct codes").Average(i => int.Parse(i.Found, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Pruning_by_second_order_is_kept_by_the_training_behind_it()
    {
        OptimizationRecipe recipe = OptimizationRecipe.Parse("steps:\n- prune-by-second-order: 0.6\n- quantize-aware\n- fine-tune: 1\n- quantize\n");

        Optimization result = recipe.Run(Start(), Data(1), Data(2));

        Assert.Equal(["Baseline", "Pruned", "PQAT"], result.Run.Stages.Select(s => s.Name));
        Assert.Equal(6, result.Invariants.Count(i => i.What == "zeros kept"));
        Assert.Equal(4, result.Skipped.Count(s => s.Stage == "Pruned"));
    }

    [Fact]
    public void Zeros_of_a_model_of_another_tool_are_kept()
    {
        // Read without its record, the file is like that of another tool.
        Model foreign = Model.Of(FrontendSet.Read(Start().Prune(0.5).ToTfLite(), "foreign"));

        Optimization result = Short("qat", 1).Run(foreign, Data(1));

        Assert.Equal("PQAT", result.Run.Stages[^1].Mode);
        Assert.Equal("6 weights have zeros", result.Run.Stages[^1].ModeReason);
        Assert.Equal(6, result.Invariants.Count(i => i.What == "zeros kept" && i.Holds));
    }

    [Fact]
    public void Fake_quantized_and_integer_layers_agree()
    {
        Optimization result = Short("qat", 2).Run(Start(), Data(1), Data(2));

        Assert.NotEmpty(result.Run.Agreement);
        Assert.All(result.Run.Agreement, a => Assert.True(a.Holds, $"{a.Layer}: {a.MaxDifference}"));
        Assert.All(result.Run.Stages, s => Assert.NotNull(s.FakeQuantScore));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static OptimizationRecipe Short(string name, int epochs)
    {
        OptimizationRecipe recipe = OptimizationRecipe.Find(name)!;
        return recipe with { Steps = [.. recipe.Steps.Select(s => s is FineTuneStep tune ? tune with { Epochs = epochs, Batch = 32 } : s)] };
    }

    /// <summary>A small convolutional network with depthwise layers: x f32 [1, 8, 8, 1] -> y f32 [1, 3].</summary>
    private static Model Start() => Model.Of(
        Architecture.Find("ds-cnn-s").Build(new() { Input = [8, 8, 1], Classes = Classes, Width = 0.25, Seed = 4 }), "small.tflite");

    private static Dataset Data(int seed)
    {
        Random random = new(seed);
        return Dataset.Of(TensorData.FromFloats([Samples, 8, 8, 1], [.. Enumerable.Range(0, Samples * 64).Select(_ => (float)random.NextDouble())]), Labels(seed));
    }

    private static TensorData Labels(int seed)
    {
        Random random = new(seed);
        return TensorData.FromInts([Samples], [.. Enumerable.Range(0, Samples).Select(i => i < Classes ? i : random.Next(Classes))]);
    }

    private sealed class Listener(Action<OptimizationProgress> told) : IProgress<OptimizationProgress>
    {
        public void Report(OptimizationProgress value) => told(value);
    }
}
