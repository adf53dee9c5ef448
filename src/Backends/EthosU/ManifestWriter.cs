using System.Text.Json;
using Optc.Formats.EthosU;

namespace Optc.Backends.EthosU;

/// <summary>Writes the manifest of a package. The same package gives the same bytes.</summary>
internal static class ManifestWriter
{
    /// <summary>What the first field says.</summary>
    public const string Format = "optc-ethos-u-1";

    private const int Digits = 4;

    private static readonly JsonWriterOptions Style = new() { Indented = true, NewLine = "\n" };

    public static byte[] Write(EthosUPackage package)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, Style))
        {
            writer.WriteStartObject();
            writer.WriteString("format", Format);
            writer.WriteString("model", package.Model);
            writer.WriteString("accelerator", package.Accelerator.Name);
            writer.WriteNumber("cores", package.Accelerator.Cores);
            writer.WriteString("codec", NameOf(package.Codec));
            writer.WriteNumber("blobBytes", package.Blob.Length);
            writer.WriteString("blobSha256", package.BlobHash);
            writer.WriteNumber("weights", package.Layers.Sum(l => (long)l.SourceWeights));
            writer.WriteNumber("streamBytes", package.Layers.Sum(l => l.StreamBytes));
            writer.WriteNumber("scaleBytes", package.Layers.Sum(l => l.ScaleBytes));
            writer.WriteStartArray("layers");
            foreach (PackedLayer layer in package.Layers)
            {
                Write(writer, layer);
            }

            writer.WriteEndArray();
            writer.WriteStartArray("leftOut");
            foreach (LayerLeftOut layer in package.LeftOut)
            {
                writer.WriteStartObject();
                writer.WriteString("name", layer.Name);
                writer.WriteString("operator", layer.Operator);
                writer.WriteString("reason", layer.Reason);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    public static string NameOf(WeightCodecMode mode) => mode is WeightCodecMode.Smallest ? "smallest" : "compatible";

    public static string NameOf(WeightTraversal traversal) => traversal switch
    {
        WeightTraversal.DepthFirst => "depth-first",
        WeightTraversal.PartKernelFirst => "part-kernel-first",
        _ => "depthwise",
    };

    private static void Write(Utf8JsonWriter writer, PackedLayer layer)
    {
        (TensorLayout layout, WeightShape shape) = (layer.Layout, layer.Layout.Shape);
        writer.WriteStartObject();
        writer.WriteString("name", layer.Name);
        writer.WriteString("operator", layer.Operator);
        Write(writer, "shapeOhwi", shape.OutputChannels, shape.KernelHeight, shape.KernelWidth, shape.InputChannels);
        writer.WriteString("traversal", NameOf(layout.Traversal));
        writer.WriteNumber("inputBits", layout.InputBits);
        Write(writer, "dilation", layout.DilationHeight, layout.DilationWidth);
        writer.WriteNumber("blockDepth", layout.BlockDepth);
        Write(writer, "depthOffsets", layout.DepthOffsets.AsSpan());
        writer.WriteNumber("weights", layer.SourceWeights);
        writer.WriteString("contentSha256", layer.ContentHash);
        writer.WriteNumber("paddedWeights", layer.ReorderedWeights);
        writer.WriteNumber("padding", layer.ReorderedWeights - layer.SourceWeights);
        writer.WriteNumber("offset", layer.Offset);
        writer.WriteNumber("bytes", layer.Length);
        writer.WriteNumber("streamBytes", layer.StreamBytes);
        writer.WriteNumber("scaleBytes", layer.ScaleBytes);
        writer.WriteNumber("bitsPerWeight", Math.Round(layer.BitsPerWeight, Digits));
        Write(writer, "bufferBytes", layer.BufferBytes.Even, layer.BufferBytes.Odd);
        writer.WriteStartArray("ranges");
        foreach (WeightRange range in layer.Ranges)
        {
            writer.WriteStartObject();
            writer.WriteNumber("slice", range.Slice);
            writer.WriteNumber("core", range.Core);
            writer.WriteNumber("offset", range.Offset);
            writer.WriteNumber("scaleBytes", range.ScaleBytes);
            writer.WriteNumber("weightOffset", range.WeightOffset);
            writer.WriteNumber("weightBytes", range.WeightBytes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, params ReadOnlySpan<int> numbers)
    {
        writer.WriteStartArray(name);
        foreach (int number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }
}
