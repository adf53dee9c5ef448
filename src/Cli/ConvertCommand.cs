using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Optc.Backends.TfLiteMicro;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Passes;

namespace Optc.Cli;

internal sealed class ConvertCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<string> _output = SharedOptions.Output("File to write: .tflite, .c (with its header) or .h.");
    private readonly Option<string?> _to = ModelFile.FormatOption();
    private readonly Option<string?> _symbol = ModelFile.SymbolOption();
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
        : base("convert", "Write a model in another form: canonical .tflite, or C arrays to link into firmware.", terminal)
    {
        Arguments.Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_output, _to, _symbol, _simplify, _resolver, _dumpIr, _force])
        {
            Options.Add(option);
        }
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("a C array with its header, and what TFLite Micro needs to run it", "optc convert kws.tflite -o src/kws_model.c --resolver src/kws_ops.inc"),
        new("one header, as the Pico tutorials include it", "optc convert kws.tflite -o model.h --symbol g_model"),
        new("the same model without superfluous operators", "optc convert kws.tflite -o kws-small.tflite --simplify"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        ModelFile output = new(arguments.GetRequiredValue(_output), arguments.GetValue(_to), arguments.GetValue(_symbol));
        string? resolverPath = arguments.GetValue(_resolver);
        PlannedFiles files = new([.. output.Paths, .. resolverPath is null ? [] : new[] { resolverPath }], arguments.GetValue(_force), path);
        GraphTexts? texts = arguments.GetValue(_dumpIr) is { } folder ? new(folder, arguments.GetValue(_force)) : null;

        Model source = Model.Load(path);
        texts?.Add("input", source.Module);
        Model result = arguments.GetValue(_simplify)
            ? source.Apply(Pipelines.Simplify, new() { Cancellation = cancellation, PassDone = (pass, module) => texts?.Add(pass.Name, module) })
            : source;
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
