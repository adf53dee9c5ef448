using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;

namespace Optc.Cli;

internal sealed class EvalCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<string?> _y = SharedOptions.Y();
    private readonly Option<int?> _samples = SharedOptions.Samples("Score the first N samples; all unless given.");
    private readonly Option<ulong?> _seed = SharedOptions.Seed();
    private readonly Option<bool> _sequence = SharedOptions.Sequence();
    private readonly Option<string> _rounding = SharedOptions.Rounding();
    private readonly Option<int> _threads = SharedOptions.Threads();

    private readonly Option<string> _data = new("--data", "-d")
    {
        HelpName = "DATA",
        Description = "Labelled data: an .npz with 'x' and 'y', or .npy or IDX with the labels in --y FILE. Float data for an integer model are quantized.",
        Required = true,
    };

    private readonly Option<string> _metric = new("--metric")
    {
        HelpName = "NAME",
        Description = "What is measured: accuracy, top-K, auc, mse, mae.",
        DefaultValueFactory = _ => Metric.Accuracy.Name,
    };

    private readonly Option<bool> _confusion = new("--confusion") { Description = "Also count which classes are taken for which, with recall and precision of each." };

    public EvalCommand(Terminal terminal)
        : base("eval", "Score a model on labelled data.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_data, _x, _y, _metric, _confusion, _samples, _seed, _sequence, _rounding, _threads])
        {
            Options.Add(option);
        }

        this.RequireSamplesForSeed(_samples, _seed);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("accuracy on arrays 'x' and 'y' of an archive", "optc eval kws-int8.tflite --data test.npz"),
        new("top 5 of an archive with other names, as JSON", "optc eval net.tflite --data val.npz --x images --y labels --metric top-5 --json"),
        new("which classes are taken for which", "optc eval kws.tflite --data test.npz --confusion"),
        new("MNIST as it is published", "optc eval mnist.tflite --data t10k-images-idx3-ubyte.gz --y t10k-labels-idx1-ubyte.gz"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        Metric metric = Metric.Parse(arguments.GetRequiredValue(_metric));
        using LineProgress progress = new(Terminal);
        WorkOptions work = new()
        {
            Threads = arguments.ThreadsOf(_threads),
            Rounding = SharedOptions.RoundingOf(arguments.GetRequiredValue(_rounding)),
            Cancellation = cancellation,
            Progress = progress,
        };
        Model model = Model.Load(arguments.GetRequiredValue(_model));
        Dataset data = Dataset.Load(arguments.GetRequiredValue(_data), new()
        {
            X = arguments.GetValue(_x),
            Y = arguments.GetValue(_y),
            Sequence = arguments.GetValue(_sequence),
        });
        data = arguments.Chosen(data, _samples, _seed);
        Evaluation evaluation = model.Evaluate(data, metric, work, arguments.GetValue(_confusion));
        ConfusionView? confusion = evaluation.Confusion is { } matrix ? new(matrix) : null;
        progress.Dispose();
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber(evaluation.Metric, evaluation.Value);
            writer.WriteNumber("samples", evaluation.Samples);
            if (confusion is not null)
            {
                writer.WritePropertyName("confusion");
                confusion.Write(writer);
            }

            writer.WriteEndObject();
        });
        Terminal.WriteText(string.Create(CultureInfo.InvariantCulture, $"{evaluation.Metric}  {evaluation.Value:R}\nsamples  {evaluation.Samples}\n"));
        confusion?.PrintTo(Terminal);
        return ExitCode.Success;
    }
}
