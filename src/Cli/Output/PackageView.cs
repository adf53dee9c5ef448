using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Backends.EthosU;
using Optc.Cli.CommandLine;
using Optc.Formats.EthosU;

namespace Optc.Cli.Output;

/// <summary>What was packed, as a table and as JSON.</summary>
internal sealed class PackageView(string input, ImmutableArray<string> outputs, EthosUPackage package)
{
    private const int Digits = 4;

    private long Weights => package.Layers.Sum(l => (long)l.SourceWeights);

    private long Stream => package.Layers.Sum(l => l.StreamBytes);

    private long Scales => package.Layers.Sum(l => l.ScaleBytes);

    public void Print(Terminal terminal)
    {
        terminal.WriteJson(Write);
        Grid table = new("layer", "operator", ">weights", ">padding", ">block", ">stream", ">bits/weight", ">scales", ">offset");
        foreach (PackedLayer layer in package.Layers)
        {
            table.Add(
                layer.Name,
                layer.Operator,
                Text(layer.SourceWeights),
                Text(layer.ReorderedWeights - layer.SourceWeights),
                Text(layer.Layout.BlockDepth),
                Text(layer.StreamBytes),
                layer.BitsPerWeight.ToString("0.00", CultureInfo.InvariantCulture),
                Text(layer.ScaleBytes),
                Text(layer.Offset));
        }

        table.PrintTo(terminal);
        string codec = package.Codec is WeightCodecMode.Smallest ? "smallest" : "compatible";
        List<string> lines =
        [
            "",
            $"wrote    {string.Join(", ", outputs)}",
            $"packed   {ByteSize.Show(package.Blob.Length)} for {package.Accelerator.Name}, sha256 {package.BlobHash}",
            string.Create(CultureInfo.InvariantCulture, $"stream   {ByteSize.Show(Stream)}, {8.0 * Stream / Weights:0.000} bits for each of {Weights} weights, {codec}"),
            $"scales   {ByteSize.Show(Scales)}",
        ];
        lines.AddRange(package.LeftOut.Select(l => $"left out {l.Operator} '{l.Name}': {l.Reason}"));
        terminal.WriteText(string.Join("\n", lines) + "\n");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("input", input);
        writer.WriteStartArray("outputs");
        foreach (string output in outputs)
        {
            writer.WriteStringValue(output);
        }

        writer.WriteEndArray();
        writer.WriteNumber("weights", Weights);
        writer.WriteNumber("streamBytes", Stream);
        writer.WriteNumber("scaleBytes", Scales);
        writer.WriteNumber("bitsPerWeight", Math.Round(8.0 * Stream / Weights, Digits));
        writer.WritePropertyName("manifest");
        using JsonDocument manifest = JsonDocument.Parse(package.WriteManifest());
        manifest.RootElement.WriteTo(writer);
        writer.WriteEndObject();
    }
}
