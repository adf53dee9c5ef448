using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Report;

namespace Optc.Cli;

internal sealed class InspectCommand : Verb
{
    private readonly Argument<string> _model = SharedOptions.Model();
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Show every row of long tables." };

    private readonly Option<bool> _layers = new("--layers", "-l") { Description = "List the layers in order of execution, by the names that the rules of 'optc quantize' match." };

    public InspectCommand(Terminal terminal)
        : base("inspect", "Show what a model is made of: interfaces, operators, memory, weights, and where the bytes of its file went.", terminal)
    {
        Arguments.Add(_model);
        Options.Add(_layers);
        Options.Add(_all);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("one screen", "optc inspect kws.tflite"),
        new("names for '--rule'", "optc inspect kws.tflite --layers"),
        new("every weight, for a script", "optc inspect kws.tflite --json"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        Model model = Model.Load(arguments.GetRequiredValue(_model));
        if (arguments.GetValue(_layers))
        {
            PrintLayers(model.Module);
            return ExitCode.Success;
        }

        Inspection inspection = model.Inspect() with { Savings = model.Savings(cancellation) };
        Terminal.WriteJson(() => ReportJson.Of(inspection));
        Terminal.Write(InspectionText.Of(inspection, arguments.GetValue(_all)));
        return ExitCode.Success;
    }

    private void PrintLayers(Module module)
    {
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("layers");
            foreach ((Graph graph, Node node) in Nodes(module))
            {
                writer.WriteStartObject();
                writer.WriteString("graph", graph.Name);
                writer.WriteString("layer", node.Name);
                writer.WriteString("op", node.Op.Title);
                writer.WriteStartArray("outputs");
                foreach (Value output in node.Outputs)
                {
                    writer.WriteStringValue(output.Type.ToString());
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
        Grid table = module.Graphs.Length > 1 ? new("graph", "layer", "op", "outputs") : new("layer", "op", "outputs");
        foreach ((Graph graph, Node node) in Nodes(module))
        {
            string[] cells = [graph.Name, node.Name, node.Op.Title, string.Join(", ", node.Outputs.Select(o => o.Type))];
            table.Add(cells.AsSpan(module.Graphs.Length > 1 ? 0 : 1));
        }

        table.PrintTo(Terminal);
    }

    private static IEnumerable<(Graph Graph, Node Node)> Nodes(Module module) => module.Graphs.SelectMany(g => g.Nodes.Select(n => (g, n)));
}
