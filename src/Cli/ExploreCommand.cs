using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Files;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Optimize;
using Optc.Optimize.Explore;
using Optc.Report.Compression;

namespace Optc.Cli;

internal sealed class ExploreCommand : Verb
{
    private static readonly ExplorationOptions Defaults = new();

    private readonly Argument<string> _model = SharedOptions.Model(description: "Trained float model: a .tflite file.");
    private readonly Option<bool> _force = SharedOptions.Force();
    private readonly Option<int> _threads = SharedOptions.Threads();
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<string?> _y = SharedOptions.Y();
    private readonly Option<string> _recipe = RecipeOptions.Recipe("pcqat-staged");
    private readonly Option<string> _data = RecipeOptions.Data();
    private readonly Option<string?> _test = RecipeOptions.Test();
    private readonly Option<string?> _metric = RecipeOptions.Metric();
    private readonly Option<int?> _epochs = RecipeOptions.Epochs();
    private readonly Option<bool> _emptyClasses = RecipeOptions.EmptyClasses();
    private readonly Option<ulong> _seed = RecipeOptions.Seed();

    private readonly Option<string> _report = new("--report")
    {
        HelpName = "DIR",
        Description = "Folder of the exploration: report.html, report.md and report.json, winner.tflite with its recipe, and what is needed to go on. "
            + "The folder of an earlier run is gone on with, and its report is renewed.",
        Required = true,
    };

    private readonly Option<double[]?> _sparsities = new("--sparsities")
    {
        HelpName = "LIST",
        Description = $"Sparsities to try, separated by commas; {string.Join(',', Defaults.Sparsities.Select(s => s.ToString(CultureInfo.InvariantCulture)))} unless given.",
        CustomParser = result => ParseList(result, double.Parse),
    };

    private readonly Option<int[]?> _codes = new("--codes")
    {
        HelpName = "LIST",
        Description = $"Numbers of codes to try, separated by commas; {string.Join(',', Defaults.Codes)} unless given.",
        CustomParser = result => ParseList(result, int.Parse),
    };

    private readonly Option<int?> _trials = new("--trials") { HelpName = "N", Description = "Trials at most; those near the root of the tree come first." };
    private readonly Option<string?> _budget = new("--budget") { HelpName = "TIME", Description = "Ends after this time, such as 90s, 30m or 1h30m; the same command goes on." };
    private readonly Option<int> _jobs = new("--jobs") { HelpName = "N", Description = "Trials at a time, which share the threads; results do not depend on it.", DefaultValueFactory = _ => 1 };

    private readonly Option<double?> _maxDrop = new("--max-drop")
    {
        HelpName = "POINTS",
        CustomParser = SharedOptions.ParseOptionalNumber,
        Description = "The winner is the smallest model whose score drops by no more percentage points; when given, exit code 5 if there is none. 1 unless given.",
    };

    private readonly Option<string> _coder = new Option<string>("--coder")
    {
        HelpName = "NAME",
        Description = "What the size of a model is, for front and winner: its integer weights by "
            + $"{string.Join(", ", WeightCoders.All.Select(c => c.Name))}; payload, the weights as they are stored; file, or file-gzip. "
            + "A run that goes on by another one trains nothing anew.",
        DefaultValueFactory = _ => Defaults.Coder.Name,
    }.OneOf([.. SizeMeasure.All.Select(m => m.Name)]);

    public ExploreCommand(Terminal terminal)
        : base("explore", "Try pruning, clustering and quantization of a model in many ways, and show what accuracy each size has.", terminal)
    {
        Arguments.Add(_model);
        _test.Required = true;
        _jobs.Validators.Add(result => SharedOptions.RequireRange(result, _jobs, 1, 1024));
        _trials.Validators.Add(result => SharedOptions.RequireRange(result, _trials, 1, int.MaxValue));
        foreach (Option option in (ReadOnlySpan<Option>)[
            _data, _test, _report, _x, _y, _metric, _recipe, _sparsities, _codes, _epochs, _emptyClasses, _trials, _budget, _jobs, _coder, _maxDrop, _seed, _threads, _force])
        {
            Options.Add(option);
        }
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("the whole tree, two trials at a time", "optc explore kws.tflite --data train.npz --test test.npz --report tree --jobs 2"),
        new("what half an hour brings; run again it goes on", "optc explore kws.tflite --data train.npz --test test.npz --report tree --budget 30m --max-drop 0.5"),
        new("other numbers", "optc explore kws.tflite --data train.npz --test test.npz --report tree --sparsities 0.5,0.8 --codes 4,8 --epochs 6"),
        new("the smallest model for an Ethos-U", "optc explore kws.tflite --data train.npz --test test.npz --report tree --coder ethos-u"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string data = arguments.GetRequiredValue(_data);
        string test = arguments.GetRequiredValue(_test)!;
        string folder = arguments.GetRequiredValue(_report);
        RecipeOptions chosen = new(arguments.GetRequiredValue(_recipe), arguments.GetValue(_epochs), null, null);

        // A folder with trials is one that is gone on with: its report is renewed.
        bool goesOn = Directory.Exists(Path.Combine(folder, "trials"));
        PlannedFiles files = new(
            folder, [.. CompressionFiles.Names, "winner.tflite", "winner.recipe.yaml"], goesOn || arguments.GetValue(_force), path, data, test, chosen.File);
        OptimizationRecipe settings = chosen.Load();
        DatasetOptions columns = new() { X = arguments.GetValue(_x), Y = arguments.GetValue(_y) };
        Model source = Model.Load(path);
        Dataset train = Dataset.Load(data, columns);
        Dataset scored = Dataset.Load(test, columns);
        if (Path.GetFullPath(test) == Path.GetFullPath(data))
        {
            Terminal.Note("the test data are the training data: the scores say nothing about other samples");
        }

        Lock gate = new();
        int done = 0;
        double? allowed = arguments.GetValue(_maxDrop);
        ExplorationOptions options = new()
        {
            Sparsities = arguments.GetValue(_sparsities) is { } sparsities ? [.. sparsities] : Defaults.Sparsities,
            Codes = arguments.GetValue(_codes) is { } codes ? [.. codes] : Defaults.Codes,
            Settings = settings,
            Trials = arguments.GetValue(_trials),
            Budget = arguments.GetValue(_budget) is { } time ? DurationText.Parse(_budget.Name, time) : null,
            Jobs = arguments.GetValue(_jobs),
            Coder = SizeMeasure.Find(arguments.GetRequiredValue(_coder))!,
            MaximumDrop = allowed ?? Defaults.MaximumDrop,
            TrialDone = (trial, before) =>
            {
                lock (gate)
                {
                    done++;
                    Terminal.Note(string.Create(
                        CultureInfo.InvariantCulture,
                        $"trial {done}: {trial.Name}: {(trial.Failure is { } failure ? failure : $"score {trial.Score:0.0000}, {trial.Coder} {ByteSize.Show(trial.CodedBytes)}")}{(before ? ", done before" : "")}"));
                }
            },
        };
        OptimizationOptions how = new()
        {
            Seed = arguments.GetValue(_seed),
            Metric = RecipeOptions.MetricOf(arguments.GetValue(_metric), settings),
            AllowEmptyClasses = arguments.GetValue(_emptyClasses),
            Command = $"optc {string.Join(' ', arguments.Tokens.Select(t => t.Value))}",
            Work = new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation },
        };
        Exploration result;
        try
        {
            result = Exploration.Run(source, train, scored, folder, options, how);
        }
        catch (OperationCanceledException)
        {
            Terminal.Note($"interrupted; the same command goes on from '{folder}'");
            throw;
        }

        CompressionReport report = CompressionReport.Build(result.Best.Run, how.Work);
        Write(files, report, result, folder);
        ImmutableArray<Diagnostic> missed = allowed is null || result.Winner is not null ? [] :
        [
            new Diagnostic(DiagnosticId.BudgetNotMet, "every trial drops by more than allowed")
            {
                At = [path],
                Found = string.Create(CultureInfo.InvariantCulture, $"{result.Trials.Where(t => t.Failure is null).Min(result.DropOf):F2} at the least"),
                Expected = string.Create(CultureInfo.InvariantCulture, $"{allowed} at most"),
                Hint = "more --epochs, more --codes, lower --sparsities",
            },
        ];
        new ExplorationView(path, folder, result).Print(Terminal, missed);
        return missed.IsEmpty ? ExitCode.Success : throw new DiagnosticException(missed);
    }

    /// <summary>The report, and the winner if there is one; one of an earlier run does not stay beside a report that does not know it.</summary>
    private static void Write(PlannedFiles files, CompressionReport report, Exploration result, string folder)
    {
        ImmutableArray<Action<Stream>> contents = [.. CompressionFiles.Of(report).Files.Select(f => f.Write)];
        if (result.Winner is not null)
        {
            files.Write([.. contents, s => s.Write(result.Best.File.Span), s => s.Write(Encoding.UTF8.GetBytes(result.Best.Recipe.ToYaml()))]);
            return;
        }

        OutputFiles.Write([.. files.Paths.Take(contents.Length).Zip(contents)], overwrite: true);
        File.Delete(Path.Combine(folder, "winner.tflite"));
        File.Delete(Path.Combine(folder, "winner.recipe.yaml"));
    }

    private static T[]? ParseList<T>(ArgumentResult result, Func<string, IFormatProvider, T> parse)
    {
        string text = result.Tokens[0].Value;
        try
        {
            return [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(t => parse(t, CultureInfo.InvariantCulture))];
        }
        catch (Exception problem) when (problem is FormatException or OverflowException)
        {
            result.AddError($"{(result.Parent as OptionResult)?.Option.Name} is '{text}', but has to be numbers separated by commas, such as {(typeof(T) == typeof(int) ? "8,16" : "0.5,0.7")}");
            return null;
        }
    }
}
