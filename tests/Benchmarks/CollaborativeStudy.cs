using System.Diagnostics;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Runtime.Training;
using Optc.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>
/// Compresses models of three tasks in our way and in that of TensorFlow's Model Optimization Toolkit, beside a float model that is trained as
/// long. Accuracy is that of the integer interpreter on the test part.
/// </summary>
/// <param name="Shared">Folder of third-party models and data.</param>
/// <param name="Work">Folder that keeps base models and finished rows, so that a study goes on where it was ended.</param>
internal sealed record CollaborativeStudy(
    string Shared, string Work, IReadOnlyList<CollaborativeCase> Cases, ulong[] Seeds, IReadOnlyList<string> Rows, int Threads, Dictionary<string, double> Change)
{
    private const int Batch = 64;
    private const int CalibrationSamples = 256;

    private static readonly string[] AllRows =
    [
        "fair-ptq", "int8", "pruned-ptq", "toolkit-qat", "toolkit-pqat", "toolkit-cqat32", "toolkit-cqat16", "toolkit-pc8-ptq", "toolkit-pcqat16",
        "toolkit-pcqat8", "ours", "ours-8", "ours-16", "ours-80", "ours-aim",
    ];

    /// <param name="arguments"><c>SHARED WORK [CASE...] [--seeds 1,2,3] [--rows A,B] [--threads N] [--set NAME=NUMBER]</c>.</param>
    /// <exception cref="ArgumentException">No such case, row or option.</exception>
    public static CollaborativeStudy Parse(ReadOnlySpan<string> arguments)
    {
        List<CollaborativeCase> cases = [];
        int at = 2;
        for (; at < arguments.Length && !arguments[at].StartsWith('-'); at++)
        {
            cases.Add(CollaborativeCase.Find(arguments[at]));
        }

        CollaborativeStudy study = new(arguments[0], arguments[1], cases.Count > 0 ? cases : CollaborativeCase.All, [1, 2, 3], AllRows, 1, []);
        for (; at + 1 < arguments.Length; at += 2)
        {
            string value = arguments[at + 1];
            study = arguments[at] switch
            {
                "--seeds" => study with { Seeds = [.. value.Split(',').Select(s => ulong.Parse(s, CultureInfo.InvariantCulture))] },
                "--rows" => study with { Rows = value.Split(',') },
                "--threads" => study with { Threads = int.Parse(value, CultureInfo.InvariantCulture) },
                "--set" => study.With(value),
                _ => throw new ArgumentException($"'{arguments[at]}' is no option.", nameof(arguments)),
            };
        }

        return study;
    }

    public void Print()
    {
        Directory.CreateDirectory(Work);
        foreach (CollaborativeCase one in Cases)
        {
            foreach (ulong seed in Seeds)
            {
                Run(one, seed);
            }
        }

        CollaborativeTable.Print([.. File.ReadAllLines(Results).Select(CollaborativeRow.Parse)]);
    }

    private string Results => Path.Combine(Work, "rows.tsv");

    private WorkOptions Options => new() { Threads = Threads };

    private CollaborativeStudy With(string setting)
    {
        string[] parts = setting.Split('=');
        return this with { Change = new(Change) { [parts[0]] = double.Parse(parts[1], CultureInfo.InvariantCulture) } };
    }

    private double Set(string name, double other) => Change.GetValueOrDefault(name, other);

    private void Run(CollaborativeCase one, ulong seed)
    {
        HashSet<string> done = File.Exists(Results)
            ? [.. File.ReadAllLines(Results).Select(CollaborativeRow.Parse).Where(r => r.Case == one.Name && r.Seed == seed).Select(r => r.Row)]
            : [];
        string[] rows = [.. Rows.Where(r => !done.Contains(r))];
        if (rows.Length == 0)
        {
            return;
        }

        TrainStudyCase task = TrainStudyCase.Find(one.Name);
        (Dataset train, Dataset test) = one.Name == "fine-tune" ? FineTuneCase.LoadReal(Shared) : task.Load(Shared);
        Task data = new(one, task, seed, train, test);
        Model start = Kept($"{one.Name}-{seed}-base", () => Base(data));
        Model fair = Kept($"{one.Name}-{seed}-fair", () => Fit(data, start, one.Epochs, how => how).Model);
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{one.Name} seed {seed}: base {100 * start.Evaluate(test, options: Options).Value:0.00} %, fair {100 * fair.Evaluate(test, options: Options).Value:0.00} %"));
        foreach (string row in rows)
        {
            long began = Stopwatch.GetTimestamp();
            (Model real, Model integers, long steps) = Make(row, data, start, fair);
            CollaborativeRow made = CollaborativeRow.Of(
                one.Name, seed, row, steps, real.Evaluate(test, options: Options).Value, Correct(integers.Module, test), integers);
            File.AppendAllText(Results, made.ToLine() + "\n");
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Name} {seed} {row}: float {100 * made.FloatAccuracy:0.00} int8 {100 * made.Accuracy:0.00} %, coded {made.Coded}, codes {made.MostCodes}, {made.BitsPerWeight:0.00} b/w, gzip {made.FileGzip}, {made.Invariants}, {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s"));
        }
    }

    private sealed record Task(CollaborativeCase Case, TrainStudyCase Training, ulong Seed, Dataset Train, Dataset Test);

    private Model Kept(string name, Func<Model> make)
    {
        string path = Path.Combine(Work, $"{name}.tflite");
        if (!File.Exists(path))
        {
            make().Save(path);
        }

        return Model.Load(path);
    }

    private Model Base(Task task)
    {
        TrainStudyCase training = task.Training;
        FitOptions how = training.Options with { Seed = task.Seed, KeepBest = false };
        how = training.FromScratch ? how with { Normalization = Normalization.Measure(TrainingData.Of(task.Train)) } : how;
        return training.Start(Shared, task.Seed).Fit(task.Train, null, how, Options).Model;
    }

    private FitResult Fit(Task task, Model model, int epochs, Func<FitOptions, FitOptions> change) => model.Fit(
        task.Train,
        null,
        change(new()
        {
            Seed = task.Seed,
            Epochs = epochs,
            BatchSize = Batch,
            Rate = LearningRate.Cosine(Set("rate", task.Case.Rate), 0.02),
            Augmentations = task.Training.Options.Augmentations,
            RelativeRates = true,
            KeepBest = false,
        }),
        Options);

    private (Model Float, Model Integers, long Steps) Make(string row, Task task, Model start, Model fair)
    {
        int epochs = task.Case.Epochs;
        Teacher teacher = new(fair.Module, (float)Set("teacher", 0.7), 3);
        switch (row)
        {
            case "fair-ptq":
                return (fair, Quantized(fair, task), epochs * StepsOf(task));
            case "int8":
                return Ours(task, start, teacher, null, null);
            case "ours":
                return Ours(task, start, teacher, task.Case.Sparsity, task.Case.Codes);
            case "ours-8":
                return Ours(task, start, teacher, task.Case.Sparsity, 8);
            case "ours-16":
                return Ours(task, start, teacher, task.Case.Sparsity, 16);
            case "ours-80":
                return Ours(task, start, teacher, 0.8, 8);
            case "ours-aim":
                return Ours(task, start, teacher, task.Case.Aim.Sparsity, task.Case.Aim.Codes);
            case "pruned-ptq":
                {
                    FitResult pruned = Fit(task, start, epochs, how => how with { Pruning = ToolkitPruning });
                    return (pruned.Model, Quantized(pruned.Model, task), pruned.Steps);
                }

            case "toolkit-qat":
                return Toolkit(task, start, sparse: false, codes: 0, aware: true);
            case "toolkit-pqat":
                return Toolkit(task, start, sparse: true, codes: 0, aware: true);
            case "toolkit-cqat32":
                return Toolkit(task, start, sparse: false, codes: 32, aware: true);
            case "toolkit-cqat16":
                return Toolkit(task, start, sparse: false, codes: 16, aware: true);
            case "toolkit-pc8-ptq":
                return Toolkit(task, start, sparse: true, codes: 8, aware: false);
            case "toolkit-pcqat16":
                return Toolkit(task, start, sparse: true, codes: 16, aware: true);
            case "toolkit-pcqat8":
                return Toolkit(task, start, sparse: true, codes: 8, aware: true);
            default:
                throw new ArgumentException($"'{row}' is none of {string.Join(", ", AllRows)}.", nameof(row));
        }
    }

    /// <summary>Everything in one run, with distillation.</summary>
    private (Model, Model, long) Ours(Task task, Model start, Teacher teacher, double? sparsity, int? codes)
    {
        sparsity = sparsity is { } share ? Set("sparsity", share) : null;
        codes = codes is { } count ? (int)Set("codes", count) : null;
        FitResult made = Fit(task, start, task.Case.Epochs, how => how with
        {
            Step = how.Step with { Teacher = teacher },
            Pruning = sparsity is not { } part ? null : new(PruningSchedule.Polynomial(part, 3, end: Set("ramp", 0.4)))
            {
                Every = 5,
                Distribution = SparsityDistribution.Global,
                Criterion = PruningCriterion.NormalizedMagnitude,
                Selection = PruningSelection.Default with { Depthwise = Set("depthwise", task.Case.Name == "fashion-mobilenet" ? 0 : 1) > 0 },
            },
            Clustering = codes is not { } number ? null : new(number)
            {
                Begin = Set("begin", 0.4),
                Freeze = Set("freeze", 0.85),
                BitPrice = Set("price", 0),
                Depthwise = Set("depthwise", task.Case.Name == "fashion-mobilenet" ? 0 : 1) > 0,
            },
            Quantization = QuantizationAware.Default with { FreezeStatistics = Set("statistics", 0.7) },
        });
        return (made.Model, made.Model.ToInt8(Options), made.Steps);
    }

    /// <summary>
    /// Stages that each restart the optimizer: constant sparsity for each layer, float centroids from k-means++ without a grid, moving
    /// extremes; depthwise layers are left alone. Ranges begin where calibration puts them, which is kinder than the toolkit's +-6.
    /// </summary>
    private (Model, Model, long) Toolkit(Task task, Model start, bool sparse, int codes, bool aware)
    {
        int stages = (sparse ? 1 : 0) + (codes > 0 ? 1 : 0) + (aware ? 1 : 0);
        int left = task.Case.Epochs;
        long steps = 0;
        Model model = start;
        int Take()
        {
            int epochs = (left + stages - 1) / stages;
            (left, stages) = (left - epochs, stages - 1);
            return epochs;
        }

        if (sparse)
        {
            Train(how => how with { Pruning = ToolkitPruning });
        }

        if (codes > 0)
        {
            Train(how => how with
            {
                Clustering = new(codes) { OnGrid = false, Initializer = CentroidInitializer.KMeansPlusPlus(), PinsZero = sparse },
            });
        }

        if (!aware)
        {
            return (model, Quantized(model, task), steps);
        }

        Train(how => how with
        {
            Quantization = QuantizationAware.Default with { Ranges = RangeLearning.MovingAverage, Momentum = 0.99f, FreezeStatistics = 1 },
        });
        return (model, model.ToInt8(Options), steps);

        void Train(Func<FitOptions, FitOptions> change)
        {
            FitResult made = Fit(task, model, Take(), change);
            (model, steps) = (made.Model, steps + made.Steps);
        }
    }

    private static Pruning ToolkitPruning => new(PruningSchedule.Constant(0.5)) { Every = 100 };

    private Model Quantized(Model model, Task task) => model.Quantize(QuantizationRecipe.StaticInt8, First(task.Train, CalibrationSamples), Options);

    private static Dataset First(Dataset data, int count)
    {
        TensorData[] rows = [.. data.Columns[0].Rows()];
        TensorData[] taken = [.. Enumerable.Range(0, count).Select(i => rows[(int)((long)i * rows.Length / count)])];
        Shape shape = Shape.Of([count, .. taken[0].Shape.Dims]);
        return Dataset.Of(TensorData.FromFloats(shape, [.. taken.SelectMany(t => t.AsFloats().ToArray())]));
    }

    private static long StepsOf(Task task) => (task.Train.Count + Batch - 1) / Batch;

    private static bool[] Correct(Module module, Dataset test)
    {
        using Interpreter interpreter = new(module);
        SampleReader reader = new(module, interpreter);
        int[] labels = [.. test.Labels!.Rows().Select(r => r.AsInts()[0])];
        bool[] correct = new bool[labels.Length];
        foreach (CalibrationSample sample in test.For(module).Samples())
        {
            reader.Fill(sample.Index, sample.Steps[0]);
            interpreter.Run();
            ReadOnlySpan<sbyte> scores = interpreter.Output<sbyte>(0);
            int best = 0;
            for (int i = 1; i < scores.Length; i++)
            {
                best = scores[i] > scores[best] ? i : best;
            }

            correct[sample.Index] = best == labels[sample.Index];
        }

        return correct;
    }
}
