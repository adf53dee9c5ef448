using System.Text.RegularExpressions;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Architecture;

/// <summary>Rules for the files of the repository.</summary>
public sealed partial class SourceTests
{
    private const int LongestFile = 700;

    private static readonly string[] CodeFolders = ["src", "tests", "tools"];

    private static readonly string[] TextFolders = ["src", "tests", "tools", "docs", "golden"];

    // Joined here so that this file does not break the rule it checks.
    private static readonly string[] MachinePaths = ["/ho" + "me/", "/ro" + "ot/", "/wo" + "rk/", "C:" + "\\", "registry.npm" + "js"];

    [Fact]
    public void No_source_file_is_too_long()
    {
        IEnumerable<string> tooLong = Files(["src"], ".cs")
            .Where(file => !file.EndsWith(".g.cs", StringComparison.Ordinal))
            .Where(file => File.ReadLines(file).Count() > LongestFile)
            .Select(Relative);

        Assert.Empty(tooLong);
    }

    /// <summary>Whoever checks a proof must not think with the head of whoever found it.</summary>
    [Fact]
    public void What_verifies_certificates_knows_neither_passes_nor_kernels()
    {
        string[] allowed = ["using System", "using Optc.Data;", "using Optc.Formats;", "using Optc.Formats.TfLite;", "using Optc.Ir;"];
        string[] files = [.. Files([Path.Combine("src", "Optc", "Certificates")], ".cs")];

        Assert.InRange(files.Length, 10, 100);
        Assert.Empty(files.SelectMany(file => File.ReadLines(file)
            .Where(line => line.Contains("Optc.", StringComparison.Ordinal) && !line.StartsWith("namespace Optc.Certificates;", StringComparison.Ordinal))
            .Where(line => !allowed.Any(a => line.StartsWith(a, StringComparison.Ordinal)))
            .Select(line => $"{Relative(file)}: {line}")));
    }

    [Fact]
    public void Nothing_is_named_after_nothing()
    {
        IEnumerable<string> nameless = Files(CodeFolders, ".cs")
            .Select(Relative)
            .Where(file => file.Split('/', '.').SelectMany(part => Word().Matches(part)).Any(word => IsNameless(word.Value)));

        Assert.Empty(nameless);
    }

    [Fact]
    public void No_type_is_named_after_nothing()
    {
        IEnumerable<string> nameless = Files(CodeFolders, ".cs")
            .SelectMany(file => TypeDeclaration().Matches(File.ReadAllText(file)).Select(m => (File: Relative(file), Name: m.Groups[1].Value)))
            .Where(type => Word().Matches(type.Name).Any(word => IsNameless(word.Value)))
            .Select(type => $"{type.File}: {type.Name}");

        Assert.Empty(nameless);
    }

    [Fact]
    public void No_file_knows_the_machine_it_was_written_on()
    {
        IEnumerable<string> strays = Files(TextFolders, ".cs", ".md", ".json", ".mjs", ".csproj", ".case", ".props", ".npmrc")
            .Where(file => File.ReadAllText(file) is var text && MachinePaths.Any(p => text.Contains(p, StringComparison.Ordinal)))
            .Select(Relative);

        Assert.Empty(strays);
    }

    private static bool IsNameless(string word) => word is "Util" or "Utils" or "Utility" or "Helper" or "Helpers" or "Common" or "Misc" or "Manager";

    private static IEnumerable<string> Files(string[] folders, params string[] extensions) => folders
        .Select(folder => Path.Combine(RepositoryFolder.Path, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        .Where(file => extensions.Contains(Path.GetExtension(file)) || extensions.Contains(Path.GetFileName(file)))
        .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    private static string Relative(string file) => Path.GetRelativePath(RepositoryFolder.Path, file).Replace('\\', '/');

    [GeneratedRegex("[A-Z]+[a-z0-9]*")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(?:class|record struct|record|struct|interface|enum) ([A-Z]\w*)")]
    private static partial Regex TypeDeclaration();
}
