using System.Globalization;
using Optc.Cli.CommandLine;
using Optc.Training;

namespace Optc.Cli.Output;

/// <summary>Prints what a training run brought, epoch by epoch.</summary>
internal sealed class TrainingView(FitResult result, TrainingFiles files)
{
    /// <summary>The epoch whose weights were written, where scores decided, else the last one.</summary>
    private EpochRecord Written => result.History.FirstOrDefault(e => e.Epoch == result.BestEpoch) ?? result.History[^1];

    public void Print(Terminal terminal)
    {
        PrintJson(terminal);
        Grid table = new(">epoch", ">rate", ">loss", $">{result.Metric}", "");
        foreach (EpochRecord epoch in result.History)
        {
            table.Add(
                epoch.Epoch.ToString(CultureInfo.InvariantCulture),
                epoch.Rate.ToString("G3", CultureInfo.InvariantCulture),
                epoch.Loss.ToString("F4", CultureInfo.InvariantCulture),
                epoch.Score?.ToString("F4", CultureInfo.InvariantCulture) ?? "",
                epoch.Epoch == result.BestEpoch ? "best" : "");
        }

        table.PrintTo(terminal);
        string score = Written.Score is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"{result.Metric} {number:F4}, of epoch {Written.Epoch}")
            : "none, without --test or --validation-part";
        terminal.WriteText(FormattableString.Invariant(
            $"""

            wrote   {files.Model}, {ByteSize.Show(result.Model.FileLength)}
            score   {score}
            steps   {result.Steps}{(result.EndedEarly ? ", ended early by --patience" : "")}
            memory  {ByteSize.Show(result.StepBytes)} for the values of a step; '--micro-batch' bounds it

            """));
        terminal.WriteText(files.Log is null ? "" : $"log     {files.Log}\n");
        terminal.WriteText(files.Curve is null ? "" : $"curve   {files.Curve}\n");
    }

    private void PrintJson(Terminal terminal) => terminal.WriteJson(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("output", files.Model);
        writer.WriteNumber("bytes", result.Model.FileLength);
        writer.WriteString("metric", result.Metric);
        if (Written.Score is { } score)
        {
            writer.WriteNumber("score", score);
        }
        else
        {
            writer.WriteNull("score");
        }

        writer.WriteNumber("steps", result.Steps);
        writer.WriteNumber("stepBytes", result.StepBytes);
        writer.WriteBoolean("endedEarly", result.EndedEarly);
        if (result.BestEpoch is { } best)
        {
            writer.WriteNumber("bestEpoch", best);
        }
        else
        {
            writer.WriteNull("bestEpoch");
        }

        writer.WriteString("log", files.Log);
        writer.WriteString("curve", files.Curve);
        writer.WritePropertyName("history");
        LearningCurve.Write(writer, result.History, result.Metric);
        writer.WriteEndObject();
    });
}
