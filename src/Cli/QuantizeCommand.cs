using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Cli;

internal sealed class QuantizeCommand : Verb
{
    private const string KeepRecipe = "as the recipe says";

    private static readonly Dictionary<string, DType> Interfaces = new()
    {
        ["int8"] = DType.I8,
        ["uint8"] = DType.U8,
        ["int16"] = DType.I16,
        ["float32"] = DType.F32,
    };

    private static readonly Dictionary<string, WeightGranularity> Granularities = new()
    {
        ["per-tensor"] = WeightGranularity.PerTensor,
        ["per-channel"] = WeightGranularity.PerChannel,
    };

    private readonly Argument<string> _model = SharedOptions.Model(description: "Float model to quantize: a .tflite file.");
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h.");
    private readonly Option<string?> _names = SharedOptions.Names();
    private readonly Option<bool> _force = SharedOptions.Force();
    private readonly Option<int> _threads = SharedOptions.Threads();
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<string?> _y = SharedOptions.Y();
    private readonly Option<int?> _samples = SharedOptions.Samples("Calibrate with the first N samples; with all unless given.");
    private readonly Option<ulong?> _seed = SharedOptions.Seed();

    private readonly Option<string> _recipe = new("--recipe", "-r")
    {
        HelpName = "NAME",
        Description = $"What is made of the model: {string.Join(", ", QuantizationRecipe.All.Select(r => r.Name))}.",
        DefaultValueFactory = _ => QuantizationRecipe.StaticInt8.Name,
    };

    private readonly Option<string?> _calibrate = new("--calibrate", "-c")
    {
        HelpName = "DATA",
        Description = "Typical inputs, some hundred, for static recipes: .npz, .npy, IDX, .wav, or a folder of .npy or .wav.",
    };

    private readonly Option<string> _estimator = new("--estimator")
    {
        HelpName = "NAME",
        Description = "How ranges of activations are found: min-max, moving-average[:MOMENTUM], percentile[:PERCENT], mse, entropy.",
        DefaultValueFactory = _ => RangeEstimator.MinMax.ToString(),
    };

    private readonly Option<string?> _inputType = OneOf("--input-type", "Type of the inputs of the model.", Interfaces.Keys);
    private readonly Option<string?> _outputType = OneOf("--output-type", "Type of the outputs of the model.", Interfaces.Keys);
    private readonly Option<string?> _weights = OneOf("--weights", "Scales of the weights of convolutions.", Granularities.Keys);
    private readonly Option<string?> _denseWeights = OneOf("--dense-weights", "Scales of the weights of dense layers.", Granularities.Keys);

    private readonly Option<string[]> _rule = new("--rule")
    {
        HelpName = "RULE",
        Description = $"Exception for layers, {LayerRuleText.Syntax}. May be repeated; of several that match, the last wins.",
    };

    private readonly Option<string?> _rules = new("--rules")
    {
        HelpName = "FILE",
        Description = "YAML list of exceptions, each a map with 'layer: REGEX' and settings as in --rule; those of --rule come after.",
    };

    private readonly Option<bool> _requireInt8 = new("--require-int8") { Description = "Fail, with exit code 4, if a layer stays float." };

    private readonly Option<string?> _maxSize = new("--max-size")
    {
        HelpName = "BYTES",
        Description = "Fail, with exit code 5, if the .tflite file is larger; k is 1024, M is 1024 k.",
    };

    private readonly Option<string?> _test = new("--test")
    {
        HelpName = "DATA",
        Description = "Labelled data on which the accuracy before and after is measured.",
    };

    private readonly Option<double?> _maxDrop = new("--max-drop")
    {
        HelpName = "POINTS",
        Description = "Fail, with exit code 5, if the accuracy on --test drops by more percentage points.",
    };

    private readonly Option<bool> _noSimplify = new("--no-simplify") { Description = "Quantize the graph as it is, without folding and fusing before." };

    public QuantizeCommand(Terminal terminal)
        : base("quantize", "Turn a float model into an integer model, and report layer by layer what became of it.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[
            _output, _recipe, _calibrate, _x, _samples, _seed, _estimator, _inputType, _outputType, _weights, _denseWeights, _rule, _rules,
            _requireInt8, _maxSize, _test, _y, _maxDrop, _noSimplify, _names, _threads, _force])
        {
            Options.Add(option);
        }

        this.RequireSamplesForSeed(_samples, _seed);
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
        new("full integer, ranges from the first 500 samples", "optc quantize kws.tflite -o kws-int8.tflite --calibrate samples.npz --samples 500"),
        new("float outside, int8 inside; fail if a layer stays float", "optc quantize kws.tflite -o kws-int8.tflite -c samples.npz --input-type float32 --output-type float32 --require-int8"),
        new("keep one layer float, clip outliers of others", "optc quantize kws.tflite -o kws-int8.tflite -c samples.npz --rule '^conv1$: keep-float' --rule 'block: estimator=percentile:99.9'"),
        new("small weights without calibration", "optc quantize kws.tflite -o kws-f16.tflite --recipe float16"),
        new("budgets: at most 60 KiB and half a point of accuracy", "optc quantize kws.tflite -o kws-int8.tflite -c samples.npz --max-size 60k --test test.npz --max-drop 0.5"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        ModelFile output = new(arguments.GetRequiredValue(_output));
        PlannedFiles files = new(output.Paths, arguments.GetValue(_force), path, arguments.GetValue(_calibrate), arguments.GetValue(_test));
        QuantizationRecipe recipe = Recipe(arguments);
        long? maximumSize = arguments.GetValue(_maxSize) is { } size ? ByteSize.Parse(_maxSize.Name, size) : null;
        using LineProgress progress = new(Terminal);
        WorkOptions work = new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation, Progress = progress };

        Model source = Model.Load(path);
        Dataset? calibration = arguments.GetValue(_calibrate) is { } data
            ? arguments.Chosen(Dataset.Load(data, new() { X = arguments.GetValue(_x) }), _samples, _seed)
            : null;
        Dataset? test = arguments.GetValue(_test) is { } labelled ? Dataset.Load(labelled, new() { X = arguments.GetValue(_x), Y = arguments.GetValue(_y) }) : null;

        Model quantized = source.Quantize(recipe, calibration, work).WrittenAs(arguments.WritingOf(_names));
        AccuracyDrop? accuracy = test is null ? null : new(source.Evaluate(test, options: work), quantized.Evaluate(test, options: work));
        progress.Dispose();

        QuantizationView view = new(path, source.Source.Length, arguments.GetRequiredValue(_output), quantized, accuracy);
        ImmutableArray<Diagnostic> missed = Missed(view, maximumSize, arguments.GetValue(_maxDrop));
        if (missed.IsEmpty)
        {
            files.Write(output.Contents(quantized));
        }

        view.Print(Terminal, missed);
        return missed.IsEmpty ? ExitCode.Success : throw new DiagnosticException(missed);
    }

    private static Option<string?> OneOf(string name, string description, IEnumerable<string> values)
    {
        string[] allowed = [.. values];
        return new Option<string?>(name) { HelpName = string.Join('|', allowed), Description = $"{description} Default: {KeepRecipe}." }.OneOf(allowed);
    }

    private QuantizationRecipe Recipe(ParseResult arguments)
    {
        string name = arguments.GetRequiredValue(_recipe);
        QuantizationRecipe recipe = QuantizationRecipe.Find(name) ?? throw new DiagnosticException(
            new Diagnostic(DiagnosticId.InvalidOption, "there is no such recipe")
            {
                Found = $"'{name}'",
                Expected = string.Join(" or ", QuantizationRecipe.All.Select(r => $"'{r.Name}'")),
            });
        ImmutableArray<LayerRule> rules =
        [
            .. arguments.GetValue(_rules) is { } file ? LayerRuleFile.Read(file) : [],
            .. (arguments.GetValue(_rule) ?? []).Select(LayerRuleText.Parse),
        ];
        return recipe with
        {
            Estimator = RangeEstimator.Parse(arguments.GetRequiredValue(_estimator)),
            InputType = arguments.GetValue(_inputType) is { } input ? Interfaces[input] : recipe.InputType,
            OutputType = arguments.GetValue(_outputType) is { } output ? Interfaces[output] : recipe.OutputType,
            Weights = arguments.GetValue(_weights) is { } weights ? Granularities[weights] : recipe.Weights,
            DenseWeights = arguments.GetValue(_denseWeights) is { } dense ? Granularities[dense] : recipe.DenseWeights,
            Rules = rules,
            Prepare = !arguments.GetValue(_noSimplify),
            RequireInteger = arguments.GetValue(_requireInt8),
        };
    }

    private static ImmutableArray<Diagnostic> Missed(QuantizationView view, long? maximumSize, double? maximumDrop)
    {
        List<Diagnostic> missed = [];
        if (maximumSize is { } size && view.BytesAfter > size)
        {
            missed.Add(new(DiagnosticId.BudgetNotMet, "the file would be larger than allowed, so it was not written")
            {
                At = [view.Output],
                Found = ByteSize.Show(view.BytesAfter),
                Expected = $"{ByteSize.Show(size)} at most",
            });
        }

        if (maximumDrop is { } drop && view.Accuracy is { } accuracy && accuracy.Points > drop)
        {
            missed.Add(new(DiagnosticId.BudgetNotMet, "the accuracy drops by more than allowed, so the file was not written")
            {
                At = [view.Output],
                Found = accuracy.ToString(),
                Expected = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a drop of {drop} points at most"),
                Hint = "more typical calibration data, another --estimator, or --rule for the layers with the lowest SQNR",
            });
        }

        return [.. missed];
    }
}
