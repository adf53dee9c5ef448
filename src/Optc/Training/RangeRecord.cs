using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Training;

/// <summary>Keeps the ranges that quantization-aware training found in the metadata of a model, so that its quantization needs no data.</summary>
/// <remarks>Entry <c>optc.ranges</c>, JSON: the bits of activations and <c>"NAME": [low, high]</c> in real units.</remarks>
internal static class RangeRecord
{
    private const string Entry = "optc.ranges";

    /// <summary>A module with these ranges in place of others; without the entry when there are none.</summary>
    /// <param name="type">i8 or i16.</param>
    public static Module Attach(Module module, DType type, IReadOnlyDictionary<string, ValueRange> ranges)
    {
        IEnumerable<(string, ReadOnlyMemory<byte>)> others = module.Metadata.Where(m => m.Name != Entry);
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{{\"bits\": {type.BitWidth}, \"ranges\": {{");
        string separator = "";
        foreach ((string name, ValueRange range) in ranges.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{separator}\"{JsonEncodedText.Encode(name)}\": [{range.Low:R}, {range.High:R}]");
            separator = ", ";
        }

        text.Append("}}");
        return GraphBuilder.Module(
            module.Graphs,
            module.Signatures,
            ranges.Count == 0 ? [.. others] : [.. others, (Entry, Encoding.UTF8.GetBytes(text.ToString()))],
            module.Description,
            module.Foreign);
    }

    /// <summary>A module without the entry.</summary>
    public static Module Without(Module module) =>
        module.Metadata.Any(m => m.Name == Entry) ? Attach(module, DType.I8, ImmutableDictionary<string, ValueRange>.Empty) : module;

    /// <summary>The ranges that a module carries for activations of a type.</summary>
    /// <exception cref="DiagnosticException">The entry is damaged.</exception>
    public static ImmutableDictionary<string, ValueRange> Read(Module module, DType type)
    {
        ReadOnlyMemory<byte> content = module.Metadata.FirstOrDefault(m => m.Name == Entry).Content;
        if (content.IsEmpty)
        {
            return [];
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            return document.RootElement.GetProperty("bits").GetInt32() != type.BitWidth
                ? []
                : document.RootElement.GetProperty("ranges").EnumerateObject().ToImmutableDictionary(
                    r => r.Name,
                    r => new ValueRange(r.Value[0].GetDouble(), r.Value[1].GetDouble()));
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException or ArgumentException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the trained ranges are damaged")
            {
                At = [$"metadata '{Entry}'"],
                Found = damage.Message,
            });
        }
    }
}
