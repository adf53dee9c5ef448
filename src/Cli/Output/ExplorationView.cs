using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Ir;
using Optc.Optimize.Explore;
using Optc.Report.Compression;

namespace Optc.Cli.Output;

/// <summary>What trials came to, as a table and as JSON.</summary>
internal sealed class ExplorationView(string input, string folder, Exploration result)
{
    private readonly HashSet<string> _front = [.. result.Front.Where(p => p.OnFront).Select(p => p.Name)];

    public void Print(Terminal terminal, ImmutableArray<Diagnostic> errors)
    {
        terminal.WriteJson(writer => Write(writer, errors));
        Grid table = new("trial", $">float {result.Metric.Name}", ">int8", ">drop", ">file", ">file-gzip", $">{result.Measure.Name}", "");
        foreach (TrialResult trial in result.Trials)
        {
            if (trial.Failure is { } failure)
            {
                table.Add(trial.Name, "", "", "", "", "", "", failure);
                continue;
            }

            table.Add(
                trial.Name,
                Score(trial.FloatScore),
                Score(trial.Score),
                result.DropOf(trial).ToString(result.Metric.IsShare ? "F2" : "G3", CultureInfo.InvariantCulture),
                ByteSize.Show(trial.FileBytes),
                ByteSize.Show(trial.GzipBytes),
                ByteSize.Show(trial.CodedBytes),
                trial == result.Winner ? "winner" : _front.Contains(trial.Name) ? "front" : "");
        }

        table.PrintTo(terminal);
        List<string> lines =
        [
            "",
            $"float   {Score(result.Baseline)}",
            result.Winner is { } winner ? $"winner  {winner.Name}: {Path.Combine(folder, "winner.tflite")}" : "winner  none: every trial drops by more than allowed",
            $"report  {Path.Combine(folder, CompressionFiles.Names[0])}",
        ];
        if (!result.Unfinished.IsEmpty)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"left    {result.Unfinished.Length} trials; the same command goes on"));
        }

        terminal.WriteText(string.Join("\n", lines) + "\n");
    }

    private string Score(double score) =>
        result.Metric.IsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * score:F2} %") : score.ToString("G4", CultureInfo.InvariantCulture);

    private void Write(Utf8JsonWriter writer, ImmutableArray<Diagnostic> errors)
    {
        writer.WriteStartObject();
        writer.WriteString("input", input);
        writer.WriteString("metric", result.Metric.Name);
        writer.WriteNumber("baseline", result.Baseline);
        writer.WriteString("coder", result.Measure.Name);
        writer.WriteString("winner", result.Winner?.Name);
        writer.WriteString("output", result.Winner is null ? null : Path.Combine(folder, "winner.tflite"));
        writer.WriteStartArray("trials");
        foreach (TrialResult trial in result.Trials)
        {
            writer.WriteStartObject();
            writer.WriteString("trial", trial.Name);
            writer.WriteString("failure", trial.Failure);
            if (trial.Failure is null)
            {
                writer.WriteNumber("floatScore", trial.FloatScore);
                writer.WriteNumber("score", trial.Score);
                writer.WriteNumber("drop", result.DropOf(trial));
                writer.WriteNumber("fileBytes", trial.FileBytes);
                writer.WriteNumber("gzipBytes", trial.GzipBytes);
                writer.WriteNumber("codedBytes", trial.CodedBytes);
                writer.WriteBoolean("onFront", _front.Contains(trial.Name));
                writer.WriteString("sha256", trial.Sha256);
            }

            writer.WriteString("recipe", trial.Recipe);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("unfinished");
        foreach (string name in result.Unfinished)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
        writer.WriteString("report", folder);
        DiagnosticJson.WriteErrors(writer, errors);
        writer.WriteEndObject();
    }
}
