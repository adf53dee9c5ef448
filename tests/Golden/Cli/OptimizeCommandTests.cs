using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Optimize;
using Xunit;

namespace Optc.Tests.Golden.Cli;

/// <summary>What a transcript of <c>optc optimize</c> cannot show: runs that are cut off, threads, and files to the last byte.</summary>
public sealed class OptimizeCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-optimize-").FullName;

    public OptimizeCommandTests()
    {
        SampleFolder.Fill(_folder);
        Assert.Equal(0, Run(TextWriter.Null, ["new", "--arch", "ds-cnn-s", "--width", "0.25", "--input", "8x8x1", "--classes", "2", "-o", At("float.tflite")]).Code);
    }

    [Fact]
    public void A_run_that_is_cancelled_goes_on_to_the_same_files()
    {
        Assert.Equal(0, Optimize(TextWriter.Null, "whole").Code);
        using CancellationTokenSource cancel = new();
        using LineListener error = new("stage 2 ", cancel);

        (int code, string output) = Optimize(error, "resumed", [], cancel.Token);

        Assert.Equal((ExitCode.Cancelled, ""), (code, output));
        Assert.Contains($"interrupted; the same command goes on from '{At("resumed.tflite.work")}'\ncancelled\n", error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(At("resumed.tflite")));
        using StringWriter again = new() { NewLine = "\n" };
        Assert.Equal(0, Optimize(again, "resumed").Code);

        Assert.Contains("stage 1 of 3: prune + fine-tune: done before\n", again.ToString(), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(At("whole.tflite")), File.ReadAllBytes(At("resumed.tflite")));
        Assert.Equal(File.ReadAllText(At("whole.tflite.recipe.yaml")), File.ReadAllText(At("resumed.tflite.recipe.yaml")));
        Assert.False(Directory.Exists(At("resumed.tflite.work")));
    }

    [Fact]
    public void The_effective_recipe_gives_the_same_file_with_other_threads()
    {
        Assert.Equal(0, Optimize(TextWriter.Null, "first", ["--codes", "5", "--sparsity", "0.25"]).Code);
        string recipe = At("first.tflite.recipe.yaml");
        Assert.Equal(5, OptimizationRecipe.Load(recipe).Steps.OfType<ClusterStep>().Single().Codes);
        string[] arguments = ["optimize", At("float.tflite"), "-o", At("second.tflite"), "--recipe", recipe, "--data", At("samples.npz"), "--seed", "3", "--threads", "2"];

        Assert.Equal(0, Run(TextWriter.Null, arguments).Code);

        Assert.Equal(File.ReadAllBytes(At("first.tflite")), File.ReadAllBytes(At("second.tflite")));
        Assert.Equal(File.ReadAllText(recipe), File.ReadAllText(At("second.tflite.recipe.yaml")));
    }

    [Fact]
    public void A_budget_that_is_missed_writes_the_report_but_no_model()
    {
        (int code, string output) = Optimize(TextWriter.Null, "out", ["--max-size", "1k", "--report", At("report"), "--json"]);

        Assert.Equal(ExitCode.BudgetNotMet, code);
        JsonElement document = JsonDocument.Parse(output).RootElement;
        Assert.False(document.GetProperty("written").GetBoolean());
        Assert.Equal("OPTC3003", document.GetProperty("errors")[0].GetProperty("id").GetString());
        Assert.False(File.Exists(At("out.tflite")) || File.Exists(At("out.tflite.recipe.yaml")));
        Assert.True(File.Exists(Path.Combine(At("report"), "report.html")));
        Assert.True(Directory.Exists(At("out.tflite.work")));

        // What was trained is not lost on a run with another budget.
        using StringWriter error = new() { NewLine = "\n" };
        Assert.Equal(0, Optimize(error, "out", ["--max-size", "1M"]).Code);
        Assert.Equal(3, error.ToString().Split('\n').Count(l => l.EndsWith("done before", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_others_have_put_into_the_work_folder_stays()
    {
        Directory.CreateDirectory(At("out.tflite.work"));
        File.WriteAllText(Path.Combine(At("out.tflite.work"), "notes.txt"), "mine");

        Assert.Equal(0, Optimize(TextWriter.Null, "out").Code);

        Assert.Equal(["notes.txt"], Directory.GetFiles(At("out.tflite.work")).Select(Path.GetFileName));
    }

    [Fact]
    public void Json_says_what_the_files_say()
    {
        (int code, string output) = Optimize(TextWriter.Null, "out", ["--test", At("samples.npz"), "--report", At("report"), "--json", "--quiet"]);

        Assert.Equal(0, code);
        JsonElement document = JsonDocument.Parse(output).RootElement;
        JsonElement report = JsonDocument.Parse(File.ReadAllText(Path.Combine(At("report"), "report.json"))).RootElement;
        Assert.Equal(new FileInfo(At("out.tflite")).Length, document.GetProperty("bytes").GetInt64());
        Assert.Equal(report.GetProperty("stages").GetArrayLength(), document.GetProperty("stages").GetArrayLength());
        Assert.Equal(4, document.GetProperty("stages").GetArrayLength());
        Assert.All(document.GetProperty("invariants").EnumerateArray(), i => Assert.True(i.GetProperty("holds").GetBoolean()));
        Assert.NotEqual(0, document.GetProperty("invariants").GetArrayLength());
        (_, string eval) = Run(TextWriter.Null, ["eval", At("out.tflite"), "--data", At("samples.npz"), "--json"]);
        Assert.Equal(JsonDocument.Parse(eval).RootElement.GetProperty("accuracy").GetDouble(), document.GetProperty("scoreAfter").GetDouble());
        Assert.Equal(
            100 * (document.GetProperty("scoreBefore").GetDouble() - document.GetProperty("scoreAfter").GetDouble()),
            document.GetProperty("dropPoints").GetDouble());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (int Code, string Output) Optimize(TextWriter error, string name, string[]? more = null, CancellationToken cancellation = default) => Run(
        error,
        [
            "optimize", At("float.tflite"), "-o", At($"{name}.tflite"), "--recipe", "pcqat-staged", "--data", At("samples.npz"), "--epochs", "2",
            "--seed", "3", "--threads", "1", .. more ?? [],
        ],
        cancellation);

    private static (int Code, string Output) Run(TextWriter error, string[] arguments, CancellationToken cancellation = default)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using Terminal terminal = new(output, error);
        return (EntryPoint.Run(arguments, terminal, cancellation), output.ToString());
    }

    private string At(string name) => Path.Combine(_folder, name);
}
