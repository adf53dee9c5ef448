using System.Text.Json.Serialization;

namespace Optc.Optimize.Explore;

/// <summary>What a trial came to.</summary>
/// <param name="Name">Its place in the tree.</param>
/// <param name="Recipe">What was done, as YAML.</param>
/// <param name="FloatScore">Score of the model before its quantization.</param>
/// <param name="Score">Score of the integer model.</param>
/// <param name="CodedBytes">Its integer weights by <see cref="Formats.WeightCoding.WeightCoders.OrderZero"/>.</param>
/// <param name="FileBytes">Of its <c>.tflite</c> file.</param>
/// <param name="GzipBytes">Of that file by gzip.</param>
/// <param name="Sha256">Of that file.</param>
/// <param name="Failure">Why there is no model: training diverged. All numbers are 0 then.</param>
public sealed record TrialResult(
    string Name, string Recipe, double FloatScore, double Score, long CodedBytes, long FileBytes, long GzipBytes, string Sha256, string? Failure = null);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(TrialResult))]
internal sealed partial class TrialJsonContext : JsonSerializerContext;
