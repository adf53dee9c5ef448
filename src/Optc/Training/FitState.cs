using System.Collections.Immutable;
using System.Globalization;
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
/// Arrays: <c>plan</c> (SHA-256 of model, options and data shapes), <c>counts</c> (steps, epoch, sample, best epoch),
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

    /// <summary>What must be the same for a run to be continued.</summary>
    public static byte[] PlanOf(Module model, FitOptions options, TrainingData data) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {GraphPrinter.Print(model)}
        {options.BatchSize} {options.Seed} {options.Epochs} {options.Step with { Project = null, ProjectGradient = null, Rates = [] }} {string.Join(';', options.Step.Rates)}
        {options.Rate} {string.Join(' ', options.Augmentations)} {options.Normalization} {options.Metric.Name} {options.Patience} {options.KeepBest}
        {data.Count} {string.Join(' ', data.InputShapes)}
        """)));

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
    /// <exception cref="DiagnosticException">The file cannot be read, or belongs to another run.</exception>
    public static FitState Load(string path, byte[] plan, Trainer trainer) => DataFile.Guard(path, () =>
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

        trainer.LoadState(state.Steps, Variables(file, "now/").ToDictionary(v => v.Name, v => v.Content));
        return state;
    });

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
