using System.Diagnostics;
using System.Globalization;
using System.Text;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

/// <summary>Trains on the shared data: accuracy on the test parts, epoch by epoch.</summary>
/// <param name="Shared">Folder of third-party models and data.</param>
/// <param name="Cases">Which; all when empty.</param>
/// <param name="Curves">Folder for a picture of each run, or <see langword="null"/>.</param>
/// <param name="Change">What the options of the command change in those of a case.</param>
internal sealed record TrainStudy(
    string Shared, IReadOnlyList<TrainStudyCase> Cases, ulong Seed, int Threads, string? Curves, Func<Model, FitOptions, FitOptions> Change)
{
    /// <param name="arguments">
    /// <c>SHARED [CASE...] [--seed N] [--threads N] [--curves FOLDER]</c>, and to try other ways <c>--epochs N --batch N --rate R
    /// --optimizer O --loss L --augment LIST|none --average PAST|none --layer-rate REGEX:FACTOR --teacher WEIGHT:TEMPERATURE
    /// --validation PART</c>, as <c>optc train</c> has them; the teacher is the model before training, and a part for validation
    /// leaves the test part alone.
    /// </param>
    /// <exception cref="ArgumentException">No such case or option.</exception>
    public static TrainStudy Parse(ReadOnlySpan<string> arguments)
    {
        string shared = arguments[0];
        List<TrainStudyCase> cases = [];
        TrainStudy study = new(shared, cases, 1, 1, null, (_, how) => how);
        int at = 1;
        for (; at < arguments.Length && !arguments[at].StartsWith('-'); at++)
        {
            cases.Add(TrainStudyCase.Find(arguments[at]));
        }

        for (; at + 1 < arguments.Length; at += 2)
        {
            study = study.With(arguments[at], arguments[at + 1]);
        }

        return cases.Count > 0 ? study : study with { Cases = TrainStudyCase.All };
    }

    public void Print()
    {
        foreach (TrainStudyCase one in Cases)
        {
            Print(one);
        }
    }

    private static float Real(string text) => float.Parse(text, CultureInfo.InvariantCulture);

    private static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static (string Before, float After) Pair(string text)
    {
        int colon = text.LastIndexOf(':');
        return (text[..colon], Real(text[(colon + 1)..]));
    }

    private TrainStudy With(string option, string value)
    {
        return option switch
        {
            "--seed" => this with { Seed = ulong.Parse(value, CultureInfo.InvariantCulture) },
            "--threads" => this with { Threads = Whole(value) },
            "--curves" => this with { Curves = value },
            "--epochs" => Then(how => how with { Epochs = Whole(value) }),
            "--batch" => Then(how => how with { BatchSize = Whole(value) }),
            "--rate" => Then(how => how with { Rate = LearningRate.Parse(value) }),
            "--augment" => Then(how => how with { Augmentations = value == "none" ? [] : Augmentation.Parse(value) }),
            "--validation" => Then(how => how with { ValidationPart = Real(value) }),
            "--optimizer" => Step(how => how with { Optimizer = Optimizer.Parse(value) }),
            "--loss" => Step(how => how with { Loss = Loss.Parse(value) }),
            "--average" => Step(how => how with { MovingAverage = value == "none" ? null : Real(value) }),
            "--layer-rate" => Step(how => how with { Rates = how.Rates.Add(new(Pair(value).Before, Pair(value).After)) }),
            "--teacher" => this with { Change = (start, how) => Taught(Change(start, how), start, Pair(value)) },
            _ => throw new ArgumentException($"'{option}' is no option of train-study.", nameof(option)),
        };

        TrainStudy Then(Func<FitOptions, FitOptions> change) => this with { Change = (start, how) => change(Change(start, how)) };
        TrainStudy Step(Func<TrainingOptions, TrainingOptions> change) => Then(how => how with { Step = change(how.Step) });
    }

    private static FitOptions Taught(FitOptions how, Model teacher, (string Weight, float Temperature) terms) =>
        how with { Step = how.Step with { Teacher = new(teacher.Module, Real(terms.Weight), terms.Temperature) } };

    private void Print(TrainStudyCase one)
    {
        WorkOptions work = new() { Threads = Threads };
        Model start = one.Start(Shared, Seed);
        (Dataset train, Dataset test) = one.Load(Shared);
        FitOptions how = Change(start, one.Options) with { Seed = Seed, KeepBest = false };
        Dataset? scored = how.ValidationPart is null ? test : null;
        Line($"# {one.Name}, seed {Seed}, {Threads} threads, {train.Count} training samples, {test.Count} test samples, bar {100 * one.Bar:0.0} %");
        if (one.FromScratch)
        {
            how = how with { Normalization = Normalization.Measure(TrainingData.Of(train)) };
        }
        else
        {
            Line($"before: {100 * start.Evaluate(test, options: work).Value:0.00} % of the test part");
        }

        Line($"| epoch | rate | loss | {(scored is null ? "validation" : "test")} % | seconds |\n|---:|---:|---:|---:|---:|");
        long begin = Stopwatch.GetTimestamp();
        FitResult result = start.Fit(train, scored, how with { Progress = new Printer(begin) }, work);
        double reached = result.Model.Evaluate(test, options: work).Value;
        Line($"after: {100 * reached:0.00} % of the test part ({(reached >= one.Bar ? "reached" : "MISSED")}); values of a step {result.StepBytes / 1e6:0.0} MB, peak memory of the process {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB");
        if (Curves is not null)
        {
            Directory.CreateDirectory(Curves);
            string svg = LearningCurve.ToSvg(result.History, result.Metric, string.Create(CultureInfo.InvariantCulture, $"{one.Name}, seed {Seed}"));
            File.WriteAllText(Path.Combine(Curves, string.Create(CultureInfo.InvariantCulture, $"{one.Name}-{Seed}.svg")), svg, new UTF8Encoding(false));
        }
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private sealed class Printer(long begin) : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            if (value.Finished is { } epoch)
            {
                Line($"| {epoch.Epoch} | {epoch.Rate:0.0e0} | {epoch.Loss:0.0000} | {100 * epoch.Score:0.00} | {Stopwatch.GetElapsedTime(begin).TotalSeconds:0} |");
            }
        }
    }
}
