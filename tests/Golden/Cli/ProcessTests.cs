using System.Diagnostics;
using System.Text.Json;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Golden.Cli;

/// <summary>What only a process shows: its exit code, its streams, and what it leaves behind when it is ended.</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("optc-process-").FullName;

    public ProcessTests() => SampleFolder.Fill(_folder);

    [Fact]
    public void Results_and_messages_are_separate_streams()
    {
        (int code, string output, string error) = Run("eval", "model.tflite", "--data", "samples.npz", "--json");

        Assert.Equal(0, code);
        Assert.Equal(40, JsonDocument.Parse(output).RootElement.GetProperty("samples").GetInt32());
        Assert.Empty(error);
    }

    [Fact]
    public void A_failure_is_an_exit_code_and_a_document()
    {
        (int code, string output, string error) = Run("inspect", "truncated.tflite", "--json");

        Assert.Equal(3, code);
        Assert.Equal("OPTC1003", JsonDocument.Parse(output).RootElement.GetProperty("errors")[0].GetProperty("id").GetString());
        Assert.StartsWith("error OPTC1003: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_demand_that_is_not_met_keeps_the_result()
    {
        Assert.Equal(0, Run("quantize", "model.tflite", "-o", "int8.tflite", "-c", "samples.npz").Code);
        (int code, string output, _) = Run("compare", "model.tflite", "int8.tflite", "--data", "samples.npz", "--min-sqnr", "90", "--json");

        Assert.Equal(4, code);
        JsonElement document = JsonDocument.Parse(output).RootElement;
        Assert.InRange(document.GetProperty("outputs")[0].GetProperty("sqnr").GetDouble(), 30, 60);
        Assert.Equal("OPTC3002", document.GetProperty("errors")[0].GetProperty("id").GetString());
    }

    [Fact]
    public void Output_is_plain_where_there_is_no_terminal()
    {
        (_, string output, string error) = Run("inspect", "model.tflite");

        Assert.DoesNotContain('\e', output + error);
        Assert.DoesNotContain(output.Split('\n'), line => line.EndsWith(' '));
    }

    [Fact]
    public void An_interrupted_run_says_so_and_leaves_nothing()
    {
        using Process process = Start("demo", "--threads", "1");
        WaitUntilAtWork(process);
        using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);

        Assert.True(process.WaitForExit(Patience));
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("cancelled", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
        Assert.Empty(SampleFolder.Additions(_folder));
    }

    [Fact]
    public void A_killed_run_leaves_no_half_file()
    {
        // A source of about 12 MB, which takes a while to write.
        const int elements = 500_000;
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, elements]));
        Value weights = GraphBuilder.Constant(TensorData.FromFloats([1, elements], new float[elements]), "weights");
        builder.Output(builder.Add(new FullyConnected(), [x, weights, null], "y").Outputs[0]);
        Model.Of(GraphBuilder.Module([builder.Build()])).Save(Path.Combine(_folder, "large.tflite"));
        string output = Path.Combine(_folder, "large.c");
        Assert.Equal(0, Run("convert", "large.tflite", "-o", "large.c").Code);
        long whole = new FileInfo(output).Length;
        File.Delete(output);

        for (int delay = 100; delay < 600; delay += 60)
        {
            using Process process = Start("convert", "large.tflite", "-o", "large.c", "--force");
            Thread.Sleep(delay);
            process.Kill();
            Assert.True(process.WaitForExit(Patience));
            FileInfo left = new(output);
            Assert.True(!left.Exists || left.Length == whole, $"killed after {delay} ms, {left.FullName} has {(left.Exists ? left.Length : 0)} of {whole} bytes");
        }
    }

    [Theory]
    [InlineData("-INT", 130)]
    [InlineData("-KILL", 137)]
    public void An_interrupted_training_goes_on_to_the_same_bytes(string signal, int code)
    {
        Assert.Equal(0, Run("new", "--arch", "mlp", "--input", "8x8x1", "--classes", "2", "-o", "new.tflite").Code);
        string[] training =
        [
            "train", "new.tflite", "--data", "samples.npz", "--validation-part", "0.2", "--epochs", "150", "--batch", "4", "--log", "run.csv", "--threads", "1",
        ];
        Assert.Equal(0, Run([.. training, "-o", "whole.tflite"]).Code);
        File.Delete(Path.Combine(_folder, "run.csv"));
        string checkpoint = Path.Combine(_folder, "resumed.tflite.checkpoint.npz");

        using (Process process = Start([.. training, "-o", "resumed.tflite"]))
        {
            while (!File.Exists(checkpoint))
            {
                Assert.False(process.HasExited, "the run was too short to be interrupted");
                Thread.Sleep(TimeSpan.FromMilliseconds(1));
            }

            using Process kill = Process.Start("kill", [signal, $"{process.Id}"]);
            Assert.True(process.WaitForExit(Patience));
            Assert.Equal(code, process.ExitCode);
        }

        Assert.False(File.Exists(Path.Combine(_folder, "resumed.tflite")));
        (int resumed, _, string error) = Run([.. training, "-o", "resumed.tflite"]);

        Assert.Equal(0, resumed);
        Assert.Contains("going on from 'resumed.tflite.checkpoint.npz'", error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "whole.tflite")), File.ReadAllBytes(Path.Combine(_folder, "resumed.tflite")));
        Assert.Equal(151, File.ReadAllLines(Path.Combine(_folder, "run.csv")).Length);
        Assert.False(File.Exists(checkpoint));
    }

    [Fact]
    public void A_killed_exploration_loses_at_most_the_trial_under_way()
    {
        Assert.Equal(0, Run("new", "--arch", "mlp", "--input", "8x8x1", "--classes", "2", "-o", "new.tflite").Code);
        string[] exploring =
        [
            "explore", "new.tflite", "--data", "samples.npz", "--test", "samples.npz", "--sparsities", "0.5", "--codes", "4", "--epochs", "20", "--max-drop", "100", "--threads", "1",
        ];
        Assert.Equal(0, Run([.. exploring, "--report", "whole"]).Code);
        string trials = Path.Combine(_folder, "cut", "trials");
        using (Process process = Start([.. exploring, "--report", "cut"]))
        {
            while (!Directory.Exists(trials) || Directory.GetFiles(trials, "*.json").Length < 3)
            {
                Assert.False(process.HasExited, "the run was too short to be interrupted");
                Thread.Sleep(TimeSpan.FromMilliseconds(1));
            }

            process.Kill();
            Assert.True(process.WaitForExit(Patience));
        }

        int kept = Directory.GetFiles(trials, "*.json").Length;
        (int code, string output, string error) = Run([.. exploring, "--report", "cut"]);

        Assert.Equal(0, code);
        Assert.Equal(kept, error.Split('\n').Count(line => line.EndsWith("done before", StringComparison.Ordinal)));
        Assert.Equal(Run([.. exploring, "--report", "whole"]).Output.Replace("whole/", "cut/", StringComparison.Ordinal), output);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "whole", "winner.tflite")), File.ReadAllBytes(Path.Combine(_folder, "cut", "winner.tflite")));
    }

    [Fact]
    public void A_folder_without_permission_is_refused()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            // Neither has permissions that this test could take away; a path through a file is refused for everybody.
            (int code, _, string error) = Run("convert", "model.tflite", "-o", "one.npy/out.tflite");
            Assert.Equal(2, code);
            Assert.Contains("OPTC2006", error, StringComparison.Ordinal);
            return;
        }

        string locked = Path.Combine(_folder, "folder");
        File.SetUnixFileMode(locked, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            (int code, _, string error) = Run("convert", "model.tflite", "-o", "folder/out.tflite");
            Assert.Equal(2, code);
            Assert.Contains("OPTC2006", error, StringComparison.Ordinal);
        }
        finally
        {
            File.SetUnixFileMode(locked, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Waits by the time of the processor, of which the start takes a fraction, however busy the machine is.</summary>
    private static void WaitUntilAtWork(Process process)
    {
        while (process.TotalProcessorTime < TimeSpan.FromSeconds(0.6))
        {
            Assert.False(process.HasExited, "the run was too short to be interrupted");
            Thread.Sleep(TimeSpan.FromMilliseconds(10));
            process.Refresh();
        }
    }

    private (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience));
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    private Process Start(params string[] arguments)
    {
        string[] command = [Environment.ProcessPath!, "exec", Path.Combine(AppContext.BaseDirectory, "optc.dll"), .. arguments];

        // Shells make what they start in the background deaf to interrupts, and so all that comes of it.
        command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", .. command] : command;
        ProcessStartInfo start = new(command[0], command[1..])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
