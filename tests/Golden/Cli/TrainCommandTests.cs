using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Formats.Npy;
using Xunit;

namespace Optc.Tests.Golden.Cli;

/// <summary>What a transcript of <c>optc train</c> cannot show: runs that are cut off, and numbers to the last digit.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-train-").FullName;

    public TrainCommandTests()
    {
        SampleFolder.Fill(_folder);
        Assert.Equal(0, Run(TextWriter.Null, ["new", "--arch", "mlp", "--input", "8x8x1", "--classes", "2", "-o", At("new.tflite")]).Code);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    public void A_run_that_is_cancelled_goes_on_to_the_same_files(string log)
    {
        Assert.Equal(0, Train(TextWriter.Null, "whole", $"whole.{log}").Code);
        using CancellationTokenSource cancel = new();
        using Listener error = new("epoch 2 ", cancel);

        (int code, string output) = Train(error, "resumed", $"resumed.{log}", [], cancel.Token);

        Assert.Equal((ExitCode.Cancelled, ""), (code, output));
        Assert.Contains($"interrupted; the same command goes on from '{At("resumed.tflite.checkpoint.npz")}'\ncancelled\n", error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(At("resumed.tflite")));
        using StringWriter again = new() { NewLine = "\n" };
        Assert.Equal(0, Train(again, "resumed", $"resumed.{log}").Code);

        Assert.DoesNotContain("epoch 2 ", again.ToString(), StringComparison.Ordinal);
        Assert.Contains("epoch 3 ", again.ToString(), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(At("whole.tflite")), File.ReadAllBytes(At("resumed.tflite")));
        Assert.Equal(File.ReadAllText(At($"whole.{log}")), File.ReadAllText(At($"resumed.{log}")));
        Assert.False(File.Exists(At("resumed.tflite.checkpoint.npz")));
    }

    [Fact]
    public void A_checkpoint_of_other_options_is_refused_and_kept()
    {
        using CancellationTokenSource cancel = new();
        using Listener error = new("epoch 1 ", cancel);
        Assert.Equal(ExitCode.Cancelled, Train(error, "out", "run.csv", [], cancel.Token).Code);
        byte[] checkpoint = File.ReadAllBytes(At("out.tflite.checkpoint.npz"));
        using StringWriter message = new();

        (int code, _) = Train(message, "out", "run.csv", ["--batch", "4"]);

        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("the checkpoint belongs to another run", message.ToString(), StringComparison.Ordinal);
        Assert.Equal(checkpoint, File.ReadAllBytes(At("out.tflite.checkpoint.npz")));
        Assert.False(File.Exists(At("out.tflite")));
    }

    [Fact]
    public void A_run_that_diverges_replaces_nothing()
    {
        byte[] old = [1, 2, 3];
        File.WriteAllBytes(At("out.tflite"), old);
        using StringWriter message = new();

        (int code, _) = Train(message, "out", "run.csv", ["--optimizer", "sgd", "--rate", "1e9", "--batch", "4", "--force"]);

        Assert.Equal(ExitCode.UnusableInput, code);
        Assert.Matches("the loss became (NaN|infinite) at step [0-9]+", message.ToString());
        Assert.Contains("layer 'h", message.ToString(), StringComparison.Ordinal);
        Assert.Equal(old, File.ReadAllBytes(At("out.tflite")));
    }

    [Fact]
    public void Json_and_log_say_the_same()
    {
        (int code, string output) = Train(TextWriter.Null, "out", "run.json", ["--json", "--quiet"]);

        Assert.Equal(0, code);
        JsonElement document = JsonDocument.Parse(output).RootElement;
        JsonElement log = JsonDocument.Parse(File.ReadAllText(At("run.json"))).RootElement;
        Assert.True(JsonElement.DeepEquals(log, document.GetProperty("history")));
        Assert.Equal(4, log.GetArrayLength());
        JsonElement best = log[document.GetProperty("bestEpoch").GetInt32() - 1];
        Assert.True(best.GetProperty("best").GetBoolean());
        Assert.Equal(best.GetProperty("accuracy").GetDouble(), document.GetProperty("score").GetDouble());
        Assert.Equal(new FileInfo(At("out.tflite")).Length, document.GetProperty("bytes").GetInt64());
        Assert.Equal(At("run.json"), document.GetProperty("log").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false, "--normalize", "bytes")]
    [InlineData(false, "--relative-rates")]
    public void Raw_inputs_bring_a_hint(bool expected, params string[] options)
    {
        byte[] pixels = new byte[20 * 64];
        new Random(1).NextBytes(pixels);
        File.WriteAllBytes(At("raw.npz"), NpzFile.Write(
            NpzCompression.Stored,
            ("x", NpyArray.Of<byte>(pixels, 20, 8, 8, 1)),
            ("y", NpyArray.Of<int>([.. Enumerable.Range(0, 20).Select(i => i % 2)], 20))));
        using StringWriter error = new();

        (int code, _) = Run(error, ["train", At("new.tflite"), "-o", At("out.tflite"), "--data", At("raw.npz"), "--epochs", "1", .. options]);

        Assert.Equal(0, code);
        Assert.Equal(expected, error.ToString().Contains("inputs reach 255", StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (int Code, string Output) Train(TextWriter error, string name, string log, string[]? more = null, CancellationToken cancellation = default) => Run(
        error,
        [
            "train", At("new.tflite"), "-o", At($"{name}.tflite"), "--data", At("samples.npz"), "--validation-part", "0.2", "--epochs", "4",
            "--augment", "noise:0.1", "--average", "0.9", "--log", At(log), "--threads", "1", .. more ?? [],
        ],
        cancellation);

    private static (int Code, string Output) Run(TextWriter error, string[] arguments, CancellationToken cancellation = default)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using Terminal terminal = new(output, error);
        return (EntryPoint.Run(arguments, terminal, cancellation), output.ToString());
    }

    private string At(string name) => Path.Combine(_folder, name);

    /// <summary>Cancels when a line begins with certain words.</summary>
    private sealed class Listener : StringWriter
    {
        private readonly string _words;
        private readonly CancellationTokenSource _cancel;

        public Listener(string words, CancellationTokenSource cancel) => (_words, _cancel, NewLine) = (words, cancel, "\n");

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(_words, StringComparison.Ordinal) == true)
            {
                _cancel.Cancel();
            }
        }
    }
}
