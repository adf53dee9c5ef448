using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Golden.Cli;

/// <summary>Runs every transcript under <c>golden</c> in a fresh folder and compares what is printed.</summary>
[Collection(CurrentFolder.Name)]
public sealed class TranscriptTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-transcript-").FullName;

    public static TheoryData<string> All()
    {
        TheoryData<string> transcripts = [];
        foreach (string kind in (ReadOnlySpan<string>)["cli", "errors"])
        {
            foreach (string file in Directory.EnumerateFiles(Path.Combine(GoldenFile.Root, "golden", kind), "*.txt").Order(StringComparer.Ordinal))
            {
                transcripts.Add($"golden/{kind}/{Path.GetFileName(file)}");
            }
        }

        return transcripts;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Prints_what_the_transcript_says(string path)
    {
        SampleFolder.Fill(_folder);
        string transcript = File.ReadAllText(Path.Combine(GoldenFile.Root, path)).ReplaceLineEndings("\n");

        string replayed = Transcript.Replay(transcript, _folder);

        GoldenFile.At(path).ShouldMatch(replayed);
    }

    [Fact]
    public void Says_when_a_golden_line_differs()
    {
        SampleFolder.Fill(_folder);

        string replayed = Transcript.Replay("$ optc --version\noptc 99.0\n= 0\n", _folder);

        Assert.DoesNotContain("99.0", replayed, StringComparison.Ordinal);
        Assert.EndsWith("= 0\n", replayed, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>Tests that change the current folder of the process, which no other test may run beside.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CurrentFolder
{
    public const string Name = "current folder";
}
