using System.Collections.Concurrent;
using Optc.Architectures;
using Optc.Ir;
using Optc.Optimize;
using Optc.Optimize.Explore;
using Xunit;

namespace Optc.Tests.Unit.Library.Optimize;

public sealed class ExplorationTests : IDisposable
{
    private const int Samples = 48;
    private const int Classes = 3;

    private static readonly ExplorationOptions Small = new()
    {
        Sparsities = [0.5],
        Codes = [4],
        Settings = OptimizationRecipe.Parse("steps:\n- prune\n- cluster:\n    depthwise: true\n- fine-tune:\n    epochs: 1\n    batch: 16\n- quantize\n"),
        MaximumDrop = 5,
    };

    private readonly string _root = Directory.CreateTempSubdirectory("optc-explore-").FullName;

    [Fact]
    public void The_tree_has_every_branch_with_and_without_training_for_integers()
    {
        Assert.Equal(
            [
                "PTQ", "QAT", "pruned 50 %, PTQ", "pruned 50 %, PQAT", "4 codes, PTQ", "4 codes, CQAT", "pruned 50 %, 4 codes, PCQAT in one run",
                "pruned 50 %, 4 codes, PTQ", "pruned 50 %, 4 codes, PCQAT",
            ],
            DeploymentTree.Of(Small).Select(t => t.Name));
        Assert.Equal(2 + (2 * 2) + (2 * 3) + (3 * 2 * 3), DeploymentTree.Of(new()).Length);
        Assert.All(DeploymentTree.Of(new()), t => Assert.Empty(t.Recipe.Contradictions()));
    }

    [Fact]
    public void Several_trials_at_a_time_give_the_same_results_and_share_what_they_begin_with()
    {
        Exploration one = Explore("one", Small);
        Exploration three = Explore("three", Small with { Jobs = 3 }, threads: 3);

        Assert.Equal(9, one.Trials.Length);
        Assert.Equal(one.Trials.AsEnumerable(), three.Trials);
        Assert.Equal((one.Baseline, one.Winner), (three.Baseline, three.Winner));
        Assert.Equal(one.Front.AsEnumerable(), three.Front);
        Assert.Equal(one.Best.File.ToArray(), three.Best.File.ToArray());

        // QAT; pruned, and PQAT; clustered, and CQAT; the joint run; clustered after pruning, and PCQAT: each once.
        Assert.All(new[] { "one", "three" }, f => Assert.Equal(8, Directory.GetFiles(Path.Combine(_root, f, "stages"), "*.json").Length));
    }

    [Fact]
    public void The_winner_is_the_smallest_that_drops_by_no_more_than_allowed()
    {
        Exploration result = Explore("tree", Small);

        TrialResult[] allowed = [.. result.Trials.Where(t => 100 * (result.Baseline - t.Score) <= 5 + 1e-9)];
        Assert.Equal(allowed.Length == 0 ? null : allowed.Min(t => t.CodedBytes), result.Winner?.CodedBytes);
        foreach (TrialResult trial in result.Trials)
        {
            bool beaten = result.Trials.Any(o => o.CodedBytes <= trial.CodedBytes && o.Score >= trial.Score && (o.CodedBytes < trial.CodedBytes || o.Score > trial.Score));
            Assert.Equal(!beaten, result.Front.Single(p => p.Name == trial.Name).OnFront);
        }

        Assert.Equal(9, result.Best.Run.Pareto.Length);
        Assert.Null(Explore("tree", Small with { MaximumDrop = -200 }).Winner);
    }

    [Fact]
    public void The_recipe_of_a_trial_gives_its_file_again()
    {
        Exploration result = Explore("tree", Small);

        foreach (TrialResult trial in new[] { result.Trials[4], result.Trials[6], result.Trials[8] })
        {
            Optimization again = OptimizationRecipe.Parse(trial.Recipe).Run(Start(), Data(1), Data(2));

            Assert.Equal(trial.Sha256, Fingerprint.Of(again.File.Span));
            Assert.Equal(trial.Score, again.ScoreAfter);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_run_that_is_ended_loses_no_finished_trial(int jobs)
    {
        Exploration whole = Explore("whole", Small);
        using CancellationTokenSource cancel = new();
        int done = 0;
        ExplorationOptions ending = Small with
        {
            Jobs = jobs,
            TrialDone = (_, _) =>
            {
                if (Interlocked.Increment(ref done) == 4)
                {
                    cancel.Cancel();
                }
            },
        };
        Assert.Throws<OperationCanceledException>(() => Explore("cut", ending, cancellation: cancel.Token));
        ConcurrentBag<bool> before = [];

        Exploration resumed = Explore("cut", Small with { TrialDone = (_, known) => before.Add(known) });

        Assert.InRange(before.Count(known => known), 4, 4 + jobs - 1);
        Assert.Equal(whole.Trials.AsEnumerable(), resumed.Trials);
        Assert.Equal(whole.Best.File.ToArray(), resumed.Best.File.ToArray());
    }

    [Fact]
    public void A_budget_of_time_leaves_the_rest_for_later()
    {
        DiagnosticException nothing = Assert.Throws<DiagnosticException>(() => Explore("tree", Small with { Budget = TimeSpan.FromTicks(1) }));
        Assert.Equal(DiagnosticId.BudgetNotMet, nothing.Diagnostics[0].Id);
        Exploration two = Explore("tree", Small with { Trials = 2 });
        Assert.Equal(["PTQ", "QAT"], two.Trials.Select(t => t.Name));

        Exploration none = Explore("tree", Small with { Budget = TimeSpan.FromTicks(1) });

        Assert.Equal(["PTQ", "QAT"], none.Trials.Select(t => t.Name));
        Assert.Equal(7, none.Unfinished.Length);
    }

    [Fact]
    public void A_damaged_trial_is_tried_anew_and_other_data_are_other_trials()
    {
        Exploration first = Explore("tree", Small with { Trials = 1 });
        string file = Assert.Single(Directory.GetFiles(Path.Combine(_root, "tree", "trials")));
        File.WriteAllText(file, File.ReadAllText(file)[..50]);
        List<bool> before = [];

        Exploration again = Explore("tree", Small with { Trials = 1, TrialDone = (_, known) => before.Add(known) });

        Assert.Equal(first.Trials.AsEnumerable(), again.Trials);
        Assert.Equal([false], before);
        Exploration.Run(Start(), Data(1), Data(3), Path.Combine(_root, "tree"), Small with { Trials = 1 });
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_root, "tree", "trials")).Length);
    }

    [Fact]
    public void Another_coder_measures_what_is_kept_without_training()
    {
        Exploration first = Explore("tree", Small with { Trials = 4 });
        (string Name, string Content)[] stages = Stages();
        List<bool> before = [];
        ExplorationOptions byEthosU = Small with { Trials = 4, Coder = SizeMeasure.Find("ethos-u")!, TrialDone = (_, known) => before.Add(known) };

        Exploration second = Explore("tree", byEthosU);

        Assert.Equal([false, false, false, false], before);
        Assert.Equal(stages, Stages());
        Assert.Equal(first.Trials.Select(t => (t.Sha256, t.Score)), second.Trials.Select(t => (t.Sha256, t.Score)));
        Assert.All(second.Trials, t => Assert.Equal("ethos-u", t.Coder));
        Assert.All(second.Trials.Zip(first.Trials), p => Assert.NotEqual(p.Second.CodedBytes, p.First.CodedBytes));
        Assert.All(second.Trials, t => Assert.Equal(0, t.CodedBytes % 16));
        Assert.Equal("ethos-u", second.Best.Run.Coders[0].Name);
        Assert.Equal(second.Front.Select(p => p.CodedBytes).Order(), second.Front.Select(p => p.CodedBytes));

        // Both are kept beside each other now.
        Assert.Equal(first.Trials.AsEnumerable(), Explore("tree", Small with { Trials = 4, TrialDone = (_, known) => before.Add(known) }).Trials);
        Assert.Equal(second.Trials.AsEnumerable(), Explore("tree", byEthosU).Trials);
        Assert.Equal(8, before.Count(known => known));

        (string Name, string Content)[] Stages() =>
            [.. Directory.GetFiles(Path.Combine(_root, "tree", "stages")).Order(StringComparer.Ordinal).Select(f => (f, Convert.ToHexString(File.ReadAllBytes(f))))];
    }

    [Theory]
    [InlineData("file")]
    [InlineData("file-gzip")]
    [InlineData("payload")]
    public void Size_may_be_that_of_the_file_or_of_its_weights(string name)
    {
        Exploration result = Explore("tree", Small with { Trials = 3, Coder = SizeMeasure.Find(name)! });

        Assert.All(result.Trials, t => Assert.Equal(name switch { "file" => t.FileBytes, "file-gzip" => t.GzipBytes, _ => result.Trials[0].CodedBytes }, t.CodedBytes));
        Assert.Equal(SizeMeasure.Find(name)!.Description, result.Best.Run.ParetoMeasure);
    }

    [Fact]
    public void A_training_that_diverges_is_a_result()
    {
        ExplorationOptions wild = Small with
        {
            Settings = OptimizationRecipe.Parse("steps:\n- fine-tune:\n    optimizer: sgd\n    rate: 1e9\n    relative-rates: false\n    batch: 4\n- quantize\n"),
            Trials = 3,
        };

        Exploration result = Explore("wild", wild);

        Assert.Null(result.Trials[0].Failure);
        Assert.Contains("the loss became", result.Trials[1].Failure, StringComparison.Ordinal);
        Assert.Single(result.Front);
        List<bool> before = [];
        Explore("wild", wild with { TrialDone = (_, known) => before.Add(known) });
        Assert.Equal([true, true, true], before);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_together()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Explore("x", new()
        {
            Sparsities = [0.5, 1],
            Codes = [1],
            Trials = 0,
            Budget = TimeSpan.Zero,
            Jobs = 0,
            Settings = new("float", [new QuantizeStep { Recipe = "float16" }]),
        }));

        Assert.Equal(6, problem.Diagnostics.Length);
        Assert.All(problem.Diagnostics, d => Assert.Equal(DiagnosticId.InvalidOption, d.Id));
        Assert.False(Directory.Exists(Path.Combine(_root, "x")));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Exploration Explore(string folder, ExplorationOptions options, int threads = 1, CancellationToken cancellation = default) => Exploration.Run(
        Start(), Data(1), Data(2), Path.Combine(_root, folder), options, new() { Work = new() { Threads = threads, Cancellation = cancellation } });

    private static Model Start() => Model.Of(
        Architecture.Find("ds-cnn-s").Build(new() { Input = [8, 8, 1], Classes = Classes, Width = 0.25, Seed = 4 }), "small.tflite");

    private static Dataset Data(int seed)
    {
        Random random = new(seed);
        return Dataset.Of(
            TensorData.FromFloats([Samples, 8, 8, 1], [.. Enumerable.Range(0, Samples * 64).Select(_ => (float)random.NextDouble())]),
            TensorData.FromInts([Samples], [.. Enumerable.Range(0, Samples).Select(i => i % Classes)]));
    }
}
