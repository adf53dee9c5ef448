using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Xunit;

namespace Optc.Tests.Golden.Cli;

/// <summary>What a transcript of <c>optc demo</c> cannot show: a run that is cut off, one on another's files, and JSON.</summary>
public sealed class DemoCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-demo-").FullName;

    private string Demo => Path.Combine(_folder, "demo");

    [Fact]
    public void Json_says_what_the_files_say_and_a_second_run_touches_none()
    {
        (int code, string output) = Run(TextWriter.Null, "--json", "--threads", "1");
        JsonElement document = JsonDocument.Parse(output).RootElement;
        JsonElement[] files = [.. document.GetProperty("files").EnumerateArray()];
        JsonElement report = JsonDocument.Parse(File.ReadAllText(Path.Combine(Demo, "report.json"))).RootElement;
        string[] keys = ["trainSamples", "testSamples", "weights", "dropPoints", "stages", "invariantsHold", "invariants", "verdict", "files", "report"];
        Dictionary<string, DateTime> times = Directory.GetFiles(Demo).ToDictionary(f => f, File.GetLastWriteTimeUtc);

        Assert.Equal(0, code);
        Assert.Equal(keys, document.EnumerateObject().Select(p => p.Name));
        Assert.Equal(times.Keys.Order(StringComparer.Ordinal), files.Select(f => f.GetProperty("file").GetString()!).Order(StringComparer.Ordinal));
        Assert.All(files, f => Assert.Equal(new FileInfo(f.GetProperty("file").GetString()!).Length, f.GetProperty("bytes").GetInt64()));
        Assert.Equal(Path.Combine(Demo, "report.html"), document.GetProperty("report").GetString());
        Assert.Equal(report.GetProperty("verdict").GetString(), document.GetProperty("verdict").GetString());
        Assert.Equal(
            report.GetProperty("stages").EnumerateArray().Select(s => (s.GetProperty("name").GetString(), s.GetProperty("int8Score").GetDouble())),
            document.GetProperty("stages").EnumerateArray().Select(s => (s.GetProperty("stage").GetString(), s.GetProperty("int8Score").GetDouble())));

        (int again, string same) = Run(TextWriter.Null, "--json", "--threads", "2");

        Assert.Equal((0, output), (again, same));
        Assert.Equal(times, Directory.GetFiles(Demo).ToDictionary(f => f, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void A_run_that_is_cancelled_leaves_nothing()
    {
        using CancellationTokenSource cancel = new();
        using LineListener error = new("3 of 5", cancel);

        (int code, string output) = Run(error, cancel.Token);

        Assert.Equal((ExitCode.Cancelled, ""), (code, output));
        Assert.EndsWith("cancelled\n", error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Demo));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"reproduction\": null}")]
    [InlineData("{\"reproduction\": {\"version\": \"of another time\", \"command\": \"optc demo --quick\"}}")]
    public void Files_that_are_not_of_the_same_demo_are_refused_before_the_work(string? report)
    {
        Directory.CreateDirectory(Demo);
        File.WriteAllText(Path.Combine(Demo, "sounds.tflite"), "mine");
        if (report is not null)
        {
            File.WriteAllText(Path.Combine(Demo, "report.json"), report);
        }

        using StringWriter error = new() { NewLine = "\n" };
        (int code, _) = Run(error);

        Assert.Equal(ExitCode.Usage, code);
        Assert.StartsWith("error OPTC2002: the output exists\n", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("sounds.tflite", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Demo, "sounds.tflite")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (int Code, string Output) Run(TextWriter error, params string[] more) => Run(error, CancellationToken.None, more);

    private (int Code, string Output) Run(TextWriter error, CancellationToken cancellation, params string[] more)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using Terminal terminal = new(output, error);
        return (EntryPoint.Run(["demo", "--quick", "--out-dir", Demo, .. more], terminal, cancellation), output.ToString());
    }
}
