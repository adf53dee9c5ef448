using System.Globalization;
using System.Text.Json;

namespace Optc.Cli.Output;

/// <summary>Prints a confusion matrix: what became of each class, and where its samples went.</summary>
internal sealed class ConfusionView(ConfusionMatrix matrix)
{
    // More columns are no table that anybody could read; the list of the most frequent confusions takes its place.
    private const int WidestMatrix = 20;
    private const int LongestList = 20;

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("balancedAccuracy", matrix.BalancedAccuracy);
        writer.WriteStartArray("classes");
        for (int c = 0; c < matrix.ClassCount; c++)
        {
            writer.WriteStartObject();
            writer.WriteString("class", matrix.ClassNames[c]);
            writer.WriteNumber("samples", matrix.SamplesOf(c));
            writer.WriteNumber("correct", matrix[c, c]);
            WritePart(writer, "recall", matrix.RecallOf(c));
            WritePart(writer, "precision", matrix.PrecisionOf(c));
            writer.WriteStartArray("predicted");
            for (int predicted = 0; predicted < matrix.ClassCount; predicted++)
            {
                writer.WriteNumberValue(matrix[c, predicted]);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public void PrintTo(Terminal terminal)
    {
        Grid classes = new("class", ">samples", ">correct", ">recall", ">precision");
        for (int c = 0; c < matrix.ClassCount; c++)
        {
            classes.Add(matrix.ClassNames[c], Count(matrix.SamplesOf(c)), Count(matrix[c, c]), Part(matrix.RecallOf(c)), Part(matrix.PrecisionOf(c)));
        }

        terminal.WriteText(string.Create(CultureInfo.InvariantCulture, $"balanced  {matrix.BalancedAccuracy:F4}\n\n"));
        classes.PrintTo(terminal);
        terminal.WriteText("\n");
        (matrix.ClassCount <= WidestMatrix ? Whole() : Confusions()).PrintTo(terminal);
    }

    /// <summary>A row for each true class, a column for each predicted one.</summary>
    private Grid Whole()
    {
        Grid grid = new(["true \\ predicted", .. matrix.ClassNames.Select(n => $">{n}")]);
        for (int actual = 0; actual < matrix.ClassCount; actual++)
        {
            grid.Add([matrix.ClassNames[actual], .. Enumerable.Range(0, matrix.ClassCount).Select(predicted => Count(matrix[actual, predicted]))]);
        }

        return grid;
    }

    private Grid Confusions()
    {
        Grid grid = new("true", "predicted", ">samples");
        foreach ((int actual, int predicted) in Enumerable.Range(0, matrix.ClassCount)
            .SelectMany(a => Enumerable.Range(0, matrix.ClassCount).Select(p => (Actual: a, Predicted: p)))
            .Where(c => c.Actual != c.Predicted && matrix[c.Actual, c.Predicted] > 0)
            .OrderByDescending(c => matrix[c.Actual, c.Predicted])
            .Take(LongestList))
        {
            grid.Add(matrix.ClassNames[actual], matrix.ClassNames[predicted], Count(matrix[actual, predicted]));
        }

        return grid;
    }

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Part(double? part) => part?.ToString("F4", CultureInfo.InvariantCulture) ?? "";

    private static void WritePart(Utf8JsonWriter writer, string name, double? part)
    {
        if (part is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
