using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Optc.Backends.TfLite;
using Optc.Files;
using Optc.Ir;
using Optc.Training;

namespace Optc.Optimize;

/// <summary>A model that a stage made, and what is to be told of it.</summary>
/// <param name="Mode">What the stage resolved to.</param>
/// <param name="Reason">Why.</param>
/// <param name="Joint">Whether zeros, shared values and grids came about in one run.</param>
/// <param name="Skipped">Layers that it left alone.</param>
/// <param name="History">Its epochs.</param>
/// <param name="Sha256">Of the file of the model.</param>
internal sealed record FinishedStage(
    CompressionMode Mode,
    string Reason,
    bool Joint,
    ImmutableArray<SkippedLayer> Skipped,
    ImmutableArray<EpochRecord> History,
    string Sha256);

/// <summary>Finished stages by the hash of what determines them, in a folder, or in memory only.</summary>
/// <remarks>
/// For each stage <c>KEY.tflite</c> and <c>KEY.json</c>, the second one written last: a stage without it, or whose model has another hash, has
/// not been finished. Several runs of one process may share a store; a stage that one is at work on is waited for by the others.
/// </remarks>
internal sealed class StageStore
{
    private const int KeyLength = 16;

    private readonly string? _folder;
    private readonly ConcurrentDictionary<string, Lock> _locks = [];
    private readonly ConcurrentDictionary<string, (Model Model, FinishedStage Facts)> _memory = [];

    /// <param name="folder">Made if it is missing; <see langword="null"/> keeps stages in memory only.</param>
    /// <exception cref="DiagnosticException">The folder cannot be made.</exception>
    public StageStore(string? folder)
    {
        _folder = folder;
        try
        {
            if (folder is not null)
            {
                Directory.CreateDirectory(folder);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the work folder cannot be made") { At = [folder!], Found = problem.Message });
        }
    }

    /// <summary>Where training of a stage keeps its checkpoint; <see langword="null"/> without a folder.</summary>
    public string? CheckpointOf(string key) => _folder is null ? null : PathOf(key, ".checkpoint.npz");

    /// <summary>The stage of a key, from the store or made now.</summary>
    /// <param name="key">Hash of what determines the stage.</param>
    /// <param name="name">Name of its model.</param>
    /// <param name="make">Makes the module; the hash of its file is filled in here.</param>
    /// <returns>Whether it had been finished before; the model is always the one that the file gives back.</returns>
    public (Model Model, FinishedStage Facts, bool Found) Obtain(string key, string name, Func<(Model Model, FinishedStage Facts)> make)
    {
        lock (_locks.GetOrAdd(key, _ => new()))
        {
            if (_memory.TryGetValue(key, out (Model Model, FinishedStage Facts) known))
            {
                return (known.Model, known.Facts, true);
            }

            if (Find(key, name) is { } stored)
            {
                _memory[key] = stored;
                return (stored.Model, stored.Facts, true);
            }

            (Model made, FinishedStage facts) = make();
            byte[] file = made.ToTfLite(TfLiteWriteOptions.WithAllNames);
            facts = facts with { Sha256 = Fingerprint.Of(file) };
            if (_folder is not null)
            {
                OutputFiles.Write(PathOf(key, ".tflite"), s => s.Write(file), overwrite: true);
                OutputFiles.Write(PathOf(key, ".json"), s => JsonSerializer.Serialize(s, facts, StageJsonContext.Default.FinishedStage), overwrite: true);
                File.Delete(CheckpointOf(key)!);
            }

            Model model = Model.Read(file, name);
            _memory[key] = (model, facts);
            return (model, facts, false);
        }
    }

    private (Model Model, FinishedStage Facts)? Find(string key, string name)
    {
        if (_folder is null || !File.Exists(PathOf(key, ".json")) || !File.Exists(PathOf(key, ".tflite")))
        {
            return null;
        }

        byte[] file = File.ReadAllBytes(PathOf(key, ".tflite"));
        try
        {
            FinishedStage? facts = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(key, ".json")), StageJsonContext.Default.FinishedStage);
            return facts is null || facts.Sha256 != Fingerprint.Of(file) ? null : (Model.Read(file, name), facts);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string PathOf(string key, string extension) => Path.Combine(_folder!, key[..KeyLength] + extension);
}

[JsonSourceGenerationOptions(
    WriteIndented = false,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(FinishedStage))]
internal sealed partial class StageJsonContext : JsonSerializerContext;
