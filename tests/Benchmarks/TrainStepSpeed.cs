using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;
using Optc.Report;
using Optc.Runtime.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>Whole training steps (forward, backward, Adam) of architectures, beside the FMA peak and beside PyTorch.</summary>
/// <remarks>
/// For each model and number of threads: 15 steps to warm up, then 7 that count, one behind the other as in a training, and as those of
/// PyTorch are timed; bare FMAs before and behind them. Work is three times that of the forward convolutions and dense layers, padding
/// included; the peak is that of one core.
/// </remarks>
internal static class TrainStepSpeed
{
    private const int WarmUp = 15;
    private const int Repeats = 7;
    private const double Rate = 1e-3;

    /// <param name="filter">A part of the name of a model.</param>
    /// <param name="python">A Python with PyTorch, or <see langword="null"/> to run alone.</param>
    public static void Print(string filter, string? python)
    {
        Console.WriteLine("| model | batch | threads | ms/step | best | samples/s | % peak | bytes/step | gen 0 | arena MB | PyTorch ms | best | PyTorch / optc | losses differ by |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (TrainingCase example in TrainingCase.All.Where(c => c.Name.Contains(filter, StringComparison.Ordinal)))
        {
            foreach (int threads in new[] { 1, 2 })
            {
                PrintCase(example, threads, python);
            }
        }
    }

    private static void PrintCase(TrainingCase example, int threads, string? python)
    {
        (string name, Module model, float[] x, int[] labels) = example;
        int batch = labels.Length;
        using Trainer trainer = new(model, batch, new() { Optimizer = Optimizer.Adam() }, new() { Threads = threads });
        ImmutableArray<ReadOnlyMemory<byte>> inputs = example.Inputs;
        double[] losses = new double[WarmUp];
        List<double> ours = [];
        List<double> theirs = [];
        double peak = 0;
        double difference = double.NaN;
        int collections = 0;
        long allocated = 0;
        Measure((i, loss) => losses[i] = loss);
        if (python is not null)
        {
            string folder = Directory.CreateTempSubdirectory("optc-train").FullName;
            try
            {
                PyTorchExport.Write(folder, model, x, labels, Rate);
                string script = Path.Combine(AppContext.BaseDirectory, "PyTorch", "train_step.py");
                ProcessStartInfo start = new(
                    python, [script, folder, Text(threads), Text(WarmUp), Text(Repeats)])
                { RedirectStandardOutput = true };
                start.Environment["OMP_NUM_THREADS"] = Text(threads);
                using Process process = Process.Start(start)!;
                using JsonDocument result = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
                theirs.AddRange(result.RootElement.GetProperty("milliseconds").EnumerateArray().Select(e => e.GetDouble()));
                difference = result.RootElement.GetProperty("losses").EnumerateArray().Select((e, i) => Math.Abs(e.GetDouble() - losses[i]) / losses[i]).Max();
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }

            Measure((_, _) => { });
        }

        (double median, double best) = (Median(ours), ours[0]);
        double operations = 3 * 2 * batch * (double)model.Main.Nodes.Sum(MultiplyAccumulates.Of);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {batch} | {threads} | {median:0.0} | {best:0.0} | {batch / median * 1e3:0} | {100 * operations / (median / 1e3) / peak:0} | {allocated} | {collections} | {trainer.ArenaBytes / 1e6:0.0} | {(theirs.Count > 0 ? Median(theirs) : double.NaN):0.0} | {(theirs.Count > 0 ? theirs[0] : double.NaN):0.0} | {(theirs.Count > 0 ? Median(theirs) : double.NaN) / median:0.00} | {difference:0.0e+0} |"));

        void Measure(Action<int, float> warmingUp)
        {
            peak = Math.Max(peak, Peak());
            for (int i = 0; i < WarmUp; i++)
            {
                warmingUp(i, trainer.Step(batch, inputs, default, Rate));
            }

            int first = GC.CollectionCount(0);
            for (int i = 0; i < Repeats; i++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                long start = Stopwatch.GetTimestamp();
                trainer.Step(batch, inputs, default, Rate);
                ours.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                allocated = Math.Max(allocated, GC.GetTotalAllocatedBytes(precise: true) - before);
            }

            collections += GC.CollectionCount(0) - first;
            peak = Math.Max(peak, Peak());
        }
    }

    /// <summary>Operations a second of bare FMAs on one core, the best of some runs.</summary>
    private static double Peak()
    {
        double best = 0;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            long operations = FmaPeak.Run(out _);
            best = Math.Max(best, operations / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
