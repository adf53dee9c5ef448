using System.Collections.Immutable;
using System.Text.Json;
using Optc.Formats.Npy;
using Optc.Tests.Snapshots;

namespace Optc.Tests.Conformance.Models;

/// <summary>A third-party model with inputs and the outputs that another runtime computed for them.</summary>
internal sealed record ReferenceModel(
    string Name,
    string Path,
    string Kind,
    bool Stateful,
    string ExpectedFrom,
    long? ArenaBytes,
    ImmutableArray<(ImmutableArray<string> Inputs, ImmutableArray<string> Outputs)> Samples)
{
    private static readonly Lazy<ImmutableArray<ReferenceModel>> Manifest = new(ReadManifest);

    /// <summary>Every model of the manifest; none where the folder is missing.</summary>
    public static ImmutableArray<ReferenceModel> All => Manifest.Value;

    private static string Folder => System.IO.Path.Combine(SharedFolder.Path, "models");

    public static ReferenceModel Find(string name) => All.Single(m => m.Name == name);

    public byte[] ReadFile() => File.ReadAllBytes(Path);

    public static NpyArray ReadArray(string relativePath) =>
        NpyFile.Read(File.ReadAllBytes(System.IO.Path.Combine(Folder, relativePath)));

    private static ImmutableArray<ReferenceModel> ReadManifest()
    {
        if (!SharedFolder.Exists)
        {
            return [];
        }

        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(System.IO.Path.Combine(Folder, "manifest.json")));
        return [.. manifest.RootElement.GetProperty("models").EnumerateArray().Select(Read).OrderBy(m => m.Name, StringComparer.Ordinal)];
    }

    private static ReferenceModel Read(JsonElement entry) => new(
        entry.GetProperty("name").GetString()!,
        System.IO.Path.Combine(Folder, entry.GetProperty("file").GetString()!),
        entry.GetProperty("kind").GetString()!,
        entry.GetProperty("stateful").GetBoolean(),
        entry.GetProperty("expected_from").GetString()!,
        entry.GetProperty("tflm").TryGetProperty("arena_used_bytes", out JsonElement arena) ? arena.GetInt64() : null,
        [.. entry.GetProperty("samples").EnumerateArray().Select(s => (Strings(s, "inputs"), Strings(s, "outputs")))]);

    private static ImmutableArray<string> Strings(JsonElement entry, string name) =>
        [.. entry.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];
}
