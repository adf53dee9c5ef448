using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Data;
using Optc.Ir;

namespace Optc.Cli;

internal sealed class RunCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<bool> _sequence = SharedOptions.Sequence();
    private readonly Option<string> _rounding = SharedOptions.Rounding();
    private readonly Option<int> _threads = SharedOptions.Threads();
    private readonly Option<bool> _force = new("--force") { Description = "Replace outputs that exist." };

    private readonly Option<string[]> _in = new("--in", "-i")
    {
        HelpName = "[NAME=]FILE",
        Description = "An input, .npy: for the input NAME, or without a name for the next one in order. Repeated for several inputs.",
        Required = true,
    };

    private readonly Option<string> _outDir = new("--out-dir", "-o")
    {
        HelpName = "DIR",
        Description = "Folder for the outputs 0.npy, 1.npy, ... in the order of the model; made if it is missing.",
        Required = true,
    };

    private readonly Option<string?> _signature = new("--signature", "-s")
    {
        HelpName = "NAME",
        Description = "Entry point to run; the main graph unless given.",
    };

    public RunCommand(Terminal terminal)
        : base("run", "Execute a model on .npy files, bit for bit like the reference kernels, and write its outputs.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_in, _outDir, _signature, _sequence, _rounding, _threads, _force])
        {
            Options.Add(option);
        }
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("one input, one output", "optc run kws.tflite --in sample.npy --out-dir out"),
        new("inputs by name, a certain entry point", "optc run net.tflite --in image=i.npy --in mask=m.npy --signature predict --out-dir out"),
        new("a model with state: every slice of the first axis is one step", "optc run lstm.tflite --in frames.npy --sequence --out-dir out"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string folder = arguments.GetRequiredValue(_outDir);
        Model model = Model.Load(path);
        using Execution execution = new(model, arguments.GetValue(_signature), new()
        {
            Threads = arguments.ThreadsOf(_threads),
            Rounding = SharedOptions.RoundingOf(arguments.GetRequiredValue(_rounding)),
            Cancellation = cancellation,
        });
        ImmutableArray<(string? Name, string Path)> sources = [.. arguments.GetRequiredValue(_in).Select(Source)];
        IEnumerable<string> names = execution.OutputNames.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"{i}.npy"));
        PlannedFiles files = new(folder, names, arguments.GetValue(_force), [path, .. sources.Select(s => s.Path)]);

        ImmutableArray<(string? Name, TensorData Data)> inputs = [.. sources.Select(s => (s.Name, DataFile.ReadTensor(s.Path)))];
        NoteConversions(execution, inputs);
        int invocations = 1;
        ImmutableArray<TensorData> results;
        if (arguments.GetValue(_sequence))
        {
            results = execution.RunSequence(inputs);
            invocations = inputs[0].Data.Shape[0];
        }
        else
        {
            results = execution.Run(inputs);
        }

        files.Write([.. results.Select(r => (Action<Stream>)(stream => stream.Write(DataFile.ToNpy(r))))]);
        Print(execution, files.Paths, results, invocations);
        return ExitCode.Success;
    }

    private static (string? Name, string Path) Source(string text) =>
        text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && !File.Exists(text) ? (text[..at], text[(at + 1)..]) : (null, text);

    private void NoteConversions(Execution execution, ImmutableArray<(string? Name, TensorData Data)> inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            int position = inputs[i].Name is { } name ? execution.InputNames.IndexOf(name) : i;
            if (position >= 0 && position < execution.InputNames.Length && execution.InputType(position).DType is var wanted && wanted != inputs[i].Data.DType)
            {
                Terminal.Note($"input '{execution.InputNames[position]}': {inputs[i].Data.DType.Name} given, converted to {execution.InputType(position)}");
            }
        }
    }

    private void Print(Execution execution, ImmutableArray<string> files, ImmutableArray<TensorData> results, int invocations)
    {
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("invocations", invocations);
            writer.WriteStartArray("outputs");
            for (int i = 0; i < results.Length; i++)
            {
                writer.WriteStartObject();
                writer.WriteString("name", execution.OutputNames[i]);
                writer.WriteString("file", files[i]);
                writer.WriteString("type", results[i].DType.Name);
                writer.WriteStartArray("shape");
                foreach (int dim in results[i].Shape.Dims)
                {
                    writer.WriteNumberValue(dim);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
        Grid table = new("name", "file", "type", "shape");
        for (int i = 0; i < results.Length; i++)
        {
            table.Add(execution.OutputNames[i], files[i], results[i].DType.Name, results[i].Shape.ToString());
        }

        table.PrintTo(Terminal);
    }
}
