using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Optimize.Recipes;
using Optc.Report.Compression;

namespace Optc.Optimize.Explore;

/// <summary>Runs the trials of a deployment tree, several at a time, each once.</summary>
internal sealed class Explorer
{
    // A drop that is allowed to the last digit must not fail by the rounding of its own subtraction.
    private const double RoundingOfPoints = 1e-9;

    private readonly Model _model;
    private readonly Dataset _test;
    private readonly ExplorationOptions _options;
    private readonly OptimizationOptions _how;
    private readonly RecipeRunner _runner;
    private readonly TrialStore _store;
    private readonly ImmutableArray<PlannedTrial> _planned;
    private readonly TrialResult?[] _results;
    private int _next = -1;

    public Explorer(Model model, Dataset train, Dataset test, string folder, ExplorationOptions options, OptimizationOptions how)
    {
        Check(options);
        ImmutableArray<PlannedTrial> tree = DeploymentTree.Of(options);
        _planned = [.. tree.Take(options.Trials ?? tree.Length)];
        foreach (PlannedTrial trial in _planned)
        {
            trial.Recipe.Require();
        }

        (_model, _test, _options, _how) = (model, model.Inputs.All(i => i.Type.DType is DType.F32) ? test.InRealNumbers() : test, options, how);
        string trials = Path.Combine(folder, "trials");
        _runner = new(model, train, test, how with { WorkFolder = Path.Combine(folder, "stages") });
        Directory.CreateDirectory(trials);
        _store = new(trials);
        _results = new TrialResult?[_planned.Length];
    }

    public Exploration Run()
    {
        using CancellationTokenSource budget = CancellationTokenSource.CreateLinkedTokenSource(_how.Work.Cancellation);
        long begin = Stopwatch.GetTimestamp();
        if (_options.Budget is { } time)
        {
            budget.CancelAfter(time);
        }

        int jobs = Math.Clamp(_options.Jobs, 1, _planned.Length);
        WorkOptions work = _how.Work with { Threads = Math.Max(1, _how.Work.Threads / jobs), Cancellation = budget.Token };
        string scored = Fingerprint.Of(_runner.Origin, Fingerprint.Of(_test), _how.Metric.Name);
        Task[] workers = [.. Enumerable.Range(0, jobs).Select(_ => Task.Factory.StartNew(
            () => Work(scored, work, budget, begin), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        try
        {
            Task.WaitAll(workers, CancellationToken.None);
        }
        catch (AggregateException several)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(
                several.Flatten().InnerExceptions.FirstOrDefault(e => e is not OperationCanceledException) ?? several.InnerException!);
        }

        _how.Work.Cancellation.ThrowIfCancellationRequested();
        return Conclude();
    }

    /// <summary>Takes trials until there are none left, or the time is over.</summary>
    private void Work(string scored, WorkOptions work, CancellationTokenSource budget, long begin)
    {
        try
        {
            for (int i = Interlocked.Increment(ref _next); i < _planned.Length; i = Interlocked.Increment(ref _next))
            {
                string key = Fingerprint.Of(scored, string.Concat(_planned[i].Recipe.Steps.Select(RecipeWriter.Write)));
                KeptTrial? kept = _store.Find(key);
                TrialResult? known = kept?.By(_options.Coder);
                if (known is null)
                {
                    // The timer that cancels is late on a busy machine, later than a short trial takes.
                    if (Stopwatch.GetElapsedTime(begin) >= _options.Budget)
                    {
                        budget.Cancel();
                    }

                    work.Cancellation.ThrowIfCancellationRequested();
                    kept = Try(_planned[i], work, kept?.Sizes ?? []);
                    _store.Keep(key, kept);
                    _results[i] = kept.By(_options.Coder);
                    _options.TrialDone?.Invoke(_results[i]!, false);
                }
                else
                {
                    _results[i] = known with { Name = _planned[i].Name };
                    _options.TrialDone?.Invoke(_results[i]!, true);
                }
            }
        }
        catch (OperationCanceledException) when (work.Cancellation.IsCancellationRequested)
        {
            // The time is over; whoever asked for the end of everything is told by the caller.
        }
        catch
        {
            // The other workers need not finish what nobody is going to see.
            budget.Cancel();
            throw;
        }
    }

    /// <summary>Tries a recipe. One that was tried before, and is not known by the measure of this run, has its stages kept: it is measured without training.</summary>
    /// <param name="sizes">What is known of it by other measures; gets its size by this one.</param>
    private KeptTrial Try(PlannedTrial trial, WorkOptions work, SortedDictionary<string, long> sizes)
    {
        try
        {
            Optimization made = _runner.Run(trial.Recipe, work, progress: null, isComplete: false);
            StageResult last = made.Run.Stages[^1];
            sizes[_options.Coder.Name] = _options.Coder.Count(made);
            return new(
                new(
                    trial.Name,
                    made.Recipe.ToYaml(),
                    last.FloatScore!.Value,
                    last.Int8Score!.Value,
                    _options.Coder.Name,
                    sizes[_options.Coder.Name],
                    made.File.Length,
                    WeightCoders.Gzip.CountBytes(made.File.Span),
                    Fingerprint.Of(made.File.Span)),
                sizes);
        }
        catch (DiagnosticException problem) when (problem.Diagnostics.All(d => d.Id == DiagnosticId.RunFailed))
        {
            return new(new(trial.Name, trial.Recipe.ToYaml(), 0, 0, _options.Coder.Name, 0, 0, 0, "", problem.Diagnostics[0].Message), sizes);
        }
    }

    private Exploration Conclude()
    {
        ImmutableArray<TrialResult> trials = [.. _results.OfType<TrialResult>()];
        ImmutableArray<TrialResult> sound = [.. trials.Where(t => t.Failure is null)];
        if (sound.IsEmpty)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.BudgetNotMet, "no trial was finished")
            {
                Found = trials.IsEmpty ? "none within the time" : trials[0].Failure,
                Hint = "give it more time; it goes on where it was",
            });
        }

        Metric metric = _how.Metric;
        double baseline = _model.Evaluate(_test, metric, _how.Work with { Progress = null }).Value;
        TrialResult? winner = sound
            .Where(t => Exploration.DropOf(metric, baseline, t.Score) <= _options.MaximumDrop + RoundingOfPoints)
            .OrderBy(t => t.CodedBytes).ThenBy(t => Exploration.DropOf(metric, baseline, t.Score)).FirstOrDefault();
        TrialResult best = winner ?? sound.OrderBy(t => Exploration.DropOf(metric, baseline, t.Score)).ThenBy(t => t.CodedBytes).First();
        ImmutableArray<ParetoPoint> points = [.. sound.Select(t => new ParetoPoint(t.Name, t.CodedBytes, t.Score, Chosen: t == winner))];

        // All of its stages are kept, so this trains nothing.
        Optimization made = _runner.Run(_planned[Array.IndexOf(_results, best)].Recipe, _how.Work with { Progress = null }, progress: null);
        return new(
            baseline,
            metric,
            _options.Coder,
            trials,
            [.. _planned.Where((_, i) => _results[i] is null).Select(p => p.Name)],
            ParetoFront.Of(points, metric.HigherIsBetter),
            winner,
            made with { Run = made.Run with { Pareto = points, ParetoMeasure = _options.Coder.Description, Coders = Coders(made.Run.Coders) } });
    }

    /// <summary>The coders of a report, with the one that models are chosen by in front.</summary>
    private ImmutableArray<IWeightCoder> Coders(ImmutableArray<IWeightCoder> coders) =>
        WeightCoders.Find(_options.Coder.Name) is { } chosen ? [chosen, .. coders.Where(c => c.Name != chosen.Name)] : coders;

    private static void Check(ExplorationOptions options)
    {
        List<Diagnostic> problems = [];
        Require(options.Sparsities.All(s => s is > 0 and < 1), "a sparsity cannot be tried", string.Join(", ", options.Sparsities.Select(s => s.ToString(CultureInfo.InvariantCulture))), "numbers above 0 and below 1");
        Require(options.Codes.All(c => c is >= 2 and <= 256), "a number of codes cannot be tried", string.Join(", ", options.Codes), "whole numbers from 2 to 256");
        Require(options.Trials is null or >= 1, "the number of trials is not allowed", options.Trials?.ToString(CultureInfo.InvariantCulture), "1 or more");
        Require(options.Budget is not { } time || time > TimeSpan.Zero, "there is no time", options.Budget?.ToString(), "a time above 0");
        Require(options.Jobs >= 1, "the number of trials at a time is not allowed", options.Jobs.ToString(CultureInfo.InvariantCulture), "1 or more");
        Require(options.Settings.Steps.OfType<QuantizeStep>().All(q => q.Recipe.StartsWith("static-", StringComparison.Ordinal)), "an exploration makes integer models", options.Settings.Name, "a recipe with static-int8 or static-int16x8");
        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }

        void Require(bool holds, string message, string? found, string expected)
        {
            if (!holds)
            {
                problems.Add(new(DiagnosticId.InvalidOption, message) { Found = found, Expected = expected });
            }
        }
    }
}
