using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Optimize;
using Optc.Report.Compression;

namespace Optc.Cli;

internal sealed class OptimizeCommand : Verb
{
    private const string DefaultRecipe = "pcqat";

    private readonly Argument<string> _model = SharedOptions.Model(description: "Trained float model: a .tflite file.");
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h. The effective recipe is written beside it, as FILE.recipe.yaml.");
    private readonly Option<bool> _force = SharedOptions.Force();
    private readonly Option<int> _threads = SharedOptions.Threads();
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<string?> _y = SharedOptions.Y();
    private readonly Option<string> _recipe = RecipeOptions.Recipe(DefaultRecipe);
    private readonly Option<string> _data = RecipeOptions.Data();
    private readonly Option<string?> _test = RecipeOptions.Test();
    private readonly Option<string?> _metric = RecipeOptions.Metric();
    private readonly Option<int?> _epochs = RecipeOptions.Epochs();
    private readonly Option<double?> _sparsity = RecipeOptions.Sparsity();
    private readonly Option<int?> _codes = RecipeOptions.Codes();
    private readonly Option<ulong> _seed = RecipeOptions.Seed();
    private readonly Option<string?> _names = SharedOptions.Names();

    private readonly Option<bool> _emptyClasses = RecipeOptions.EmptyClasses();

    private readonly Option<string?> _report = new("--report")
    {
        HelpName = "DIR",
        Description = "Writes report.html, report.md and report.json: stages, layers, where the bytes went, proofs.",
    };

    private readonly Option<string?> _maxSize = new("--max-size", "--max-bytes")
    {
        HelpName = "BYTES",
        Description = "Fail, with exit code 5, if the .tflite file is larger; k is 1024, M is 1024 k.",
    };

    private readonly Option<double?> _maxDrop = new("--max-drop")
    {
        HelpName = "POINTS",
        CustomParser = SharedOptions.ParseOptionalNumber,
        Description = "Fail, with exit code 5, if the accuracy on --test drops by more percentage points.",
    };

    private readonly Option<string?> _work = new("--work")
    {
        HelpName = "DIR",
        Description = "Folder of finished stages and checkpoints, from which the same command goes on; recipes that begin alike share stages in it. "
            + "FILE.work unless given, which is deleted at the end.",
    };

    public OptimizeCommand(Terminal terminal)
        : base("optimize", "Prune, cluster, train for integers and quantize a model by a recipe, and prove what came of it.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[
            _output, _recipe, _data, _test, _x, _y, _metric, _report, _epochs, _sparsity, _codes, _emptyClasses, _maxDrop, _maxSize, _seed, _names, _threads, _work, _force])
        {
            Options.Add(option);
        }

        Validators.Add(result =>
        {
            if (result.GetValue(_maxDrop) is not null && result.GetValue(_test) is null)
            {
                result.AddError("--max-drop compares accuracies, which need labelled data: give --test DATA");
            }
        });
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("zeros, shared values and int8 in one run, with a report", "optc optimize kws.tflite -o kws-int8.tflite --data train.npz --test test.npz --report report"),
        new("another recipe of those that 'optc recipes' lists, with other numbers", "optc optimize kws.tflite -o kws-int8.tflite --recipe cqat --codes 32 --epochs 20 --data train.npz"),
        new("a recipe of your own", "optc optimize kws.tflite -o kws-int8.tflite --recipe mine.yaml --data train.npz --test test.npz"),
        new("budgets: at most 40 KiB and one point of accuracy", "optc optimize kws.tflite -o kws-int8.tflite --data train.npz --test test.npz --max-size 40k --max-drop 1"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string data = arguments.GetRequiredValue(_data);
        string? test = arguments.GetValue(_test);
        string output = arguments.GetRequiredValue(_output);
        string work = arguments.GetValue(_work) ?? $"{output}.work";
        bool force = arguments.GetValue(_force);
        ModelFile model = new(output);
        RecipeOptions chosen = new(arguments.GetRequiredValue(_recipe), arguments.GetValue(_epochs), arguments.GetValue(_sparsity), arguments.GetValue(_codes));
        PlannedFiles files = new([.. model.Paths, $"{output}.recipe.yaml"], force, path, data, test, chosen.File);
        PlannedFiles? report = arguments.GetValue(_report) is { } folder ? new(folder, CompressionFiles.Names, force, path, data, test) : null;
        long? maximumSize = arguments.GetValue(_maxSize) is { } size ? ByteSize.Parse(_maxSize.Name, size) : null;

        OptimizationRecipe recipe = chosen.Load();
        Model source = Model.Load(path);
        DatasetOptions columns = new() { X = arguments.GetValue(_x), Y = arguments.GetValue(_y) };
        Dataset train = Dataset.Load(data, columns);
        Dataset? scored = test is null ? null : Dataset.Load(test, columns);
        if (test is not null && Path.GetFullPath(test) == Path.GetFullPath(data))
        {
            Terminal.Note("the test data are the training data: the scores say nothing about other samples");
        }

        using StageProgress progress = new(Terminal);
        OptimizationOptions options = new()
        {
            Seed = arguments.GetValue(_seed),
            WorkFolder = work,
            Metric = RecipeOptions.MetricOf(arguments.GetValue(_metric), recipe),
            AllowEmptyClasses = arguments.GetValue(_emptyClasses),
            Command = $"optc {string.Join(' ', arguments.Tokens.Select(t => t.Value))}",
            Progress = progress,
            Writing = arguments.WritingOf(_names),
            Work = new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation },
        };
        Optimization result;
        try
        {
            result = recipe.Run(source, train, scored, options);
        }
        catch (OperationCanceledException)
        {
            progress.Dispose();
            Terminal.Note($"interrupted; the same command goes on from '{work}'");
            throw;
        }

        progress.Dispose();
        CompressionReport measured = CompressionReport.Build(result.Run, options.Work);
        ImmutableArray<Diagnostic> missed = Missed(result, output, maximumSize, arguments.GetValue(_maxDrop));
        report?.Write([.. CompressionFiles.Of(measured).Files.Select(f => f.Write)]);
        if (missed.IsEmpty)
        {
            files.Write([.. model.Contents(result.Result), s => s.Write(Encoding.UTF8.GetBytes(result.Recipe.ToYaml()))]);
            if (arguments.GetValue(_work) is null)
            {
                WorkFolder.Clear(work);
            }
        }

        new OptimizationView(path, output, result, measured, arguments.GetValue(_report)).Print(Terminal, missed);
        return missed.IsEmpty ? ExitCode.Success : throw new DiagnosticException(missed);
    }

    private static ImmutableArray<Diagnostic> Missed(Optimization result, string output, long? maximumSize, double? maximumDrop)
    {
        List<Diagnostic> missed = [];
        if (maximumSize is { } size && result.File.Length > size)
        {
            missed.Add(new(DiagnosticId.BudgetNotMet, "the file would be larger than allowed, so it was not written")
            {
                At = [output],
                Found = ByteSize.Show(result.File.Length),
                Expected = $"{ByteSize.Show(size)} at most",
                Hint = "the .tflite file stores a byte for each weight, whatever its value; see the column 'coded' for what a coder makes of it",
            });
        }

        if (maximumDrop is { } drop && result.DropPoints is var points && !(points <= drop))
        {
            missed.Add(new(DiagnosticId.BudgetNotMet, "the score drops by more than allowed, so the file was not written")
            {
                At = [output],
                Found = points is { } lost ? string.Create(CultureInfo.InvariantCulture, $"a drop of {lost:F2} points") : $"{result.Run.Metric.Name}, which has no points",
                Expected = string.Create(CultureInfo.InvariantCulture, $"a drop of {drop} points at most"),
                Hint = "more --epochs, more --codes, less --sparsity; the stages are kept in the work folder",
            });
        }

        return [.. missed];
    }
}
