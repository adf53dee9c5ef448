using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Optc.Backends.TfLite;
using Optc.Cli.CommandLine;
using Optc.Shrink;

namespace Optc.Cli.Output;

/// <summary>What was removed of a model, as a table and as JSON.</summary>
internal sealed class ShrinkView(string input, ImmutableArray<string> outputs, ShrinkResult result)
{
    public void Print(Terminal terminal)
    {
        terminal.WriteJson(Write);
        Grid steps = new("rule", "layer", ">count", "what", ">bytes", "why no output changes");
        foreach (IGrouping<(string, string, string), ShrinkStep> alike in result.Steps.GroupBy(s => (s.Rule, s.What, s.Bytes == 0 ? s.Reason : s.Layer)))
        {
            ShrinkStep step = alike.First();
            long bytes = alike.Sum(s => s.Bytes);
            steps.Add(
                step.Rule,
                alike.Count() == 1 ? step.Layer : FormattableString.Invariant($"{alike.Count()} layers"),
                Number(alike.Sum(s => s.Count)),
                step.What,
                bytes == 0 ? "" : Number(bytes),
                step.Reason);
        }

        if (!result.Steps.IsEmpty)
        {
            steps.PrintTo(terminal);
            terminal.WriteText("\n");
        }

        terminal.WriteText($"wrote    {string.Join(", ", outputs)}\n");
        terminal.WriteText($"size     {ByteSize.Show(result.Original.Length)} -> {ByteSize.Show(result.File.Length)}{Percent()}\n");
        terminal.WriteText($"weights  {Number(result.Weights.Before)} -> {Number(result.Weights.After)}\n");
        terminal.WriteText($"MACs     {Number(result.Macs.Before)} -> {Number(result.Macs.After)}\n");
        terminal.WriteText($"arena    {ByteSize.Show(result.Arena.Before)} -> {ByteSize.Show(result.Arena.After)}, estimated\n");
        terminal.WriteText($"proof    by {result.Method}, for every input\n");
        if (result.Target is TfLiteTarget.Micro)
        {
            terminal.WriteText("profile  mcu: for TensorFlow Lite Micro only, LiteRT refuses the file or rounds otherwise\n");
        }

        foreach (string warning in result.Warnings)
        {
            terminal.Note($"warning: {warning}");
        }

        if (result.Steps.IsEmpty)
        {
            terminal.Note("nothing was removed: the file is as small as this makes it");
        }
        else if (result.IsFloat)
        {
            terminal.Note("the model has no integer layers: sums of floats depend on their terms, so all channels stay");
        }
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture).Replace(',', ' ');

    private string Percent() => result.File.Length == result.Original.Length
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $" ({100.0 * result.File.Length / result.Original.Length:F1} %)");

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("input", input);
        writer.WriteStartArray("outputs");
        foreach (string path in outputs)
        {
            writer.WriteStringValue(path);
        }

        writer.WriteEndArray();
        writer.WriteString("profile", result.Target is TfLiteTarget.Micro ? "mcu" : "portable");
        writer.WriteNumber("bytesBefore", result.Original.Length);
        writer.WriteNumber("bytesAfter", result.File.Length);
        writer.WriteNumber("weightsBefore", result.Weights.Before);
        writer.WriteNumber("weightsAfter", result.Weights.After);
        writer.WriteNumber("macsBefore", result.Macs.Before);
        writer.WriteNumber("macsAfter", result.Macs.After);
        writer.WriteNumber("arenaBefore", result.Arena.Before);
        writer.WriteNumber("arenaAfter", result.Arena.After);
        writer.WriteString("method", result.Method);
        writer.WriteStartArray("steps");
        foreach (ShrinkStep step in result.Steps)
        {
            writer.WriteStartObject();
            writer.WriteString("rule", step.Rule);
            writer.WriteString("layer", step.Layer);
            writer.WriteString("what", step.What);
            writer.WriteNumber("count", step.Count);
            writer.WriteNumber("bytes", step.Bytes);
            writer.WriteString("reason", step.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("warnings");
        foreach (string warning in result.Warnings)
        {
            writer.WriteStringValue(warning);
        }

        writer.WriteEndArray();
        using JsonDocument certificate = JsonDocument.Parse(Encoding.UTF8.GetString(result.Certificate.Span));
        writer.WritePropertyName("certificate");
        certificate.RootElement.WriteTo(writer);
        writer.WriteEndObject();
    }
}
