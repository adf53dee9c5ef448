using System.Text.RegularExpressions;
using Optc.Architectures;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Runtime.Training;
using Optc.Tests.Golden.Cli;
using Optc.Tests.Snapshots;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Golden;

/// <summary>The C# examples of the README: compiled here, compared with the page, and run on a small model.</summary>
[Collection(CurrentFolder.Name)]
public sealed partial class ReadmeTests : IDisposable
{
    private readonly string _before = Directory.GetCurrentDirectory();
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-readme-").FullName;

    public ReadmeTests()
    {
        Directory.SetCurrentDirectory(_folder);
        Model.Of(Classifier()).Save("model.tflite");
        WriteData("samples.npz", seed: 1, count: 40);
        WriteData("test.npz", seed: 2, count: 60);
    }

    [Fact]
    public void The_page_shows_exactly_the_examples_that_are_run_here()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFolder.Path, "README.md"));
        string source = File.ReadAllText(Path.Combine(RepositoryFolder.Path, "tests/Golden/ReadmeTests.cs"));

        string[] shown = [.. CodeBlock().Matches(page).Select(m => Lines(m.Groups[1].Value))];
        string[] compiled = [.. Example().Matches(source).Select(m => Lines(m.Groups[1].Value))];

        Assert.NotEmpty(shown);
        Assert.Equal(shown, compiled);
    }

    [Fact]
    public void Loading_quantizing_and_saving()
    {
        // <example>
        Model model = Model.Load("model.tflite");
        Dataset samples = Dataset.Load("samples.npz");

        Model quantized = model.Simplify().Quantize(QuantizationRecipe.StaticInt8, samples);
        quantized.Save("model-int8.tflite");

        foreach (LayerReport layer in quantized.Quantization!.WithStatus(LayerStatus.Float))
        {
            Console.WriteLine($"{layer.Name} stays float: {layer.Reason}");
        }
        // </example>

        Assert.Empty(quantized.Quantization.WithStatus(LayerStatus.Float));
        Assert.Equal(quantized.ToTfLite(), Model.Load("model-int8.tflite").ToTfLite());
    }

    [Fact]
    public void Rules_for_layers_and_a_score()
    {
        // <example>
        Model model = Model.Load("model.tflite");
        QuantizationRecipe recipe = QuantizationRecipe.StaticInt8 with
        {
            Estimator = RangeEstimator.Percentile(99.9),
            InputType = DType.F32,
            Rules = [new LayerRule("probabilities") { KeepFloat = true, Because = "its input spans 40 dB" }],
        };

        Model quantized = model.Quantize(recipe, Dataset.Load("samples.npz"), new() { Threads = 4 });
        Evaluation score = quantized.Evaluate(Dataset.Load("test.npz"));
        Console.WriteLine($"{score.Metric} {score.Value:P1} on {score.Samples} samples");
        // </example>

        Assert.Equal("its input spans 40 dB", Assert.Single(quantized.Quantization!.WithStatus(LayerStatus.Float)).Reason);
        Assert.Equal(60, score.Samples);
        Assert.InRange(score.Value, 0.9, 1);
    }

    [Fact]
    public void Training_from_an_architecture()
    {
        // <example>
        Model fresh = Model.Of(Architecture.Find("mlp").Build(new() { Input = [9], Classes = 3 }));
        FitOptions how = new() { Epochs = 20, Rate = LearningRate.Cosine(0.01), Step = new() { Optimizer = Optimizer.AdamW() } };

        FitResult run = fresh.Fit(Dataset.Load("samples.npz"), validation: Dataset.Load("test.npz"), how);
        run.Model.Save("trained.tflite");
        Console.WriteLine($"{run.Metric} {run.History[run.BestEpoch!.Value - 1].Score:P1} after {run.Steps} steps");
        // </example>

        Assert.InRange(run.History[run.BestEpoch.Value - 1].Score!.Value, 0.9, 1);
        Assert.Equal(run.Model.ToTfLite(), Model.Load("trained.tflite").ToTfLite());
    }

    [Fact]
    public void A_chain_of_optimizations()
    {
        // <example>
        Model model = Model.Load("model.tflite");
        Dataset train = Dataset.Load("samples.npz");

        Model staged = model
            .Prune(0.5, PruningSchedule.Polynomial(power: 3)).FineTune(train, epochs: 4)
            .Cluster(8).FineTune(train, epochs: 3)
            .QuantizeAware().FineTune(train, epochs: 3)
            .ToInt8();
        Model joint = model.Prune(0.5).Cluster(8).QuantizeAware().FineTune(train, epochs: 10).ToInt8();

        foreach (CompressionStage stage in staged.Stages)
        {
            Console.WriteLine($"{stage.Mode}: {stage.Reason}");
        }

        foreach (InvariantResult fact in InvariantResult.OnBytes(joint))
        {
            Console.WriteLine($"{fact.Layer}: {fact.What} {fact.Found}, expected {fact.Expected}");
        }
        // </example>

        Assert.Equal([CompressionMode.Pruning, CompressionMode.SparseClustering, CompressionMode.Pcqat], staged.Stages.Select(s => s.Mode));
        Assert.Equal(CompressionMode.Pcqat, Assert.Single(joint.Stages).Mode);
        foreach (Model result in new[] { staged, joint })
        {
            sbyte[] weights = Model.Read(result.ToTfLite()).Module.Main.Nodes.Single(n => n.Op is FullyConnected).Inputs[1]!.Constant!.Span<sbyte>().ToArray();
            Assert.InRange(weights.Distinct().Count(), 2, 8);
            Assert.InRange(weights.Count(w => w == 0), weights.Length / 2, weights.Length - 1);
            Assert.All(InvariantResult.OnBytes(result), fact => Assert.True(fact.Holds));
        }
    }

    public void Dispose()
    {
        Directory.SetCurrentDirectory(_before);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Which of three thirds of the input has the largest sum.</summary>
    private static Module Classifier()
    {
        float[] weights = [.. Enumerable.Range(0, 3 * 9).Select(i => i % 9 / 3 == i / 9 ? 1f : -0.2f)];
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 9]));
        Value w = GraphBuilder.Constant(TensorData.FromFloats([3, 9], weights), "dense/w");
        Value b = GraphBuilder.Constant(TensorData.FromFloats([3], [0, 0, 0]), "dense/b");
        Value dense = builder.Add(new FullyConnected(FusedActivation.None), [x, w, b], "dense").Output;
        builder.Output(builder.Add(new Softmax(1), [dense], "probabilities").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static void WriteData(string path, int seed, int count)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        float[] x = [.. labels.SelectMany(label => Enumerable.Range(0, 9).Select(i => random.NextSingle() + (i / 3 == label ? 1 : 0)))];
        File.WriteAllBytes(path, NpzFile.Write(NpzCompression.Deflated, ("x", NpyArray.Of<float>(x, count, 9)), ("y", NpyArray.Of<int>(labels, count))));
    }

    /// <summary>The lines without the indentation that all of them share.</summary>
    private static string Lines(string block)
    {
        string[] lines = block.TrimEnd().Split('\n');
        int indentation = lines.Where(l => l.Length > 0).Min(l => l.Length - l.TrimStart().Length);
        return string.Join('\n', lines.Select(l => l.Length == 0 ? l : l[indentation..]));
    }

    [GeneratedRegex("```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("// <example>\n(.*?)\n *// </example>", RegexOptions.Singleline)]
    private static partial Regex Example();
}
