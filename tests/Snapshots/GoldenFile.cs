using System.Security.Cryptography;
using System.Text;
using Xunit.Sdk;

namespace Optc.Tests.Snapshots;

/// <summary>A file under version control that a test's output must equal, as text or byte for byte.</summary>
/// <remarks>
/// On a difference the new content is written beside it as <c>*.received</c> (ignored by git). It becomes the golden
/// file only by a person running the tests with <c>OPTC_BLESS=1</c>, never on a build server (<c>CI</c> is set there).
/// </remarks>
public sealed class GoldenFile
{
    private const string ReceivedSuffix = ".received";

    private static readonly Lazy<string> RepositoryRoot = new(FindRoot);

    private readonly string _relativePath;
    private readonly string _path;
    private readonly bool _blessing;

    private GoldenFile(string root, string relativePath, bool blessing)
    {
        _relativePath = relativePath;
        _path = Path.Combine(root, relativePath);
        _blessing = blessing;
    }

    /// <summary>The folder that holds <c>Optimizer.sln</c>.</summary>
    public static string Root => RepositoryRoot.Value;

    private static bool Blessing =>
        Environment.GetEnvironmentVariable("OPTC_BLESS") == "1"
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));

    /// <param name="relativePath">Path from the repository root, with forward slashes.</param>
    public static GoldenFile At(string relativePath) => new(Root, relativePath, Blessing);

    /// <summary>A golden file elsewhere, for the tests of this class.</summary>
    public static GoldenFile In(string root, string relativePath, bool blessing) => new(root, relativePath, blessing);

    /// <summary>Compares texts; line ends are those of Unix on both sides.</summary>
    /// <exception cref="XunitException">The texts differ, or the golden file does not exist.</exception>
    public void ShouldMatch(string actual)
    {
        string received = actual.ReplaceLineEndings("\n");
        string? golden = File.Exists(_path) ? File.ReadAllText(_path).ReplaceLineEndings("\n") : null;
        Settle(
            received == golden,
            Encoding.UTF8.GetBytes(received),
            golden is null ? null : () => FirstDifferentLine(golden, received),
            "diff");
    }

    /// <summary>Compares bytes.</summary>
    /// <exception cref="XunitException">The bytes differ, or the golden file does not exist.</exception>
    public void ShouldMatch(ReadOnlySpan<byte> actual)
    {
        byte[] received = actual.ToArray();
        byte[]? golden = File.Exists(_path) ? File.ReadAllBytes(_path) : null;
        Settle(
            golden is not null && actual.SequenceEqual(golden),
            received,
            golden is null ? null : () => FirstDifferentByte(golden, received),
            "cmp");
    }

    private void Settle(bool same, byte[] received, Func<string>? difference, string compareWith)
    {
        if (same)
        {
            File.Delete(_path + ReceivedSuffix);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        if (_blessing)
        {
            File.WriteAllBytes(_path, received);
            File.Delete(_path + ReceivedSuffix);
            return;
        }

        File.WriteAllBytes(_path + ReceivedSuffix, received);
        throw new XunitException(
            $"""
            {_relativePath}: {difference?.Invoke() ?? "no golden file yet"}
            compare:  {compareWith} {_relativePath} {_relativePath}{ReceivedSuffix}
            accept:   ./build.sh bless   (then review the diff and say in the commit why it changed)
            """);
    }

    private static string FirstDifferentLine(string golden, string received)
    {
        string[] expected = golden.Split('\n');
        string[] actual = received.Split('\n');
        int line = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"""
            differs at line {line + 1}
              golden:   {expected.ElementAtOrDefault(line) ?? "(end of file)"}
              received: {actual.ElementAtOrDefault(line) ?? "(end of file)"}
            """;
    }

    private static string FirstDifferentByte(byte[] golden, byte[] received)
    {
        int at = golden.AsSpan().CommonPrefixLength(received);
        return $"""
            differs at byte {at} (0x{at:x})
              golden:   {Describe(golden, at)}
              received: {Describe(received, at)}
            """;
    }

    private static string Describe(byte[] content, int at)
    {
        string there = at < content.Length ? $"0x{content[at]:x2}" : "(end of file)";
        return $"{there} of {content.Length} bytes, sha256 {Convert.ToHexStringLower(SHA256.HashData(content))}";
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Optimizer.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("Optimizer.sln is in no parent folder of the test.");
    }
}
