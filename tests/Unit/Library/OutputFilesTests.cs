using Optc.Files;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class OutputFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-files-").FullName;

    [Fact]
    public void All_files_are_written()
    {
        OutputFiles.Write([(At("a"), s => s.Write([1])), (At("b"), s => s.Write([2, 3]))]);

        Assert.Equal([1], File.ReadAllBytes(At("a")));
        Assert.Equal([2, 3], File.ReadAllBytes(At("b")));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
    }

    [Fact]
    public void When_content_fails_nothing_is_left()
    {
        Assert.Throws<InvalidOperationException>(() => OutputFiles.Write(
            [(At("a"), s => s.Write([1])), (At("b"), s => { s.Write([2]); throw new InvalidOperationException(); })]));

        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Every_file_that_exists_is_named_and_none_is_touched()
    {
        File.WriteAllBytes(At("a"), [9]);
        File.WriteAllBytes(At("c"), [8]);

        DiagnosticException refusal = Assert.Throws<DiagnosticException>(() => OutputFiles.Write(
            [(At("a"), s => s.Write([1])), (At("b"), s => s.Write([2])), (At("c"), s => s.Write([3]))]));

        Assert.Equal([At("a"), At("c")], refusal.Diagnostics.Select(d => d.At[0]));
        Assert.False(File.Exists(At("b")));
        Assert.Equal([9], File.ReadAllBytes(At("a")));
    }

    [Fact]
    public void A_missing_folder_and_a_folder_as_target_are_diagnostics()
    {
        Assert.Equal(DiagnosticId.OutputNotWritable, Refusal(Path.Combine(_folder, "no", "a")));
        Assert.Equal(DiagnosticId.OutputNotWritable, Refusal(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static DiagnosticId Refusal(string path) =>
        Assert.Single(Assert.Throws<DiagnosticException>(() => OutputFiles.Write(path, s => s.Write([1]), overwrite: true)).Diagnostics).Id;

    private string At(string name) => Path.Combine(_folder, name);
}
