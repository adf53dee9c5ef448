using System.Collections.Immutable;
using System.Numerics.Tensors;
using Optc.Data;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Numerics;
using Optc.Passes.Quantize;

namespace Optc;

/// <summary>Samples for a model, with or without labels. Files are streamed: a set may be larger than memory.</summary>
/// <remarks>
/// Each column is an array whose first axis counts the samples. A column belongs to the input of its name; columns whose
/// names are those of no input are taken in order.
/// </remarks>
public sealed class Dataset
{
    private readonly DatasetOptions _options;

    private Dataset(
        ImmutableArray<DataColumn> columns, DataColumn? labels, DatasetOptions options, string source, ImmutableArray<string> classNames = default, DataColumn? weights = null)
    {
        (Columns, Labels, _options, Source) = (columns, labels, options, source);
        ClassNames = classNames.IsDefault ? [] : classNames;
        Weights = weights;
        ImmutableArray<DataColumn> all = [.. columns, .. new[] { labels, weights }.OfType<DataColumn>()];
        if (all.FirstOrDefault(c => c.Count != all[0].Count) is { } odd)
        {
            throw Mismatch("the arrays of a data set count different numbers of samples", $"{all[0].Count} in '{all[0].Name}', {odd.Count} in '{odd.Name}'", null);
        }
    }

    /// <summary>Inputs.</summary>
    public ImmutableArray<DataColumn> Columns { get; }

    /// <summary>Classes [N], scores [N, C], or whatever the metric compares with.</summary>
    public DataColumn? Labels { get; }

    /// <summary>A weight for the loss of each sample [N].</summary>
    public DataColumn? Weights { get; }

    /// <summary>Name of each class, where a folder for each class gave the labels; else empty.</summary>
    public ImmutableArray<string> ClassNames { get; }

    /// <summary>The file or folder, or what else to call the data in a message.</summary>
    public string Source { get; }

    public int Count => Columns[0].Count;

    /// <summary>
    /// Opens <c>.npz</c>, <c>.npy</c>, IDX (also <c>.gz</c>), <c>.wav</c>, or a folder: with a <c>.npy</c> or <c>.wav</c> file for each
    /// sample, or with a folder of such files for each class.
    /// </summary>
    /// <remarks>
    /// Classes are numbered in the ordinal order of the names of their folders, samples come class by class and within a
    /// class in the order of their names; folders whose names begin with a dot are passed over. A file of labels given by
    /// <see cref="DatasetOptions.Y"/> takes the place of the classes.
    /// </remarks>
    /// <exception cref="DiagnosticException">
    /// The file cannot be read or is damaged, has no array of the name asked for, or arrays of different lengths; a folder of a
    /// class is empty, or samples stand beside folders of classes.
    /// </exception>
    public static Dataset Load(string path, DatasetOptions? options = null)
    {
        options ??= DatasetOptions.Default;
        if (ClassFolder.TryOpen(path) is { } folder)
        {
            return options.Y is null
                ? new([folder.Samples], folder.Labels, options, path, folder.ClassNames)
                : new([folder.Samples], OpenLabels(options.Y), options, path);
        }

        ImmutableArray<DataColumn> columns = DataFile.Open(path);
        bool isArchive = Path.GetExtension(path).Equals(".npz", StringComparison.OrdinalIgnoreCase);
        DataColumn? labels = isArchive
            ? Find(path, columns, options.Y ?? "y", required: options.Y is not null)
            : options.Y is null ? null : OpenLabels(options.Y);
        DataColumn? weights = options.Weights is null ? null
            : isArchive ? Find(path, columns, options.Weights, required: true)
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "weights of samples are an array of an archive")
            {
                At = [path],
                Found = $"'{options.Weights}'",
                Expected = "an .npz file",
            });
        DataColumn? inputs = isArchive ? Find(path, columns, options.X ?? "x", required: options.X is not null) : null;
        ImmutableArray<DataColumn> chosen = inputs is null ? [.. columns.Where(c => c != labels && c != weights)] : [inputs];
        return chosen.IsEmpty
            ? throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the file holds no inputs") { At = [path] })
            : new(chosen, labels, options, path, weights: weights);
    }

    /// <summary>Data in memory.</summary>
    /// <param name="x">Inputs [N, ...].</param>
    /// <param name="y">Labels [N, ...].</param>
    /// <exception cref="DiagnosticException">Different numbers of samples, or an element type that has no array form.</exception>
    /// <param name="weights">A weight for the loss of each sample [N].</param>
    public static Dataset Of(TensorData x, TensorData? y = null, DatasetOptions? options = null, TensorData? weights = null) =>
        Of([("x", x)], y, options, weights);

    /// <inheritdoc cref="Of(TensorData, TensorData?, DatasetOptions?, TensorData?)"/>
    /// <param name="columns">Name and content [N, ...] for each input of the model.</param>
    public static Dataset Of(
        ImmutableArray<(string Name, TensorData Data)> columns, TensorData? y = null, DatasetOptions? options = null, TensorData? weights = null) =>
        new(
            [.. columns.Select(c => new MemoryColumn(c.Name, ToArray(c.Data)))],
            y is null ? null : new MemoryColumn("y", ToArray(y)),
            options ?? DatasetOptions.Default,
            "memory",
            weights: weights is null ? null : new MemoryColumn("weights", ToArray(weights)));

    /// <summary>The first samples, all if there are fewer.</summary>
    public Dataset Take(int count) => Slice(0, Math.Min(count, Count));

    /// <summary>Samples drawn at random without replacement, in their order; all if there are fewer.</summary>
    /// <param name="seed">The same seed draws the same samples.</param>
    /// <remarks>Source: selection sampling, algorithm S of Knuth, "The Art of Computer Programming", volume 2, section 3.4.2.</remarks>
    public Dataset Sample(int count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        SplitMix64 random = new(seed);
        ImmutableArray<int>.Builder chosen = ImmutableArray.CreateBuilder<int>(Math.Min(count, Count));
        for (int i = 0; i < Count && chosen.Count < chosen.Capacity; i++)
        {
            if (random.NextUnit() * (Count - i) < chosen.Capacity - chosen.Count)
            {
                chosen.Add(i);
            }
        }

        ImmutableArray<int> indices = chosen.MoveToImmutable();
        return new(
            [.. Columns.Select(c => new ColumnSelection(c, indices))],
            Labels is null ? null : new ColumnSelection(Labels, indices),
            _options,
            Source,
            ClassNames,
            Weights is null ? null : new ColumnSelection(Weights, indices));
    }

    /// <summary>Samples from <paramref name="start"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the set.</exception>
    public Dataset Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - start);
        return new(
            [.. Columns.Select(c => new ColumnSlice(c, start, count))],
            Labels is null ? null : new ColumnSlice(Labels, start, count),
            _options,
            Source,
            ClassNames,
            Weights is null ? null : new ColumnSlice(Weights, start, count));
    }

    /// <summary>Largest magnitude in the first column, of the first samples; NaN if there is one.</summary>
    /// <exception cref="DiagnosticException">The file is damaged or has gone.</exception>
    public float LargestInput(int samples)
    {
        float largest = 0;
        foreach (TensorData row in InRealNumbers().Columns[0].Rows().Take(samples).Where(r => r.Shape.ElementCount > 0))
        {
            largest = Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude(row.AsFloats())));
        }

        return largest;
    }

    /// <summary>The same samples with inputs in float32: integers as the numbers that they are, whatever model reads them.</summary>
    public Dataset InRealNumbers() => Columns.All(c => c.DType is DType.F32)
        ? this
        : new([.. Columns.Select(c => c.DType is DType.F32 ? c : new RealColumn(c))], Labels, _options, Source, ClassNames, Weights);

    /// <summary>The samples as a model takes them; each column goes to the input of its name, or the next one in order.</summary>
    /// <exception cref="DiagnosticException">
    /// The model has another number of inputs, or, while reading, rows do not fit (see <see cref="SampleReader"/>).
    /// </exception>
    public ICalibrationSource For(Module module)
    {
        ImmutableArray<string?> names = Bind(module);
        return new CalibrationData(Samples(names), Count);
    }

    private IEnumerable<CalibrationSample> Samples(ImmutableArray<string?> names)
    {
        IEnumerator<TensorData>[] rows = [.. Columns.Select(c => c.Rows().GetEnumerator())];
        try
        {
            for (long index = 0; Array.TrueForAll(rows, r => r.MoveNext()); index++)
            {
                yield return _options.Sequence
                    ? new(index, Steps(index, names, rows))
                    : new(index, [[.. rows.Select((r, i) => new CalibrationTensor(names[i], r.Current))]]);
            }
        }
        finally
        {
            Array.ForEach(rows, r => r.Dispose());
        }
    }

    private ImmutableArray<ImmutableArray<CalibrationTensor>> Steps(long index, ImmutableArray<string?> names, IEnumerator<TensorData>[] rows)
    {
        int[] lengths = [.. rows.Select(r => r.Current.Shape.Rank == 0 ? 0 : r.Current.Shape[0])];
        if (lengths[0] == 0 || Array.Exists(lengths, l => l != lengths[0]))
        {
            throw Mismatch("a sample is no sequence", $"sample {index} with shapes {string.Join(", ", rows.Select(r => r.Current.Shape))}", "an axis for time in front, of the same length for every input");
        }

        return
        [
            .. Enumerable.Range(0, lengths[0]).Select(step => rows.Select((r, i) => new CalibrationTensor(names[i], SliceOf(r.Current, step))).ToImmutableArray()),
        ];
    }

    internal static TensorData SliceOf(TensorData data, int step)
    {
        Shape shape = Shape.Create(data.Shape.Dims.AsSpan()[1..]);
        int size = checked((int)data.DType.ByteCount(shape.ElementCount));
        return new(data.DType, shape, data.Bytes.Slice(step * size, size));
    }

    /// <summary>For each column the name of its input, or <see langword="null"/> for the next one in order.</summary>
    private ImmutableArray<string?> Bind(Module module)
    {
        Graph graph = module.Main;
        if (Columns.Length != graph.Inputs.Count)
        {
            throw Mismatch(
                "the data have another number of arrays than the model has inputs",
                string.Join(", ", Columns.Select(c => $"'{c.Name}'")),
                string.Join(", ", graph.Inputs.Select(v => $"'{v.Name}' {v.Type}")));
        }

        HashSet<string> known =
        [
            .. graph.Inputs.Select(v => v.Name),
            .. module.Signatures.Where(s => s.Graph == graph).SelectMany(s => s.Inputs.Select(i => i.Name)),
        ];
        bool allNamed = Columns.All(c => known.Contains(c.Name));
        return [.. Columns.Select(c => allNamed ? c.Name : null)];
    }

    private DiagnosticException Mismatch(string message, string? found, string? expected) => new(
        new Diagnostic(DiagnosticId.DataMismatch, message) { At = [Source], Found = found, Expected = expected });

    private static DataColumn? Find(string path, ImmutableArray<DataColumn> columns, string name, bool required) =>
        columns.FirstOrDefault(c => c.Name == name) ?? (!required ? null : throw new DiagnosticException(
            new Diagnostic(DiagnosticId.DataMismatch, "the archive has no such array")
            {
                At = [path],
                Found = string.Join(", ", columns.Select(c => $"'{c.Name}'")),
                Expected = $"'{name}'",
            }));

    private static DataColumn OpenLabels(string path) => DataFile.Open(path) is [var single] ? single : throw new DiagnosticException(
        new Diagnostic(DiagnosticId.InvalidOption, "a file of labels holds one array") { At = [path] });

    private static NpyArray ToArray(TensorData data) => NpyFile.Read(DataFile.ToNpy(data));
}
