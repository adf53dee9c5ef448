using System.Globalization;
using System.Text;
using Optc.Passes;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Architecture;

public sealed class PassesPageTests
{
    /// <summary><c>docs/passes.md</c> is printed from <see cref="PassSet"/> and <see cref="Pipelines"/>.</summary>
    [Fact]
    public void The_list_of_passes_is_current()
    {
        StringBuilder page = new(
            """
            # Passes

            Printed from `PassSet` and `Pipelines` by `./build.sh docs`, compared in CI. A rule looks at one node and either changes the
            graph or says why not; a pass applies its rules until none fires any more. Inputs, outputs, signatures and their
            names and types are never changed.


            """);
        foreach (IPass pass in PassSet.All)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {pass.Name}\n\n{Sentence(pass.Summary)}\n\n");
            foreach (IRewriteRule rule in pass is RewritePass rewrites ? rewrites.Rules : [])
            {
                page.Append(CultureInfo.InvariantCulture, $"- `{rule.Name}` {rule.Summary}\n");
            }

            page.Append(pass is RewritePass ? "\n" : "");
        }

        page.Append("# Pipelines\n\n");
        foreach (Pipeline pipeline in Pipelines.All)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {pipeline.Name}\n\n{string.Join(", then ", pipeline.Passes.Select(p => $"`{p.Name}`"))}.\n\n");
            foreach (PassOrder order in pipeline.Orders)
            {
                page.Append(CultureInfo.InvariantCulture, $"- `{order.First}` before `{order.Second}`: {order.Because}\n");
            }

            page.Append('\n');
        }

        GoldenFile.At("docs/passes.md").ShouldMatch(page.ToString().TrimEnd() + "\n");
    }

    /// <summary>A rule that no pass hosts, or a pass that is in no list, could never run.</summary>
    [Fact]
    public void Every_pass_and_rule_is_in_the_list()
    {
        IEnumerable<Type> types = typeof(PassSet).Assembly.GetTypes().Where(t => t is { IsAbstract: false, IsInterface: false });
        IEnumerable<Type> listed = PassSet.All.Select(p => p.GetType()).Concat(PassSet.Rules.Select(r => r.GetType()));

        Assert.Empty(types.Where(t => t.IsAssignableTo(typeof(IPass)) || t.IsAssignableTo(typeof(IRewriteRule))).Except(listed));
    }

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
}
