using System.Diagnostics;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>What a step of training costs more when it rounds, masks and looks codes up: medians of steps, in turns in one run.</summary>
internal static class AwareStepSpeed
{
    private const int Rounds = 5;
    private const int WarmUp = 15;
    private const int Steps = 30;

    public static void Print(int threads)
    {
        Console.WriteLine("| model | batch | float ms | masked | QAT | QAT, statistics frozen | 16 codes | PCQAT |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        Print("ds-cnn-s", [49, 10, 1], 100, 1, threads);
        Print("ds-cnn-m", [49, 10, 1], 64, 1, threads);
        Print("resnet-8", [32, 32, 3], 64, 1, threads);
        Print("mobilenet-v1", [96, 96, 3], 32, 0.25, threads);
    }

    /// <summary>Exact clustering of a million Gaussian numbers into 16, one thread: median and range of seven.</summary>
    public static void PrintClustering()
    {
        Random random = new(1);
        float[] weights = [.. Enumerable.Range(0, 1_000_000).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
        ExactClusters.Solve(weights, 16);
        double[] seconds = [.. Enumerable.Range(0, 7).Select(_ => Seconds(weights)).Order()];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"1,000,000 weights into 16 clusters: {seconds[3]:0.00} s ({seconds[0]:0.00} to {seconds[^1]:0.00})"));
    }

    private static double Seconds(float[] weights)
    {
        long start = Stopwatch.GetTimestamp();
        ExactClusters.Solve(weights, 16);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(string architecture, Shape input, int batch, double width, int threads)
    {
        Model model = TrainStudyCase.New(architecture, input, seed: 1, width);
        Dataset data = Data(input, batch);
        QuantizationAware live = QuantizationAware.Default with { FreezeStatistics = 1, CalibrationSamples = 8 };
        Pruning zeros = new(PruningSchedule.Constant(0.5)) { Every = 1_000_000 };
        Clustering codes = new(16) { Depthwise = true };
        FitOptions plain = new() { Epochs = WarmUp + Steps, BatchSize = batch, KeepBest = false };
        FitOptions[] ways =
        [
            plain,
            plain with { Pruning = zeros },
            plain with { Quantization = live },
            plain with { Quantization = live with { FreezeStatistics = 0 } },
            plain with { Clustering = codes },
            plain with { Pruning = zeros, Clustering = codes, Quantization = live },
        ];
        double[][] times = [.. ways.Select(_ => new double[Rounds])];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < ways.Length; i++)
            {
                times[i][round] = Median(model, data, ways[i], threads);
            }
        }

        double[] ratios = [.. times.Select(t => t.Zip(times[0], (own, plainly) => own / plainly).Order().ElementAt(Rounds / 2))];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {architecture} {input} | {batch} | {times[0].Order().ElementAt(Rounds / 2):0.0} | {string.Join(" | ", ratios.Skip(1).Select(r => r.ToString("0.00", CultureInfo.InvariantCulture)))} |"));
    }

    private static double Median(Model model, Dataset data, FitOptions how, int threads)
    {
        List<double> steps = [];
        long before = 0;
        Listener listener = new(() =>
        {
            long now = Stopwatch.GetTimestamp();
            steps.Add(before == 0 ? 0 : Stopwatch.GetElapsedTime(before, now).TotalMilliseconds);
            before = now;
        });
        model.Fit(data, null, how with { Progress = listener }, new() { Threads = threads });
        return steps.Skip(WarmUp).Order().ElementAt(Steps / 2);
    }

    // One batch an epoch, so that nothing else happens between two steps.
    private static Dataset Data(Shape input, int batch)
    {
        Random random = new(1);
        float[] x = [.. Enumerable.Range(0, (int)(batch * input.ElementCount)).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        return Dataset.Of(TensorData.FromFloats(Shape.Of([batch, .. input.Dims]), x), TensorData.FromInts([batch], [.. Enumerable.Range(0, batch).Select(i => i % 10)]));
    }

    private sealed class Listener(Action told) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => told();
    }
}
