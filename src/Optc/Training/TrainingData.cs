using System.Collections.Immutable;
using System.Globalization;
using Optc.Data;
using Optc.Ir;

namespace Optc.Training;

/// <summary>Samples that a training can use: checked as a whole, read in any order by any thread. Or some of these samples.</summary>
/// <remarks>
/// A sample keeps its number in the data set whatever part it is in, and everything random is a function of that
/// number; see <see cref="BatchSource"/>.
/// </remarks>
public sealed class TrainingData
{
    private readonly ImmutableArray<RowSource> _inputs;
    private readonly RowSource? _values;
    private readonly int[] _classes;
    private readonly float[]? _weights;
    private readonly int[] _samples;

    private TrainingData(TrainingData whole, int[] samples)
    {
        (_inputs, _values, _classes, _weights, _samples) = (whole._inputs, whole._values, whole._classes, whole._weights, samples);
        (InputNames, InputShapes, Targets, TargetShape, ClassCount, ClassNames, Source) =
            (whole.InputNames, whole.InputShapes, whole.Targets, whole.TargetShape, whole.ClassCount, whole.ClassNames, whole.Source);
    }

    private TrainingData(Dataset data, ImmutableArray<RowSource> inputs, ImmutableArray<Shape> shapes, RowSource? values, int[]? classes, int classCount, float[]? weights)
    {
        (_inputs, _values, _classes, _weights) = (inputs, values, classes ?? [], weights);
        _samples = [.. Enumerable.Range(0, data.Count)];
        (InputNames, InputShapes, Source, ClassNames) = ([.. data.Columns.Select(c => c.Name)], shapes, data.Source, data.ClassNames);
        Targets = classes is not null ? TargetKind.Classes : values is not null ? TargetKind.Values : TargetKind.None;
        TargetShape = Targets is TargetKind.Classes ? [classCount] : values?.RowShape;
        ClassCount = classCount;
    }

    public int Count => _samples.Length;

    /// <summary>Names of the columns that are inputs.</summary>
    public ImmutableArray<string> InputNames { get; }

    /// <summary>Shape of one sample of each input, without the batch.</summary>
    public ImmutableArray<Shape> InputShapes { get; }

    public TargetKind Targets { get; }

    /// <summary>Shape of the label of one sample; [C] for classes, which stands for their scores.</summary>
    public Shape? TargetShape { get; }

    /// <summary>Number of classes; 0 for other labels.</summary>
    public int ClassCount { get; }

    /// <summary>Names of the classes, where the data have them.</summary>
    public ImmutableArray<string> ClassNames { get; }

    /// <summary>The file or folder, for messages.</summary>
    public string Source { get; }

    /// <summary>Numbers of these samples in the data set, ascending.</summary>
    public ReadOnlySpan<int> Samples => _samples;

    /// <summary>Reads and checks a data set.</summary>
    /// <exception cref="DiagnosticException">
    /// Everything that is wrong, one diagnostic for each kind: no samples, shapes that do not fit, numbers that are not finite, labels
    /// that are missing, no whole numbers or out of range, classes without samples, more bytes than the limit.
    /// </exception>
    public static TrainingData Of(Dataset data, TrainingDataOptions? options = null)
    {
        options ??= TrainingDataOptions.Default;
        if (data.Count == 0)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.UnusableData, "there are no samples") { At = [data.Source], Found = "0 samples", Expected = "1 sample or more" });
        }

        List<Diagnostic> problems = [];
        long limit = options.MemoryLimit;
        RowSource[] inputs = new RowSource[data.Columns.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = RowSource.Load(data.Columns[i], options.FitSize && i < options.InputShapes.Length ? options.InputShapes[i] : null, ref limit, problems);
        }

        ImmutableArray<RowSource> rows = [.. inputs];
        ImmutableArray<Shape> shapes = Fit(data, rows, options.InputShapes, problems);
        int before = problems.Count;
        RowSource? labels = data.Labels is null ? null : RowSource.Load(data.Labels, null, ref limit, problems);
        (int[]? classes, int count) = (null, 0);
        if (labels is null)
        {
            if (options.Targets is not null and not TargetKind.None)
            {
                problems.Add(new Diagnostic(DiagnosticId.DataMismatch, "the data have no labels")
                {
                    At = [data.Source],
                    Expected = "an array 'y', a folder for each class, or a file of labels",
                    Hint = "'--y' names the array or file of the labels",
                });
            }
        }
        else if (problems.Count == before && KindOf(labels, options) is TargetKind.Classes)
        {
            (classes, count) = ClassLabels.Read(data, labels, options, problems);
        }

        float[]? weights = data.Weights is null ? null : ReadWeights(data.Weights, ref limit, problems);
        return problems.Count > 0
            ? throw new DiagnosticException([.. problems.Select(p => p.At is [var place, ..] && place == data.Source ? p : p.Inside(data.Source))])
            : new(data, rows, shapes, options.Targets is TargetKind.None ? null : labels, options.Targets is TargetKind.None ? null : classes, count, weights);
    }

    /// <summary>True when every sample has a weight for its loss.</summary>
    public bool HasWeights => _weights is not null;

    /// <summary>Weight of the loss of a sample; 1 where the data have none.</summary>
    /// <param name="sample">Number in the data set.</param>
    public float WeightOf(int sample) => _weights?[sample] ?? 1;

    /// <summary>Class of a sample, for <see cref="TargetKind.Classes"/>.</summary>
    /// <param name="sample">Number in the data set.</param>
    public int ClassOf(int sample) => _classes[sample];

    /// <summary>Writes one input of a sample.</summary>
    /// <param name="input">Position of the input.</param>
    /// <param name="sample">Number in the data set.</param>
    /// <param name="target">As many elements as the shape of that input has.</param>
    public void ReadInput(int input, int sample, Span<float> target) => _inputs[input].Read(sample, target);

    /// <summary>Writes the label of a sample as numbers: its values, or 1 at its class and 0 elsewhere.</summary>
    /// <param name="sample">Number in the data set.</param>
    /// <param name="target">As many elements as <see cref="TargetShape"/> has.</param>
    public void ReadTarget(int sample, Span<float> target)
    {
        if (Targets is TargetKind.Classes)
        {
            target.Clear();
            target[_classes[sample]] = 1;
        }
        else
        {
            _values!.Read(sample, target);
        }
    }

    /// <summary>Sets a random part apart for validation, of each class the same part as far as whole samples allow.</summary>
    /// <param name="fraction">Part to set apart, in (0, 1); of n samples it is the nearest number to <c>fraction * n</c>, at least 1.</param>
    /// <param name="seed">Another seed gives another part.</param>
    /// <remarks>
    /// Quotas by largest remainder, the earlier class first when equal; a class keeps at least one sample for training.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fraction"/> is not in (0, 1).</exception>
    /// <exception cref="DiagnosticException">Too few samples for two parts.</exception>
    public (TrainingData Train, TrainingData Validation) Split(double fraction, ulong seed)
    {
        if (!(fraction is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "A part is more than nothing and less than everything.");
        }

        int[][] groups = Targets is TargetKind.Classes
            ? [.. _samples.GroupBy(ClassOf).OrderBy(g => g.Key).Select(g => g.ToArray())]
            : [_samples];
        int[] quotas = Quotas(groups, fraction);
        if (quotas.Sum() == 0)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.UnusableData, "too few samples to set some apart for validation")
            {
                At = [Source],
                Found = string.Create(CultureInfo.InvariantCulture, $"{Count} samples in {groups.Length} classes"),
                Expected = "a class with two samples or more",
                Hint = "give a data set of its own for validation",
            });
        }

        HashSet<int> chosen = [];
        for (int i = 0; i < groups.Length; i++)
        {
            int[] order = SampleOrder.Shuffled(groups[i], SampleOrder.Domain.Split, seed, (ulong)i);
            chosen.UnionWith(order.Take(quotas[i]));
        }

        return (new(this, [.. _samples.Where(s => !chosen.Contains(s))]), new(this, [.. _samples.Where(chosen.Contains)]));
    }

    private static float[] ReadWeights(DataColumn column, ref long limit, List<Diagnostic> problems)
    {
        RowSource rows = RowSource.Load(column, null, ref limit, problems);
        if (rows.Length != 1)
        {
            problems.Add(new Diagnostic(DiagnosticId.DataMismatch, "a sample has more than one weight")
            {
                At = [column.Name],
                Found = rows.RowShape.ToString(),
                Expected = "one number for each sample",
            });
            return [];
        }

        float[] weights = new float[column.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            rows.Read(i, weights.AsSpan(i, 1));
        }

        return weights;
    }

    internal static string AndOthers(int count) => count <= 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", the first of {count}");

    private static int[] Quotas(int[][] groups, double fraction)
    {
        int[] quotas = [.. groups.Select(g => Math.Min(g.Length - 1, (int)Math.Floor(fraction * g.Length)))];
        int wanted = Math.Max(1, (int)Math.Round(fraction * groups.Sum(g => g.Length), MidpointRounding.AwayFromZero));
        foreach (int i in Enumerable.Range(0, groups.Length)
            .Where(i => quotas[i] < groups[i].Length - 1)
            .OrderByDescending(i => (fraction * groups[i].Length) - quotas[i])
            .Take(Math.Max(0, wanted - quotas.Sum()))
            .ToArray())
        {
            quotas[i]++;
        }

        return quotas;
    }

    private static TargetKind KindOf(RowSource labels, TrainingDataOptions options) => options.Targets
        ?? (labels.Length == 1 && (labels.DType.IsInteger || labels.DType is DType.Bool) ? TargetKind.Classes : TargetKind.Values);

    private static ImmutableArray<Shape> Fit(Dataset data, ImmutableArray<RowSource> rows, ImmutableArray<Shape> wanted, List<Diagnostic> problems)
    {
        if (wanted.IsEmpty)
        {
            return [.. rows.Select(r => r.RowShape)];
        }

        if (wanted.Length != rows.Length)
        {
            problems.Add(new Diagnostic(DiagnosticId.DataMismatch, "the data have another number of arrays than the model has inputs")
            {
                At = [data.Source],
                Found = string.Join(", ", data.Columns.Select(c => $"'{c.Name}'")),
                Expected = string.Create(CultureInfo.InvariantCulture, $"{wanted.Length}"),
                Hint = "'--x' names the array that holds the inputs",
            });
            return wanted;
        }

        for (int i = 0; i < rows.Length; i++)
        {
            if (!Significant(rows[i].RowShape).SequenceEqual(Significant(wanted[i])))
            {
                problems.Add(new Diagnostic(DiagnosticId.DataMismatch, "samples have another shape than the input of the model")
                {
                    At = [data.Columns[i].Name, data.Columns[i].PlaceOf(0)],
                    Found = rows[i].RowShape.ToString(),
                    Expected = wanted[i].ToString(),
                    Hint = "reshape the data, let them be padded and cut to this size, or take a model for their shape",
                });
            }
        }

        return wanted;
    }

    private static ReadOnlySpan<int> Significant(Shape shape) => shape.Dims.AsSpan().Trim(1);
}
