using System.Diagnostics;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Report;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

internal static class CollaborativeStudy
{
    public static void Print(string[] args)
    {
        string shared = args[0];
        string name = args[1];
        string mode = args[2];
        TrainStudyCase one = TrainStudyCase.Find(name);
        (Dataset train, Dataset test) = one.Load(shared);
        Model model = File.Exists($"/tmp/base-{name}.tflite") ? Model.Load($"/tmp/base-{name}.tflite") : one.Start(shared, 1);
        if (name == "fine-tune")
        {
            (train, test) = FineTuneCase.LoadReal(shared);
        }

        Dictionary<string, string> o = args.Skip(3).Select(a => a.Split('=')).ToDictionary(a => a[0], a => a[1]);
        double D(string key, double other) => o.TryGetValue(key, out string? v) ? double.Parse(v, CultureInfo.InvariantCulture) : other;
        long start = Stopwatch.GetTimestamp();
        if (mode == "base")
        {
            FitOptions how = one.Options with { Seed = 1, Normalize = one.FromScratch ? NormalizationKind.Element : null };
            FitResult made = model.Fit(train, null, how, new() { Threads = 2 });
            made.Model.Save($"/tmp/base-{name}.tflite", overwrite: true);
            Console.WriteLine($"base {made.Model.Evaluate(test).Value:P2} {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
            return;
        }

        int batch = (int)D("batch", 64);
        int epochs = (int)D("epochs", 10);
        double rate = D("rate", 5e-4);
        int codes = (int)D("codes", 8);
        double sparsity = D("sparsity", 0.5);
        FitOptions fit = new()
        {
            Seed = (ulong)D("seed", 1),
            Epochs = epochs,
            BatchSize = batch,
            Rate = LearningRate.Cosine(rate, 0.02),
            Augmentations = one.Options.Augmentations,
            RelativeRates = true,
            KeepBest = false,
            Step = new() { Teacher = D("kd", 0.7) > 0 ? new(model.Module, (float)D("kd", 0.7), 3) : null, Optimizer = Optimizer.Adam() },
            Pruning = mode.Contains('p') ? new(PruningSchedule.Polynomial(sparsity, 3, 0, 0, D("ramp", 0.4))) { Every = 5, Selection = PruningSelection.Everything, Distribution = D("global", 1) > 0 ? SparsityDistribution.Global : SparsityDistribution.Uniform, Criterion = D("norm", 1) > 0 ? PruningCriterion.NormalizedMagnitude : PruningCriterion.Magnitude } : null,
            Clustering = mode.Contains('c') ? new(codes) { Begin = D("begin", 0.4), Freeze = D("freeze", 0.85), Depthwise = D("dw", 1) > 0 } : null,
            Quantization = mode.Contains('q') ? QuantizationAware.Default with { FreezeStatistics = D("stats", 0.7), Ranges = (RangeLearning)(int)D("ranges", 0) } : null,
        };
        Console.WriteLine($"start {model.Evaluate(test).Value:P2}");
        fit = fit with { Progress = new Show() };
        FitResult result = model.Fit(train, null, fit, new() { Threads = (int)D("threads", 2) });
        Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0} s, {result.Steps} steps, float {result.Model.Evaluate(test, options: new() { Threads = 2 }).Value:P2}");
        Model int8 = result.Model.ToInt8();
        Console.WriteLine($"int8 {int8.Evaluate(test, options: new() { Threads = 2 }).Value:P2}");
        Inspection inspection = int8.Inspect();
        double coded = 0;
        foreach (Value v in int8.Module.Main.Nodes.SelectMany(n => n.Inputs).OfType<Value>().Distinct().Where(v => v.Constant is { DType: DType.I8 }))
        {
            sbyte[] w = v.Constant!.Span<sbyte>().ToArray();
            var groups = w.GroupBy(x => x).ToArray();
            double h = groups.Sum(g => -Math.Log2((double)g.Count() / w.Length) * g.Count());
            coded += Math.Ceiling(h / 8) + (2 * groups.Length);
            Console.WriteLine($"  {v.Name} {v.Type.Shape} codes {groups.Length} zeros {w.Count(x => x == 0) / (double)w.Length:P1} bits {h / w.Length:0.00}");
        }

        Console.WriteLine($"coded {coded}");
        foreach (SkippedLayer s in result.Skipped)
        {
            Console.WriteLine(s);
        }
    }

    private sealed class Show : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            if (value.Finished is { } f)
            {
                Console.Error.WriteLine($"epoch {f.Epoch} loss {f.Loss:0.0000}");
            }
        }
    }
}
