using System.Text.Json;
using Optc.Files;

namespace Optc.Optimize.Explore;

/// <summary>Results of trials in a folder, a <c>.json</c> file for each, by the hash of what determines them.</summary>
/// <param name="folder">There already.</param>
internal sealed class TrialStore(string folder)
{
    private const int KeyLength = 16;

    /// <summary>A result that was kept; <see langword="null"/> for none, or one that is damaged.</summary>
    public KeptTrial? Find(string key)
    {
        try
        {
            return File.Exists(PathOf(key)) && JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(key)), TrialJsonContext.Default.KeptTrial) is { Trial: not null, Sizes: not null } kept
                ? kept
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps a result, whole or not at all.</summary>
    public void Keep(string key, KeptTrial result) =>
        OutputFiles.Write(PathOf(key), s => JsonSerializer.Serialize(s, result, TrialJsonContext.Default.KeptTrial), overwrite: true);

    private string PathOf(string key) => Path.Combine(folder, $"{key[..KeyLength]}.json");
}
