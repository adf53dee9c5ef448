using System.Globalization;
using Optc.Data;
using Optc.Ir;

namespace Optc.Training;

/// <summary>Reads labels that number classes.</summary>
internal static class ClassLabels
{
    private const int NamedAtMost = 10;

    /// <summary>The class of each sample and the number of classes; what is wrong goes to <paramref name="problems"/>.</summary>
    public static (int[] Classes, int Count) Read(Dataset data, RowSource labels, TrainingDataOptions options, List<Diagnostic> problems)
    {
        DataColumn column = data.Labels!;
        if (labels.Length != 1)
        {
            problems.Add(new Diagnostic(DiagnosticId.DataMismatch, "a sample has more than one label")
            {
                At = [column.Name, column.PlaceOf(0)],
                Found = labels.RowShape.ToString(),
                Expected = "one class for each sample",
                Hint = "labels that are scores of classes need a loss that takes scores",
            });
            return ([], 0);
        }

        double[] numbers = new double[data.Count];
        Span<float> value = stackalloc float[1];
        for (int i = 0; i < numbers.Length; i++)
        {
            labels.Read(i, value);
            numbers[i] = value[0];
        }

        int fractional = Array.FindIndex(numbers, n => n != Math.Truncate(n));
        if (fractional >= 0)
        {
            problems.Add(Problem(column, fractional, "a label is no whole number", numbers[fractional], "the number of a class", "labels of a regression need a loss for values"));
            return ([], 0);
        }

        int count = options.Classes ?? (data.ClassNames.IsEmpty ? (int)Math.Clamp(numbers.Max() + 1, 1, int.MaxValue) : data.ClassNames.Length);
        int outside = Array.FindIndex(numbers, n => n < 0 || n >= count);
        if (outside >= 0)
        {
            int all = numbers.Count(n => n < 0 || n >= count);
            Diagnostic problem = Problem(
                column,
                outside,
                "a label is out of range",
                numbers[outside],
                string.Create(CultureInfo.InvariantCulture, $"0 to {count - 1}, the {count} classes of the model"),
                "number the classes from 0, or give the model as many outputs as there are classes");
            problems.Add(problem with { Found = problem.Found + TrainingData.AndOthers(all) });
            return ([], 0);
        }

        int[] classes = Array.ConvertAll(numbers, n => (int)n);
        int[] missing = [.. Enumerable.Range(0, count).Except(classes)];
        if (missing.Length > 0 && !options.AllowEmptyClasses)
        {
            problems.Add(new Diagnostic(DiagnosticId.UnusableData, missing.Length == 1 ? "a class has no samples" : "classes have no samples")
            {
                At = [column.Name],
                Found = "none of class " + string.Join(", ", missing.Take(NamedAtMost).Select(m => NameOf(data, m))) + (missing.Length > NamedAtMost ? ", .." : ""),
                Expected = string.Create(CultureInfo.InvariantCulture, $"samples of each of the {count} classes"),
                Hint = "a model cannot learn a class that it never sees; give it fewer classes, or allow empty ones",
            });
        }

        return (classes, count);
    }

    private static string NameOf(Dataset data, int label) =>
        label < data.ClassNames.Length ? $"'{data.ClassNames[label]}'" : label.ToString(CultureInfo.InvariantCulture);

    private static Diagnostic Problem(DataColumn column, int sample, string message, double found, string expected, string hint) =>
        new(DiagnosticId.UnusableData, message)
        {
            At = [column.Name, column.PlaceOf(sample)],
            Found = found.ToString("R", CultureInfo.InvariantCulture),
            Expected = expected,
            Hint = hint,
        };
}
