using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Passes;

namespace Optc.Cli;

internal sealed class PassesCommand(Terminal terminal)
    : Verb("passes", "List the pipelines, the passes they run and the rules of each pass.", terminal)
{
    public override ImmutableArray<Example> Examples { get; } =
    [
        new("what '--simplify' and quantization do to a graph", "optc passes"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        Terminal.WriteJson(Write);
        Grid pipelines = new("pipeline", "passes in order");
        foreach (Pipeline pipeline in Pipelines.All)
        {
            pipelines.Add(pipeline.Name, string.Join(", ", pipeline.Passes.Select(p => p.Name)));
        }

        pipelines.PrintTo(Terminal);
        Terminal.WriteText("\n");
        Grid table = new("pass, its rules", "what it does");
        foreach (IPass pass in PassSet.All)
        {
            table.Add(pass.Name, pass.Summary);
            foreach (IRewriteRule rule in RulesOf(pass))
            {
                table.Add($"  {rule.Name}", rule.Summary);
            }
        }

        table.PrintTo(Terminal);
        return ExitCode.Success;
    }

    private static void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("pipelines");
        foreach (Pipeline pipeline in Pipelines.All)
        {
            writer.WriteStartObject();
            writer.WriteString("name", pipeline.Name);
            writer.WriteStartArray("passes");
            foreach (IPass pass in pipeline.Passes)
            {
                writer.WriteStringValue(pass.Name);
            }

            writer.WriteEndArray();
            writer.WriteStartArray("orders");
            foreach (PassOrder order in pipeline.Orders)
            {
                writer.WriteStartObject();
                writer.WriteString("first", order.First);
                writer.WriteString("second", order.Second);
                writer.WriteString("because", order.Because);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("passes");
        foreach (IPass pass in PassSet.All)
        {
            writer.WriteStartObject();
            writer.WriteString("name", pass.Name);
            writer.WriteString("summary", pass.Summary);
            writer.WriteStartArray("rules");
            foreach (IRewriteRule rule in RulesOf(pass))
            {
                writer.WriteStartObject();
                writer.WriteString("name", rule.Name);
                writer.WriteString("summary", rule.Summary);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static ImmutableArray<IRewriteRule> RulesOf(IPass pass) => pass is RewritePass rewrite ? rewrite.Rules : [];
}
