using System.Text.Json.Serialization;

namespace Optc.Optimize.Explore;

/// <summary>What a trial came to.</summary>
/// <param name="Name">Its place in the tree.</param>
/// <param name="Recipe">What was done, as YAML.</param>
/// <param name="FloatScore">Score of the model before its quantization.</param>
/// <param name="Score">Score of the integer model.</param>
/// <param name="Coder">Name of the <see cref="SizeMeasure"/> that the exploration chooses by.</param>
/// <param name="CodedBytes">Its size by that measure.</param>
/// <param name="FileBytes">Of its <c>.tflite</c> file.</param>
/// <param name="GzipBytes">Of that file by gzip.</param>
/// <param name="Sha256">Of that file.</param>
/// <param name="Failure">Why there is no model: training diverged. All numbers are 0 then.</param>
public sealed record TrialResult(
    string Name, string Recipe, double FloatScore, double Score, string Coder, long CodedBytes, long FileBytes, long GzipBytes, string Sha256, string? Failure = null);

/// <summary>A trial in the folder of an exploration, with its sizes by all measures that were asked for so far.</summary>
internal sealed record KeptTrial(TrialResult Trial, SortedDictionary<string, long> Sizes)
{
    /// <summary>The result as an exploration that chooses by a measure sees it; <see langword="null"/> if it is not known by that.</summary>
    public TrialResult? By(SizeMeasure measure) => Trial.Failure is not null ? Trial with { Coder = measure.Name }
        : Sizes.TryGetValue(measure.Name, out long bytes) ? Trial with { Coder = measure.Name, CodedBytes = bytes }
        : null;
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(KeptTrial))]
internal sealed partial class TrialJsonContext : JsonSerializerContext;
