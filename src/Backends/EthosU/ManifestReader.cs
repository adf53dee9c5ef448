using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using Optc.Formats;
using Optc.Formats.EthosU;

namespace Optc.Backends.EthosU;

/// <summary>Reads a package, decodes all of it, and compares what its manifest says with what it would say of the blob.</summary>
internal static class ManifestReader
{
    private const int LongestQuote = 60;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="MalformedDataException">The two are damaged, or do not belong together.</exception>
    public static EthosUPackage Read(ReadOnlyMemory<byte> manifest, ReadOnlyMemory<byte> blob)
    {
        JsonDocument document;
        try
        {
            document = Utf8.IsValid(manifest.Span) ? JsonDocument.Parse(manifest, Strict) : throw Wrong("manifest", "bytes that are no text", "JSON in UTF-8");
        }
        catch (JsonException problem)
        {
            throw new MalformedDataException(-1, $"manifest, line {(problem.LineNumber ?? 0) + 1}", "text that is no JSON", "an object", problem);
        }

        using (document)
        {
            JsonElement root = document.RootElement;
            RequireText(root, "manifest");
            string format = Text(root, "format", "manifest");
            if (format != ManifestWriter.Format)
            {
                throw Wrong("manifest > format", Quote(format), ManifestWriter.Format);
            }

            string hash = Text(root, "blobSha256", "manifest");
            string actual = Convert.ToHexStringLower(SHA256.HashData(blob.Span));
            if (hash != actual)
            {
                throw Wrong("manifest > blobSha256", Quote(hash), $"{actual}, that of the blob of {blob.Length} bytes");
            }

            Accelerator accelerator = Accelerator.Find(Text(root, "accelerator", "manifest"))
                ?? throw Wrong("manifest > accelerator", Quote(Text(root, "accelerator", "manifest")), string.Join(", ", Accelerator.All.Select(a => a.Name)));
            WeightCodecMode codec = Choice<WeightCodecMode>(root, "codec", "manifest", ManifestWriter.NameOf);
            List<PackedLayer> layers = [];
            int end = 0;
            foreach (JsonElement element in List(root, "layers", "manifest"))
            {
                string place = $"manifest > layers[{layers.Count}]";
                PackedLayer layer = ReadLayer(element, place, accelerator, blob.Span);
                if (layer.Offset != end)
                {
                    throw Wrong($"{place} > offset", $"{layer.Offset}", $"{end}, the end of the layer before");
                }

                end = layer.Ranges[^1].End;
                layers.Add(layer);
            }

            if (end != blob.Length || layers.Count == 0)
            {
                throw Wrong("manifest > layers", $"{layers.Count} layers in {end} bytes", $"layers that fill the {blob.Length} bytes of the blob");
            }

            ImmutableArray<LayerLeftOut> leftOut =
            [
                .. List(root, "leftOut", "manifest").Select((l, i) => new LayerLeftOut(
                    Text(l, "name", $"manifest > leftOut[{i}]"), Text(l, "operator", $"manifest > leftOut[{i}]"), Text(l, "reason", $"manifest > leftOut[{i}]"))),
            ];
            EthosUPackage package = new(Text(root, "model", "manifest"), accelerator, codec, [.. layers], leftOut, blob);
            using JsonDocument expected = JsonDocument.Parse(package.WriteManifest());
            RequireEqual(root, expected.RootElement, "manifest");
            return package;
        }
    }

    private static PackedLayer ReadLayer(JsonElement element, string place, Accelerator accelerator, ReadOnlySpan<byte> blob)
    {
        int[] shape = Numbers(element, "shapeOhwi", place, 4);
        int[] dilation = Numbers(element, "dilation", place, 2);
        int[] offsets = Numbers(element, "depthOffsets", place);
        int inputBits = Number(element, "inputBits", place);
        TensorLayout layout = new()
        {
            Accelerator = accelerator,
            Shape = new(shape[0], shape[1], shape[2], shape[3]),
            Traversal = Choice<WeightTraversal>(element, "traversal", place, ManifestWriter.NameOf),
            InputBits = inputBits,
            DilationHeight = dilation[0],
            DilationWidth = dilation[1],
            BlockDepth = Number(element, "blockDepth", place),
            DepthOffsets = [.. offsets],
        };
        if (layout.Problem() is { } problem)
        {
            throw Wrong(place, problem.Found, problem.Expected);
        }

        ImmutableArray<WeightRange> ranges =
        [
            .. List(element, "ranges", place).Select((r, i) => new WeightRange(
                Number(r, "slice", $"{place} > ranges[{i}]"),
                Number(r, "core", $"{place} > ranges[{i}]"),
                Number(r, "offset", $"{place} > ranges[{i}]"),
                Number(r, "scaleBytes", $"{place} > ranges[{i}]"),
                Number(r, "weightOffset", $"{place} > ranges[{i}]"),
                Number(r, "weightBytes", $"{place} > ranges[{i}]"))),
        ];
        string hash;
        try
        {
            (short[] weights, ImmutableArray<ScaleEntry> entries) = PackedTensor.Read(layout, blob, ranges.AsSpan());
            hash = PackedLayer.Hash(weights, entries);
        }
        catch (MalformedDataException damage)
        {
            throw new MalformedDataException(damage.Offset, $"{place} > {damage.Path}", damage.Found, damage.Expected, damage);
        }

        return new(Text(element, "name", place), Text(element, "operator", place), layout, ranges, layout.CountReordered(), hash);
    }

    private static T Choice<T>(JsonElement element, string name, string place, Func<T, string> nameOf)
        where T : struct, Enum
    {
        string text = Text(element, name, place);
        foreach (T value in Enum.GetValues<T>())
        {
            if (nameOf(value) == text)
            {
                return value;
            }
        }

        throw Wrong($"{place} > {name}", Quote(text), string.Join(", ", Enum.GetValues<T>().Select(nameOf)));
    }

    private static string Text(JsonElement element, string name, string place) => Property(element, name, place, JsonValueKind.String).GetString()!;

    /// <summary>Refuses escapes of half a character, which are JSON but no text.</summary>
    private static void RequireText(JsonElement element, string place)
    {
        try
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    _ = element.GetString();
                    break;
                case JsonValueKind.Array:
                    foreach (JsonElement item in element.EnumerateArray())
                    {
                        RequireText(item, place);
                    }

                    break;
                case JsonValueKind.Object:
                    foreach (JsonProperty property in element.EnumerateObject())
                    {
                        RequireText(property.Value, $"{place} > {property.Name}");
                    }

                    break;
            }
        }
        catch (InvalidOperationException problem)
        {
            throw new MalformedDataException(-1, place, "an escape that is no character", "text", problem);
        }
    }

    private static int Number(JsonElement element, string name, string place) => AsNumber(Property(element, name, place, JsonValueKind.Number), $"{place} > {name}");

    private static int[] Numbers(JsonElement element, string name, string place, int? count = null)
    {
        int[] numbers = [.. List(element, name, place).Select(n => AsNumber(n, $"{place} > {name}"))];
        return count is null || numbers.Length == count ? numbers : throw Wrong($"{place} > {name}", $"{numbers.Length} numbers", $"{count}");
    }

    private static int AsNumber(JsonElement value, string place) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= 0
        ? number
        : throw Wrong(place, Quote(value.GetRawText()), "a whole number from 0 to 2147483647");

    private static JsonElement.ArrayEnumerator List(JsonElement element, string name, string place) => Property(element, name, place, JsonValueKind.Array).EnumerateArray();

    private static JsonElement Property(JsonElement element, string name, string place, JsonValueKind kind)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(place, Quote(element.GetRawText()), "an object");
        }

        return element.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind
            ? value
            : throw Wrong($"{place} > {name}", value.ValueKind == JsonValueKind.Undefined ? "nothing" : Quote(value.GetRawText()), kind switch
            {
                JsonValueKind.String => "text",
                JsonValueKind.Number => "a number",
                _ => "a list",
            });
    }

    /// <summary>Names the first place where two documents part.</summary>
    private static void RequireEqual(JsonElement found, JsonElement expected, string place)
    {
        if (JsonElement.DeepEquals(found, expected))
        {
            return;
        }

        if (found.ValueKind == JsonValueKind.Object && expected.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in expected.EnumerateObject())
            {
                if (!found.TryGetProperty(property.Name, out JsonElement value))
                {
                    throw Wrong($"{place} > {property.Name}", "nothing", Quote(property.Value.GetRawText()));
                }

                RequireEqual(value, property.Value, $"{place} > {property.Name}");
            }
        }

        if (found.ValueKind == JsonValueKind.Array && expected.ValueKind == JsonValueKind.Array)
        {
            foreach (((JsonElement one, JsonElement other), int i) in found.EnumerateArray().Zip(expected.EnumerateArray()).Select((p, i) => (p, i)))
            {
                RequireEqual(one, other, $"{place}[{i}]");
            }
        }

        throw Wrong(place, Quote(found.GetRawText()), Quote(expected.GetRawText()));
    }

    private static string Quote(string text) => text.Length <= LongestQuote ? text : $"{text[..LongestQuote]}...";

    private static MalformedDataException Wrong(string place, string found, string expected) => new(-1, place, found, expected);
}
