using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Architectures;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Cli;

internal sealed class TrainCommand : Verb
{
    /// <summary>Inputs of this magnitude are raw ones: a few deviations of what layers are made for are below it.</summary>
    private const float UnusualInput = 32;

    private readonly Argument<string> _model = SharedOptions.Model(description: "Float model to train: a .tflite file, for instance of 'optc new'.");
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h.");
    private readonly Option<bool> _force = SharedOptions.Force();
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<string?> _y = SharedOptions.Y();
    private readonly Option<int> _threads = SharedOptions.Threads();

    private readonly Option<string?> _weights = new("--weights") { HelpName = "NAME", Description = "Array of an .npz with a weight for the loss of each sample; negative ones are allowed." };
    private readonly Option<string?> _teacher = new("--teacher") { HelpName = "MODEL", Description = "Float model whose scores are learned beside the labels (distillation)." };
    private readonly Option<double> _teacherWeight = new("--teacher-weight") { CustomParser = SharedOptions.ParseNumber, HelpName = "PART", Description = "Part of the loss that is the teacher's.", DefaultValueFactory = _ => 0.5 };
    private readonly Option<double> _temperature = new("--temperature") { CustomParser = SharedOptions.ParseNumber, HelpName = "T", Description = "Temperature of the teacher's scores.", DefaultValueFactory = _ => 4 };

    private readonly Option<string> _data = new("--data", "-d")
    {
        HelpName = "DATA",
        Description = "Labelled data: an .npz with 'x' and 'y', .npy or IDX with the labels in --y FILE, or a folder with a folder for each class.",
        Required = true,
    };

    private readonly Option<string?> _test = new("--test") { HelpName = "DATA", Description = "Labelled data that score the model after each epoch; the best epoch is kept." };

    private readonly Option<string?> _testX = new("--test-x") { HelpName = "NAME", Description = "Array of --test that holds the inputs; that of --x unless given." };
    private readonly Option<string?> _testY = new("--test-y") { HelpName = "NAME", Description = "Array of --test, or file, that holds its labels; that of --y unless given." };

    private readonly Option<double?> _part = new("--validation-part")
    {
        HelpName = "PART",
        CustomParser = SharedOptions.ParseOptionalNumber,
        Description = "Part of the data, such as 0.1, that is set apart to score the model, of each class alike.",
    };

    private readonly Option<int> _epochs = new("--epochs") { HelpName = "N", Description = "Times that every sample is seen.", DefaultValueFactory = _ => 10 };
    private readonly Option<int> _batch = new("--batch") { HelpName = "N", Description = "Samples of a step.", DefaultValueFactory = _ => 32 };

    private readonly Option<int?> _microBatch = new("--micro-batch")
    {
        HelpName = "N",
        Description = "Samples whose values are in memory at a time; larger batches are taken in pieces.",
    };

    private readonly Option<string> _rate = new("--rate")
    {
        HelpName = "RATE",
        Description = "Learning rate: RATE, step:RATE:EVERY[:FACTOR], exponential:RATE[:FACTOR], cosine:RATE[:WARM-UP[:FINAL]] or one-cycle:RATE.",
        DefaultValueFactory = _ => "cosine:0.001",
    };

    private readonly Option<string> _optimizer = new("--optimizer") { HelpName = "NAME", Description = $"{Optimizer.Forms}.", DefaultValueFactory = _ => "adam" };
    private readonly Option<string> _loss = new("--loss") { HelpName = "NAME", Description = $"{Loss.Forms}.", DefaultValueFactory = _ => "cross-entropy" };
    private readonly Option<string?> _metric = new("--metric") { HelpName = "NAME", Description = "Score: accuracy, top-K, auc, mse or mae; accuracy for classes unless given, else mse." };

    private readonly Option<string?> _augment = new("--augment")
    {
        HelpName = "LIST",
        Description = "Random changes of the training samples, such as 'flip,shift:2' or 'time-shift:1600,noise:0.1'.",
    };

    private readonly Option<string> _normalize = new Option<string>("--normalize")
    {
        HelpName = "KIND",
        Description = "Puts in front of the model: bytes (x / 255), channel or element (mean and deviation of the data).",
        DefaultValueFactory = _ => "none",
    }.OneOf("none", "bytes", "channel", "element");

    private readonly Option<bool> _relative = new("--relative-rates") { Description = "Learning rates of weights are in proportion to the magnitude of each tensor, for layers of very different weights." };
    private readonly Option<bool> _fitSize = new("--fit-size") { Description = "Pads samples that are smaller than the input with zeros, and cuts larger ones, in the middle." };
    private readonly Option<bool> _emptyClasses = new("--allow-empty-classes") { Description = "Train although some classes have no samples." };
    private readonly Option<double> _decay = new("--weight-decay") { CustomParser = SharedOptions.ParseNumber, HelpName = "D", Description = "Adds D times the weight to its gradient; not with adamw, which has its own.", DefaultValueFactory = _ => 0 };
    private readonly Option<double?> _clip = new("--clip") { CustomParser = SharedOptions.ParseOptionalNumber, HelpName = "LENGTH", Description = "Shortens the gradient of a step to this length." };
    private readonly Option<double?> _average = new("--average") { CustomParser = SharedOptions.ParseOptionalNumber, HelpName = "PAST", Description = "Writes a moving average of the weights, with this weight of the past, such as 0.999." };
    private readonly Option<string[]> _freeze = new("--freeze") { HelpName = "REGEX", Description = "Layers that keep their weights: a pattern found anywhere in the name; 'body.*' is everything outside of 'head/'. May be repeated." };

    private readonly Option<string[]> _layerRate = new("--layer-rate")
    {
        HelpName = "'REGEX: FACTOR'",
        Description = "Factor on the learning rate of layers, after --freeze; the last one that matches counts; may be repeated.",
    };

    private readonly Option<int?> _newHead = new("--new-head") { HelpName = "N", Description = "Replaces the last dense layer by an untrained one for N classes, named 'head/dense'." };
    private readonly Option<int?> _patience = new("--patience") { HelpName = "N", Description = "Ends the run after N epochs without a better score." };
    private readonly Option<ulong> _seed = new("--seed") { HelpName = "S", Description = "Of order, augmentation, split and new head; the same seed gives the same file.", DefaultValueFactory = _ => 0 };

    private readonly Option<string?> _checkpoint = new("--checkpoint")
    {
        HelpName = "FILE",
        Description = "File from which an interrupted run goes on by itself; OUTPUT.checkpoint.npz unless given, deleted at the end.",
    };

    private readonly Option<int?> _checkpointEvery = new("--checkpoint-every") { HelpName = "STEPS", Description = "Also writes the checkpoint after so many steps; at the end of each epoch, and when interrupted, in any case." };
    private readonly Option<string?> _log = new("--log") { HelpName = "FILE", Description = "Writes a line for each epoch to a .csv or .json file, as the run goes on." };
    private readonly Option<string?> _curve = new("--curve") { HelpName = "FILE", Description = "Draws loss and score over the epochs as an .svg picture." };

    public TrainCommand(Terminal terminal)
        : base("train", "Train a float model, from scratch or further.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)
            [
                _output, _data, _x, _y, _weights, _test, _testX, _testY, _part, _epochs, _batch, _microBatch, _rate, _optimizer, _loss, _metric, _augment, _normalize, _relative, _fitSize, _emptyClasses,
                _decay, _clip, _average, _freeze, _layerRate, _newHead, _teacher, _teacherWeight, _temperature, _patience, _seed, _threads, _checkpoint, _checkpointEvery, _log, _curve, _force,
            ])
        {
            Options.Add(option);
        }

        Validators.Add(result =>
        {
            if (result.GetValue(_test) is not null && result.GetValue(_part) is not null)
            {
                result.AddError("--test and --validation-part both give data that score the model: choose one");
            }

            if (result.GetValue(_test) is null && (result.GetValue(_testX) ?? result.GetValue(_testY)) is not null)
            {
                result.AddError("--test-x and --test-y are of test data: give --test DATA");
            }

            if (result.GetValue(_teacher) is null && (result.GetResult(_teacherWeight) is { Implicit: false } || result.GetResult(_temperature) is { Implicit: false }))
            {
                result.AddError("--teacher-weight and --temperature are of a teacher: give --teacher MODEL");
            }

            if (result.GetResult(_decay) is { Implicit: false } && result.GetValue(_optimizer) is { } name && name.StartsWith("adamw", StringComparison.Ordinal))
            {
                result.AddError("--weight-decay is not for adamw, which takes its own as adamw:DECAY");
            }
        });
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("a keyword spotter from scratch", "optc train new.tflite -o kws.tflite --data train.npz --test test.npz --epochs 20 --normalize element"),
        new("another task for a trained body: first a new head alone, then everything, more slowly",
            "optc train net.tflite -o head.tflite --data cats.npz --new-head 2 --freeze 'body.*'"),
        new("the second half of that", "optc train head.tflite -o cats.tflite --data cats.npz --rate cosine:0.0001"),
        new("training and test arrays of one archive", "optc train new.tflite -o mnist.tflite --data mnist.npz --x x_train --y y_train --test mnist.npz --test-x x_test --test-y y_test"),
        new("with a log and a picture of the run", "optc train net.tflite -o better.tflite --data d.npz --validation-part 0.1 --log run.csv --curve run.svg"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string data = arguments.GetRequiredValue(_data);
        string? test = arguments.GetValue(_test);
        TrainingFiles files = new(
            arguments.GetRequiredValue(_output),
            arguments.GetValue(_log),
            arguments.GetValue(_curve),
            arguments.GetValue(_checkpoint),
            arguments.GetValue(_force),
            path, data, test, arguments.GetValue(_y), arguments.GetValue(_testY), arguments.GetValue(_teacher));
        FitOptions how = HowTo(arguments, files.Checkpoint);
        Model model = Start(arguments, path);
        DatasetOptions columns = new() { X = arguments.GetValue(_x), Y = arguments.GetValue(_y) };
        Dataset train = Dataset.Load(data, columns with { Weights = arguments.GetValue(_weights) });
        DatasetOptions testColumns = new() { X = arguments.GetValue(_testX) ?? columns.X, Y = arguments.GetValue(_testY) ?? columns.Y };
        Dataset? validation = test is null ? null : Dataset.Load(test, testColumns);
        if (test is not null && Path.GetFullPath(test) == Path.GetFullPath(data) && testColumns.X == columns.X)
        {
            Terminal.Note("the test data are the training data: the score says nothing about other samples");
        }

        how = how with
        {
            Progress = new EpochProgress(Terminal, how.Metric.Name, epoch => files.Add(how.Metric.Name, epoch)),
            Resumed = epochs => files.Add(how.Metric.Name, epochs),
        };
        if (how is { Normalization: null, Normalize: null, RelativeRates: false } && model.Inputs[0].Type.DType is DType.F32 && train.LargestInput(samples: 256) is var largest && largest > UnusualInput)
        {
            Terminal.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"inputs reach {largest:G3}: the first layer may be wrecked by steps that suit the others; see '--normalize', and '--relative-rates' for a model that was trained on such inputs"));
        }

        if (files.IsResuming)
        {
            Terminal.Note($"going on from '{files.Checkpoint}'");
        }

        FitResult result;
        try
        {
            result = model.Fit(train, validation, how, new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation });
        }
        catch (OperationCanceledException) when (File.Exists(files.Checkpoint))
        {
            Terminal.Note($"interrupted; the same command goes on from '{files.Checkpoint}'");
            throw;
        }

        files.Finish(result);
        new TrainingView(result, files).Print(Terminal);
        return ExitCode.Success;
    }

    private Model Start(ParseResult arguments, string path)
    {
        Model model = Model.Load(path);
        return arguments.GetValue(_newHead) is { } classes
            ? Model.Of(HeadReplacement.Apply(model.Module, classes, arguments.GetValue(_seed)), model.Name)
            : model;
    }

    private FitOptions HowTo(ParseResult arguments, string checkpoint)
    {
        Loss loss = Loss.Parse(arguments.GetRequiredValue(_loss));
        return new()
        {
            Epochs = arguments.GetValue(_epochs),
            BatchSize = arguments.GetValue(_batch),
            Seed = arguments.GetValue(_seed),
            Rate = LearningRate.Parse(arguments.GetRequiredValue(_rate)),
            Augmentations = arguments.GetValue(_augment) is { } list ? Augmentation.Parse(list) : [],
            Metric = arguments.GetValue(_metric) is { } name ? Metric.Parse(name) : loss.TakesClasses ? Metric.Accuracy : Metric.MeanSquaredError,
            Patience = arguments.GetValue(_patience),
            ValidationPart = arguments.GetValue(_part),
            FitSize = arguments.GetValue(_fitSize),
            AllowEmptyClasses = arguments.GetValue(_emptyClasses),
            Normalization = arguments.GetRequiredValue(_normalize) == "bytes" ? Normalization.Bytes : null,
            Normalize = arguments.GetRequiredValue(_normalize) switch
            {
                "channel" => NormalizationKind.Channel,
                "element" => NormalizationKind.Element,
                _ => null,
            },
            RelativeRates = arguments.GetValue(_relative),
            Checkpoint = checkpoint,
            CheckpointEvery = arguments.GetValue(_checkpointEvery) ?? 0,
            Step = new()
            {
                Loss = loss,
                Optimizer = Optimizer.Parse(arguments.GetRequiredValue(_optimizer)) with { WeightDecay = (float)arguments.GetValue(_decay) },
                ClipNorm = (float?)arguments.GetValue(_clip),
                MovingAverage = (float?)arguments.GetValue(_average),
                Teacher = arguments.GetValue(_teacher) is { } teacher
                    ? new(Model.Load(teacher).Module, (float)arguments.GetValue(_teacherWeight), (float)arguments.GetValue(_temperature))
                    : null,
                MicroBatch = arguments.GetValue(_microBatch),
                Rates =
                [
                    .. (arguments.GetValue(_freeze) ?? []).Select(pattern => new LayerRate(pattern, 0)),
                    .. (arguments.GetValue(_layerRate) ?? []).Select(RateOf),
                ],
            },
        };
    }

    private static LayerRate RateOf(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float factor) && factor is >= 0 and < float.PositiveInfinity
            ? new(text[..colon], factor)
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "a rate for layers cannot be read")
            {
                Found = $"'{text}'",
                Expected = "a regular expression, a colon, and a factor of 0 or more, such as 'head/: 10'",
            });
    }
}
