using System.Text.Json;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Passes;
using Xunit;

namespace Optc.Tests.Golden.Cli;

public sealed class PassesCommandTests
{
    [Fact]
    public void Lists_every_pipeline_pass_and_rule()
    {
        JsonElement list = JsonDocument.Parse(Output("passes", "--json")).RootElement;

        Assert.Equal(Pipelines.All.Select(p => p.Name), Names(list.GetProperty("pipelines")));
        Assert.Equal(PassSet.All.Select(p => p.Name), Names(list.GetProperty("passes")));
        Assert.Equal(PassSet.Rules.Select(r => r.Name), list.GetProperty("passes").EnumerateArray().SelectMany(p => Names(p.GetProperty("rules"))));
    }

    [Fact]
    public void The_text_names_the_same()
    {
        string text = Output("passes");

        Assert.All(PassSet.All, pass => Assert.Contains($"\n{pass.Name} ", text, StringComparison.Ordinal));
        Assert.All(PassSet.Rules, rule => Assert.Contains($"\n  {rule.Name} ", text, StringComparison.Ordinal));
        Assert.All(Pipelines.All, pipeline => Assert.Contains($"\n{pipeline.Name} ", text, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Names(JsonElement list) => list.EnumerateArray().Select(e => e.GetProperty("name").GetString()!);

    private static string Output(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using (Terminal terminal = new(output, TextWriter.Null))
        {
            Assert.Equal(0, EntryPoint.Run(arguments, terminal, CancellationToken.None));
        }

        return output.ToString();
    }
}
