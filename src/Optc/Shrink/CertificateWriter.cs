using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Passes.Shrink;

namespace Optc.Shrink;

/// <summary>Writes what a checker needs to repeat the proof that two models give the same outputs.</summary>
/// <remarks>
/// Operators have their numbers in the file; a value is <c>op3:0</c>, output 0 of operator 3, or <c>in0</c>, input 0 of the subgraph, both of the
/// original. Rules and evidence are those of <see cref="ShrinkRecord"/>.
/// </remarks>
internal static class CertificateWriter
{
    private const int Version = 1;

    private static readonly JsonWriterOptions Layout = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Of(
        Module original, ShrinkRecord record, Roundings roundings, string method, string profile, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, Layout))
        {
            writer.WriteStartObject();
            writer.WriteString("format", "optc-shrink-certificate");
            writer.WriteNumber("version", Version);
            writer.WriteString("profile", profile);
            writer.WriteStartArray("roundings");
            foreach ((Roundings rounding, string name) in ((Roundings, string)[])[(Roundings.Double, "double"), (Roundings.Single, "single"), (Roundings.Float32, "float32")])
            {
                if (roundings.HasFlag(rounding))
                {
                    writer.WriteStringValue(name);
                }
            }

            writer.WriteEndArray();
            writer.WriteString("method", method);
            WriteFile(writer, "original", before);
            WriteFile(writer, "result", after);
            writer.WriteStartArray("subgraphs");
            for (int i = 0; i < original.Graphs.Length; i++)
            {
                WriteGraph(writer, i, i == 0 ? record : new() { Operators = [.. original.Graphs[i].Nodes.Select((_, k) => new KeptOperator(k, []))] });
            }

            writer.WriteEndArray();
            writer.WriteStartArray("warnings");
            foreach (string warning in record.Warnings)
            {
                writer.WriteStringValue(warning);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void WriteFile(Utf8JsonWriter writer, string name, ReadOnlySpan<byte> file)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("bytes", file.Length);
        writer.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(file)));
        writer.WriteEndObject();
    }

    private static void WriteGraph(Utf8JsonWriter writer, int number, ShrinkRecord record)
    {
        writer.WriteStartObject();
        writer.WriteNumber("subgraph", number);
        writer.WriteStartArray("operators");
        for (int i = 0; i < record.Operators.Length; i++)
        {
            KeptOperator kept = record.Operators[i];
            writer.WriteStartObject();
            writer.WriteNumber("result", i);
            writer.WriteNumber("original", kept.Original);
            writer.WriteStartArray("changes");
            foreach (string change in kept.Changes)
            {
                writer.WriteStringValue(change);
            }

            writer.WriteEndArray();
            WriteNumber(writer, "pad", kept.Pad);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("removed");
        foreach (RemovedOperator removed in record.Removed)
        {
            writer.WriteStartObject();
            writer.WriteNumber("original", removed.Original);
            writer.WriteString("rule", removed.Rule);
            if (removed.Forwards is { } forwards)
            {
                writer.WriteString("forwards", forwards);
            }

            WriteNumber(writer, "into", removed.Into);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteChannels(writer, record);
        WriteWeights(writer, record);
        writer.WriteEndObject();
    }

    private static void WriteChannels(Utf8JsonWriter writer, ShrinkRecord record)
    {
        writer.WriteStartArray("channels");
        foreach (NarrowedValue value in record.Channels)
        {
            writer.WriteStartObject();
            writer.WriteString("value", value.Value);
            writer.WriteNumber("axis", value.Axis);
            writer.WriteNumber("count", value.Count);
            writer.WriteStartArray("dropped");
            foreach (DroppedChannel dropped in value.Dropped)
            {
                writer.WriteStartObject();
                writer.WriteNumber("channel", dropped.Channel);
                writer.WriteString("rule", dropped.Rule);
                WriteNumber(writer, "value", dropped.Value);
                if (dropped.Accumulator is { } sums)
                {
                    writer.WriteStartArray("accumulator");
                    writer.WriteNumberValue(sums.Low);
                    writer.WriteNumberValue(sums.High);
                    writer.WriteEndArray();
                }

                WriteNumber(writer, "of", dropped.Of);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteWeights(Utf8JsonWriter writer, ShrinkRecord record)
    {
        writer.WriteStartArray("biases");
        foreach (ChangedBias bias in record.Biases)
        {
            writer.WriteStartObject();
            writer.WriteNumber("original", bias.Original);
            writer.WriteNumber("channel", bias.Channel);
            writer.WriteNumber("old", bias.Old);
            writer.WriteNumber("new", bias.New);
            writer.WriteStartArray("terms");
            foreach (FoldedTerm term in bias.Terms)
            {
                writer.WriteStartObject();
                writer.WriteNumber("input", term.Input);
                writer.WriteNumber("value", term.Value);
                writer.WriteNumber("weights", term.Weights);
                writer.WriteNumber("sum", term.Sum);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("duplicates");
        foreach (MergedWeights merged in record.Duplicates)
        {
            writer.WriteStartObject();
            writer.WriteNumber("original", merged.Original);
            writer.WriteNumber("kept", merged.Kept);
            writer.WriteNumber("added", merged.Added);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, int? number)
    {
        if (number is { } given)
        {
            writer.WriteNumber(name, given);
        }
    }
}
