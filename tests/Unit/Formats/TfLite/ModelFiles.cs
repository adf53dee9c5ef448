using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>The third-party models, by path relative to the shared folder.</summary>
public static class ModelFiles
{
    private static readonly string[] Folders = ["models", Path.Combine("data", "models-tflite")];

    public static TheoryData<string> All => [.. Names()];

    public static IEnumerable<string> Names() => Folders
        .SelectMany(folder => Directory.EnumerateFiles(
            Path.Combine(SharedFolder.Path, folder), "*.tflite", SearchOption.AllDirectories))
        .Select(file => Path.GetRelativePath(SharedFolder.Path, file))
        .Order(StringComparer.Ordinal);

    public static byte[] Load(string name) => File.ReadAllBytes(Path.Combine(SharedFolder.Path, name));
}
