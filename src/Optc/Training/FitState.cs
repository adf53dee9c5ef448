using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Optc.Data;
using Optc.Files;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>Everything that a run needs to go on where it was, bit for bit, as one <c>.npz</c> file.</summary>
/// <remarks>
/// Arrays: <c>plan</c> (SHA-256 of model, options and data), <c>counts</c> (steps, epoch, sample, best epoch),
/// <c>sums</c> (loss of the epoch so far, its samples), <c>history</c> [epochs, 5], <c>now/VARIABLE</c>,
/// <c>best/VARIABLE</c>. Order and augmentation are functions of seed and position, so that no random state is needed.
/// </remarks>
internal sealed class FitState
{
    public long Steps { get; set; }

    public BatchPosition Position { get; set; }

    public double LossSum { get; set; }

    public long LossSamples { get; set; }

    public List<EpochRecord> History { get; } = [];

    public ImmutableArray<(string Name, TensorData Content)> Best { get; set; } = [];

    public EpochRecord? BestRecord => History.LastOrDefault(h => h.Best);

    /// <summary>What must be the same for a run to be continued: model, options, and every number of the data.</summary>
    public static byte[] PlanOf(Module model, FitOptions options, TrainingData train, TrainingData? validation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, GraphPrinter.Print(model));
        Append(hash, options.Step.Teacher is { } teacher ? GraphPrinter.Print(teacher.Model) : "");
        Append(hash, string.Create(CultureInfo.InvariantCulture, $"{options.Step with { Project = null, ProjectGradient = null, Masked = null, Forms = null, RateOf = null, Rates = [] }} {options.Pruning} {options.Clustering} {options.Quantization} {options.LiveNormalization} {options.RelativeRates}"));
        Append(hash, string.Join('\n', options.Clustering?.Rules.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Codes} {r.Pattern}")) ?? []));
        Append(hash, string.Join('\n', options.Quantization?.Rules.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Bits} {r.Pattern}")) ?? []));
        Append(hash, string.Join('\n', options.Step.Rates.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Factor} {r.Pattern}"))));
        Append(hash, string.Create(
            CultureInfo.InvariantCulture,
            $"{options.BatchSize} {options.Seed} {options.Epochs} {options.Rate} {options.Metric.Name} {options.Patience} {options.KeepBest} {string.Join(' ', options.Augmentations)}"));
        if (options.Normalization is { } normalization)
        {
            hash.AppendData(MemoryMarshal.AsBytes(normalization.Mean.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(normalization.Scale.AsSpan()));
        }

        Append(hash, train);
        if (validation is not null)
        {
            Append(hash, validation);
        }

        return hash.GetHashAndReset();
    }

    public void Save(string path, byte[] plan, ImmutableArray<(string Name, TensorData Content)> now)
    {
        List<(string, NpyArray)> arrays =
        [
            ("plan", NpyArray.Of<byte>(plan, plan.Length)),
            ("counts", NpyArray.Of<long>([Steps, Position.Epoch, Position.Sample, LossSamples], 4)),
            ("sums", NpyArray.Of<double>([LossSum], 1)),
            ("history", NpyArray.Of<double>([.. History.SelectMany(h => new[] { h.Epoch, h.Rate, h.Loss, h.Score ?? double.NaN, h.Best ? 1 : 0 })], History.Count, 5)),
            .. now.Select(v => ($"now/{v.Name}", ArrayOf(v.Content))),
            .. Best.Select(v => ($"best/{v.Name}", ArrayOf(v.Content))),
        ];
        byte[] file = NpzFile.Write(NpzCompression.Stored, [.. arrays]);
        OutputFiles.Write(path, stream => stream.Write(file), overwrite: true);
    }

    /// <summary>Reads a checkpoint; the variables as they were go to the trainer.</summary>
    /// <param name="resume">Brings the trainer to the phase of so many steps.</param>
    /// <exception cref="DiagnosticException">The file cannot be read, or belongs to another run.</exception>
    public static FitState Load(string path, byte[] plan, Trainer trainer, Action<long> resume) => DataFile.Guard(path, () =>
    {
        using NpzReader file = NpzReader.Open(path);
        if (!file.Contains("plan") || !file.Read("plan").AsSpan<byte>().SequenceEqual(plan))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the checkpoint belongs to another run")
            {
                At = [path],
                Expected = "the model, data and options with which it was written",
                Hint = "delete it to start anew, or name another file",
            });
        }

        long[] counts = file.Read("counts").ToInt64s();
        double[] history = file.Read("history").ToDoubles();
        FitState state = new()
        {
            Steps = counts[0],
            Position = new((int)counts[1], (int)counts[2]),
            LossSamples = counts[3],
            LossSum = file.Read("sums").ToDoubles()[0],
            Best = Variables(file, "best/"),
        };
        for (int i = 0; i + 5 <= history.Length; i += 5)
        {
            state.History.Add(new((int)history[i], history[i + 1], history[i + 2], double.IsNaN(history[i + 3]) ? null : history[i + 3], history[i + 4] == 1));
        }

        resume(state.Steps);
        trainer.LoadState(state.Steps, Variables(file, "now/").ToDictionary(v => v.Name, v => v.Content));
        return state;
    });

    private static void Append(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, TrainingData data)
    {
        Append(hash, string.Create(CultureInfo.InvariantCulture, $"{data.Count} {data.Targets} {data.TargetShape} {string.Join(' ', data.InputShapes)}"));
        hash.AppendData(MemoryMarshal.AsBytes(data.Samples));
        float[][] inputs = [.. data.InputShapes.Select(s => new float[s.ElementCount])];
        float[] target = new float[data.Targets is TargetKind.Values ? data.TargetShape!.ElementCount : 1];
        foreach (int sample in data.Samples)
        {
            for (int i = 0; i < inputs.Length; i++)
            {
                data.ReadInput(i, sample, inputs[i]);
                hash.AppendData(MemoryMarshal.AsBytes(inputs[i].AsSpan()));
            }

            if (data.Targets is TargetKind.Values)
            {
                data.ReadTarget(sample, target);
            }
            else if (data.Targets is TargetKind.Classes)
            {
                target[0] = data.ClassOf(sample);
            }

            hash.AppendData(MemoryMarshal.AsBytes(target.AsSpan()));
            hash.AppendData(BitConverter.GetBytes(data.WeightOf(sample)));
        }
    }

    private static ImmutableArray<(string Name, TensorData Content)> Variables(NpzReader file, string prefix) =>
    [
        .. file.Entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(e =>
        {
            NpyArray array = file.Read(e.Name);
            return (e.Name[prefix.Length..], new TensorData(DataColumn.TypeOf(array.Type), Shape.Of(array.Shape), array.Data));
        }),
    ];

    private static NpyArray ArrayOf(TensorData data) => NpyArray.Of(data.AsFloats(), data.Shape.Dims.AsSpan());
}
