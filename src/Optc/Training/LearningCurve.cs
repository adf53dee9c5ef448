using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Optc.Report.Charts;

namespace Optc.Training;

/// <summary>The history of a run as a table and as a picture.</summary>
public static class LearningCurve
{
    private static readonly JsonWriterOptions JsonFormat = new() { Indented = true, NewLine = "\n" };

    /// <summary>One line for each epoch: <c>epoch,rate,loss,METRIC,best</c>; an empty score where there is none.</summary>
    public static string ToCsv(IEnumerable<EpochRecord> history, string metric)
    {
        StringBuilder csv = new($"epoch,rate,loss,{metric},best\n");
        foreach (EpochRecord e in history)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{e.Epoch},{e.Rate:R},{e.Loss:R},{e.Score:R},{(e.Best ? 1 : 0)}\n");
        }

        return csv.ToString();
    }

    /// <summary>An array with an object for each epoch: <c>epoch</c>, <c>rate</c>, <c>loss</c>, the metric by its name, <c>best</c>.</summary>
    public static string ToJson(IEnumerable<EpochRecord> history, string metric)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes, JsonFormat))
        {
            Write(writer, history, metric);
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    /// <summary>As <see cref="ToJson"/>, into a document.</summary>
    public static void Write(Utf8JsonWriter writer, IEnumerable<EpochRecord> history, string metric)
    {
        writer.WriteStartArray();
        foreach (EpochRecord e in history)
        {
            writer.WriteStartObject();
            writer.WriteNumber("epoch", e.Epoch);
            writer.WriteNumber("rate", e.Rate);
            writer.WriteNumber("loss", e.Loss);
            if (e.Score is { } score)
            {
                writer.WriteNumber(metric, score);
            }
            else
            {
                writer.WriteNull(metric);
            }

            writer.WriteBoolean("best", e.Best);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Loss and, where there are scores, the metric over the epochs, as SVG; the best epoch is marked.</summary>
    public static string ToSvg(IReadOnlyCollection<EpochRecord> history, string metric, string title) => ChartOf(history, metric, title).ToSvg();

    /// <summary>The same before it is drawn.</summary>
    internal static LineChart ChartOf(IReadOnlyCollection<EpochRecord> history, string metric, string title)
    {
        ImmutableArray<(string, ImmutableArray<Series>)> panels =
            [("loss", [new("training loss", [.. history.Select(h => ((double)h.Epoch, h.Loss))])])];
        if (history.Any(h => h.Score is not null))
        {
            EpochRecord? best = history.LastOrDefault(h => h.Best);
            string name = best is null ? $"validation {metric}" : string.Create(CultureInfo.InvariantCulture, $"validation {metric}, best {best.Score:0.####} in epoch {best.Epoch}");
            panels = panels.Add((metric, [new(name, [.. history.Select(h => ((double)h.Epoch, h.Score ?? double.NaN))], best?.Epoch)]));
        }

        return new(title, "epoch", panels);
    }
}
