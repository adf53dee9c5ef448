using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Ir;
using Optc.Optimize;
using Optc.Report.Compression;

namespace Optc.Cli.Output;

/// <summary>What a recipe made of a model, as tables and as JSON.</summary>
internal sealed class OptimizationView(string input, string output, Optimization result, CompressionReport report, string? folder)
{
    public void Print(Terminal terminal, ImmutableArray<Diagnostic> errors)
    {
        terminal.WriteJson(writer => Write(writer, errors));
        Grid stages = new("stage", $">{report.Metric}", ">int8", ">file", ">gzip", ">zeros", ">weights", ">coded");
        foreach (StageEntry stage in report.Stages)
        {
            FormEntry form = stage.Int8 ?? stage.Float!;
            stages.Add(
                stage.Name,
                Score(stage.FloatScore),
                Score(stage.Int8Score),
                Number(form.FileBytes),
                Number(form.GzipBytes),
                string.Create(CultureInfo.InvariantCulture, $"{form.ZeroPercent:F1} %"),
                Number(form.WeightBytes),
                Number(form.Coded.FirstOrDefault()?.Bytes));
        }

        stages.PrintTo(terminal);
        if (!report.Skipped.IsEmpty)
        {
            terminal.WriteText("\n");
            Grid skipped = new("left alone", "stage", "reason");
            foreach (SkippedLayer layer in report.Skipped)
            {
                skipped.Add(layer.Layer, layer.Stage, layer.Reason);
            }

            skipped.PrintTo(terminal);
        }

        terminal.WriteText("\n" + Summary(errors));
    }

    private string Summary(ImmutableArray<Diagnostic> errors)
    {
        List<string> lines = [.. report.Stages.Where(s => s.ModeReason is not null).Select(s => $"mode    {(s.Mode is null || s.Mode.StartsWith(s.Name, StringComparison.Ordinal) ? s.Mode ?? s.Name : $"{s.Name}, {s.Mode}")}: {s.ModeReason}")];
        if (result.DropPoints is { } drop)
        {
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"score   {report.Metric} {100 * result.ScoreBefore:F2} % -> {100 * result.ScoreAfter:F2} % of {report.Samples} samples, a drop of {drop:F2} points"));
        }

        int zeros = result.Invariants.Count(i => i.What == "zeros kept");
        int books = result.Invariants.Count(i => i.What.StartsWith("distinct codes", StringComparison.Ordinal));
        string[] proved =
        [
            .. zeros > 0 ? [string.Create(CultureInfo.InvariantCulture, $"the zeros of {zeros} weights")] : (string[])[],
            .. books > 0 ? [string.Create(CultureInfo.InvariantCulture, $"the codes of {books}{(zeros > 0 ? "" : " weights")}")] : (string[])[],
        ];
        lines.Add(proved.Length == 0 ? "proved  nothing, since no weight has zeros or codes to keep" : $"proved  on the bytes of the file: {string.Join(" and ", proved)}");
        if (errors.IsEmpty)
        {
            lines.Add($"wrote   {output}, {ByteSize.Show(result.File.Length)}");
            lines.Add($"recipe  {output}.recipe.yaml");
        }

        if (folder is not null)
        {
            lines.Add($"report  {Path.Combine(folder, CompressionFiles.Names[0])}");
        }

        return string.Join("\n", lines) + "\n";
    }

    private string Score(double? score) => score is not { } number ? ""
        : report.MetricIsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * number:F2} %")
        : number.ToString("G4", CultureInfo.InvariantCulture);

    private static string Number(long? bytes) => bytes is { } number ? ByteSize.Show(number) : "";

    private void Write(Utf8JsonWriter writer, ImmutableArray<Diagnostic> errors)
    {
        writer.WriteStartObject();
        writer.WriteString("input", input);
        writer.WriteString("output", output);
        writer.WriteBoolean("written", errors.IsEmpty);
        writer.WriteString("recipe", result.Recipe.Name);
        writer.WriteNumber("bytes", result.File.Length);
        writer.WriteString("metric", report.Metric);
        Write(writer, "scoreBefore", result.ScoreBefore);
        Write(writer, "scoreAfter", result.ScoreAfter);
        Write(writer, "dropPoints", result.DropPoints);
        Write(writer, "testSamples", report.Samples);
        writer.WriteStartArray("stages");
        foreach (StageEntry stage in report.Stages)
        {
            FormEntry form = stage.Int8 ?? stage.Float!;
            writer.WriteStartObject();
            writer.WriteString("stage", stage.Name);
            writer.WriteString("mode", stage.Mode);
            writer.WriteString("reason", stage.ModeReason);
            Write(writer, "floatScore", stage.FloatScore);
            Write(writer, "int8Score", stage.Int8Score);
            Write(writer, "fileBytes", form.FileBytes);
            Write(writer, "gzipBytes", form.GzipBytes);
            writer.WriteNumber("weights", form.Weights);
            writer.WriteNumber("weightBytes", form.WeightBytes);
            writer.WriteNumber("zeros", form.Zeros);
            Write(writer, "codedBytes", form.Coded.FirstOrDefault()?.Bytes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("skipped");
        foreach (SkippedLayer layer in report.Skipped)
        {
            writer.WriteStartObject();
            writer.WriteString("layer", layer.Layer);
            writer.WriteString("stage", layer.Stage);
            writer.WriteString("reason", layer.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("invariants");
        foreach (InvariantResult proof in result.Invariants)
        {
            writer.WriteStartObject();
            writer.WriteString("layer", proof.Layer);
            writer.WriteString("what", proof.What);
            writer.WriteString("expected", proof.Expected);
            writer.WriteString("found", proof.Found);
            writer.WriteBoolean("holds", proof.Holds);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("report", folder);
        DiagnosticJson.WriteErrors(writer, errors);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, double? number)
    {
        if (number is { } value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
