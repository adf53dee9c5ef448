using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Optc.Backends.EthosU;
using Optc.Backends.TfLiteMicro;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Passes;

namespace Optc.Cli;

internal sealed class ConvertCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h; for ethos-u a folder, made if it is missing.");

    private readonly Option<string?> _to = new Option<string?>("--to")
    {
        HelpName = string.Join('|', ModelFile.FormatNames) + "|" + EthosUFiles.FormatName,
        Description = "Format to write; from the extension of the output unless given. 'c' writes a source and its header, 'c-header' one header, "
            + "'ethos-u' packed weights with a C header and a manifest.",
    }.OneOf([.. ModelFile.FormatNames, EthosUFiles.FormatName]);

    private readonly EthosUFiles _ethosU = new();
    private readonly Option<string?> _symbol = ModelFile.SymbolOption();
    private readonly Option<string?> _names = SharedOptions.Names();
    private readonly Option<bool> _force = SharedOptions.Force();

    private readonly Option<bool> _simplify = new("--simplify")
    {
        Description = "Fold constants, remove what does nothing and merge what is equal before: the same bits, fewer operators.",
    };

    private readonly Option<string?> _resolver = new("--resolver")
    {
        HelpName = "FILE",
        Description = "Also write the C++ lines that TFLite Micro needs: arena and MicroMutableOpResolver.",
    };

    private readonly Option<string?> _dumpIr = new("--dump-ir")
    {
        HelpName = "DIR",
        Description = "Also write the graph as text, as it is read and after each pass, into this folder.",
    };

    public ConvertCommand(Terminal terminal)
        : base("convert", "Write a model in another form: canonical .tflite, C arrays to link into firmware, or packed weights for an Ethos-U.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_output, _to, _symbol, _simplify, _names, _resolver, _dumpIr, .. _ethosU.Options, _force])
        {
            Options.Add(option);
        }

        Validators.Add(result =>
        {
            bool isPacked = result.GetResult(_to)?.Tokens is [{ Value: EthosUFiles.FormatName }];
            foreach (Option option in _ethosU.Options.Where(o => !isPacked && result.GetResult(o) is { Implicit: false }))
            {
                result.AddError($"{option.Name} is for --to {EthosUFiles.FormatName}");
            }

            if (isPacked && result.GetResult(_resolver) is { Implicit: false })
            {
                result.AddError("--resolver is for a model that TFLite Micro runs; packed weights are none");
            }

            if (isPacked && result.GetResult(_ethosU.Accelerator) is null or { Implicit: true })
            {
                result.AddError("--to ethos-u needs --accelerator, such as ethos-u55-128");
            }
        });
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("a C array with its header, and what TFLite Micro needs to run it", "optc convert kws.tflite -o src/kws_model.c --resolver src/kws_ops.inc"),
        new("one header, as the Pico tutorials include it", "optc convert kws.tflite -o model.h --symbol g_model"),
        new("the same model without superfluous operators", "optc convert kws.tflite -o kws-small.tflite --simplify"),
        new("the weights of an int8 model as an Ethos-U reads them", "optc convert kws-int8.tflite -o packed --to ethos-u --accelerator ethos-u55-128"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        if (arguments.GetValue(_to) == EthosUFiles.FormatName)
        {
            return Pack(path, arguments, cancellation);
        }

        ModelFile output = new(arguments.GetRequiredValue(_output), arguments.GetValue(_to), arguments.GetValue(_symbol));
        string? resolverPath = arguments.GetValue(_resolver);
        PlannedFiles files = new([.. output.Paths, .. resolverPath is null ? [] : new[] { resolverPath }], arguments.GetValue(_force), path);
        GraphTexts? texts = arguments.GetValue(_dumpIr) is { } folder ? new(folder, arguments.GetValue(_force)) : null;

        Model source = Model.Load(path);
        texts?.Add("input", source.Module);
        Model result = arguments.GetValue(_simplify)
            ? source.Apply(Pipelines.Simplify, new() { Cancellation = cancellation, PassDone = (pass, module) => texts?.Add(pass.Name, module) })
            : source;
        result = result.WrittenAs(arguments.WritingOf(_names));
        OpResolver resolver = OpResolver.Of(result.Module);
        ArenaEstimate arena = ArenaEstimate.Of(result.Module);
        string code = resolver.ToCode(arena.Total);
        Action<Stream>[] resolverFile = resolverPath is null ? [] : [stream => stream.Write(Encoding.ASCII.GetBytes(code))];
        files.Write([.. output.Contents(result), .. resolverFile]);
        texts?.Write();

        ImmutableArray<(string Rule, int Count)> applied =
            [.. result.Events.Where(e => e.Applied).GroupBy(e => e.Rule).Select(g => (g.Key, g.Count()))];
        int operatorsBefore = source.Module.Graphs.Sum(g => g.Nodes.Count);
        int operators = result.Module.Graphs.Sum(g => g.Nodes.Count);
        long bytes = result.FileLength;
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("input", path);
            WriteList(writer, "outputs", [.. output.Paths, .. resolverPath is null ? [] : new[] { resolverPath }]);
            writer.WriteNumber("bytesBefore", source.Source.Length);
            writer.WriteNumber("bytesAfter", bytes);
            writer.WriteNumber("operatorsBefore", operatorsBefore);
            writer.WriteNumber("operatorsAfter", operators);
            writer.WriteStartArray("applied");
            foreach ((string rule, int count) in applied)
            {
                writer.WriteStartObject();
                writer.WriteString("rule", rule);
                writer.WriteNumber("count", count);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            WriteList(writer, "resolverMethods", resolver.Methods);
            WriteList(writer, "missingInTfLiteMicro", resolver.Missing);
            writer.WriteNumber("arenaBytes", arena.Total);
            WriteList(writer, "graphTexts", texts?.Paths ?? []);
            writer.WriteEndObject();
        });
        Terminal.WriteText($"wrote      {string.Join(", ", output.Paths)}\n");
        Terminal.WriteText($"size       {ByteSize.Show(source.Source.Length)} -> {ByteSize.Show(bytes)}\n");
        Terminal.WriteText(FormattableString.Invariant($"operators  {operatorsBefore} -> {operators}\n"));
        foreach ((string rule, int count) in applied)
        {
            Terminal.WriteText(FormattableString.Invariant($"           {rule} x {count}\n"));
        }

        Terminal.WriteText("\n");
        Terminal.WriteText($"TFLite Micro, arena estimated:\n\n{code}");
        return ExitCode.Success;
    }

    private int Pack(string path, ParseResult arguments, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_output);
        string symbol = EthosUFiles.SymbolOf(path, arguments.GetValue(_symbol));
        PlannedFiles files = new(folder, EthosUFiles.NamesOf(symbol), arguments.GetValue(_force), path);
        GraphTexts? texts = arguments.GetValue(_dumpIr) is { } irFolder ? new(irFolder, arguments.GetValue(_force)) : null;

        Model source = Model.Load(path);
        texts?.Add("input", source.Module);
        WorkOptions work = new() { Cancellation = cancellation, PassDone = (pass, module) => texts?.Add(pass.Name, module) };
        Model result = arguments.GetValue(_simplify) ? source.Apply(Pipelines.Simplify, work) : source;
        EthosUPackage package = result.ToEthosU(_ethosU.Read(arguments), work);
        files.Write([.. package.ToFiles(symbol).Files.Select(f => f.Write)]);
        texts?.Write();
        new PackageView(path, files.Paths, package).Print(Terminal);
        return ExitCode.Success;
    }

    private static void WriteList(Utf8JsonWriter writer, string name, ImmutableArray<string> items)
    {
        writer.WriteStartArray(name);
        foreach (string item in items)
        {
            writer.WriteStringValue(item);
        }

        writer.WriteEndArray();
    }
}
