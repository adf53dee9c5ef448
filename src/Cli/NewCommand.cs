using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Optc.Architectures;
using Optc.Backends.TfLite;
using Optc.Backends.TfLiteMicro;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Report;

namespace Optc.Cli;

internal sealed class NewCommand : Verb
{
    private readonly Option<string?> _arch = new("--arch")
    {
        HelpName = "NAME",
        Description = $"Architecture: {string.Join(", ", Architecture.All.Select(a => a.Name))}. Left out: list them.",
    };

    private readonly Option<string?> _input = new("--input")
    {
        HelpName = "SHAPE",
        Description = "Shape of one sample, such as 49x10x1; that of the architecture's benchmark unless given.",
    };

    private readonly Option<int?> _classes = new("--classes") { HelpName = "N", Description = "Classes to tell apart, 2 or more; as many as the benchmark has unless given." };

    private readonly Option<double> _width = new("--width")
    {
        HelpName = "FACTOR",
        Description = "Factor on the channels of every layer; unless it is 1, they are rounded to multiples of 8.",
        DefaultValueFactory = _ => 1,
        CustomParser = result => double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double factor)
            ? factor
            : Refuse(result, $"--width is '{result.Tokens[0].Value}', but has to be a number such as 0.25"),
    };

    private readonly Option<bool> _plain = new("--no-batch-norm") { Description = "Build layers with a bias and without batch normalization." };

    private readonly Option<ulong> _seed = new("--seed") { HelpName = "S", Description = "Seed of the weights; the same seed gives the same file.", DefaultValueFactory = _ => 0 };

    private readonly Option<string?> _output = new("--output", "-o") { HelpName = "FILE", Description = "The .tflite file to write. Never replaced unless --force is given." };

    private readonly Option<bool> _force = SharedOptions.Force();

    public NewCommand(Terminal terminal)
        : base("new", "Make an untrained float model of a known architecture.", terminal)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_arch, _input, _classes, _width, _plain, _seed, _output, _force])
        {
            Options.Add(option);
        }

        _arch.CompletionSources.Add([.. Architecture.All.Select(a => a.Name)]);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("which architectures there are", "optc new"),
        new("a keyword spotter for features of 49 frames by 10 bands", "optc new --arch ds-cnn-s --input 49x10x1 --classes 12 -o kws.tflite"),
        new("the person detector of MLPerf Tiny", "optc new --arch mobilenet-v1 --width 0.25 --input 96x96x3 --classes 2 -o vww.tflite"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        if (arguments.GetValue(_arch) is not { } name)
        {
            return List(arguments);
        }

        Architecture architecture = Architecture.Find(name);
        string path = arguments.GetValue(_output) ?? throw new DiagnosticException(new Diagnostic(DiagnosticId.CommandLine, "option '-o' is required with '--arch'")
        {
            At = ["optc new"],
            Hint = "'-o FILE' says where the model is to be written",
        });
        ModelFile output = new(path);
        PlannedFiles files = new(output.Paths, arguments.GetValue(_force));
        ArchitectureOptions options = new()
        {
            Input = arguments.GetValue(_input) is { } text ? ShapeText.Parse("--input", text) : null,
            Classes = arguments.GetValue(_classes),
            Width = arguments.GetValue(_width),
            BatchNormalization = !arguments.GetValue(_plain),
            Seed = arguments.GetValue(_seed),
        };
        Model model = Model.Of(architecture.Build(options), Path.GetFileName(path));
        files.Write(output.Contents(model.WrittenAs(TfLiteWriteOptions.WithAllNames)));
        Print(architecture, model, path);
        return ExitCode.Success;
    }

    private void Print(Architecture architecture, Model model, string path)
    {
        long parameters = model.Module.Main.Values().Where(v => v.Constant is { DType: DType.F32 }).Sum(v => v.Type.ElementCount);
        long products = MultiplyAccumulates.Of(model.Module.Main);
        long arena = ArenaEstimate.Of(model.Module).Total;
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("output", path);
            writer.WriteString("architecture", architecture.Name);
            writer.WriteString("input", model.Inputs[0].Type.ToString());
            writer.WriteString("result", model.Outputs[0].Type.ToString());
            writer.WriteNumber("operators", model.Module.Main.Nodes.Count);
            writer.WriteNumber("parameters", parameters);
            writer.WriteNumber("macs", products);
            writer.WriteNumber("arenaBytes", arena);
            writer.WriteNumber("bytes", model.FileLength);
            writer.WriteEndObject();
        });
        Terminal.WriteText(FormattableString.Invariant(
            $"""
            wrote       {path}
            input       {model.Inputs[0].Type}
            output      {model.Outputs[0].Type}
            parameters  {parameters}
            macs        {products}
            arena       {ByteSize.Show(arena)} in TFLite Micro, estimated, as float
            size        {ByteSize.Show(model.FileLength)}

            """));
    }

    private int List(ParseResult arguments)
    {
        if (arguments.GetValue(_output) is not null || arguments.GetValue(_input) is not null || arguments.GetValue(_classes) is not null)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.CommandLine, "option '--arch' is required")
            {
                At = ["optc new"],
                Expected = string.Join(", ", Architecture.All.Select(a => a.Name)),
            });
        }

        Terminal.WriteJson(writer =>
        {
            writer.WriteStartArray();
            foreach (Architecture architecture in Architecture.All)
            {
                writer.WriteStartObject();
                writer.WriteString("name", architecture.Name);
                writer.WriteString("summary", architecture.Summary);
                writer.WriteString("input", ShapeText.Show(architecture.DefaultInput));
                if (architecture.DefaultClasses is { } classes)
                {
                    writer.WriteNumber("classes", classes);
                }
                else
                {
                    writer.WriteNull("classes");
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
        Grid table = new("name", "input", ">classes", "what it is");
        foreach (Architecture architecture in Architecture.All)
        {
            string classes = architecture.DefaultClasses?.ToString(CultureInfo.InvariantCulture) ?? "";
            table.Add(architecture.Name, ShapeText.Show(architecture.DefaultInput), classes, architecture.Summary);
        }

        table.PrintTo(Terminal);
        return ExitCode.Success;
    }

    private static double Refuse(System.CommandLine.Parsing.ArgumentResult result, string message)
    {
        result.AddError(message);
        return 0;
    }
}
