using System.Reflection;
using Xunit;

namespace Optc.Tests.Architecture;

/// <summary>Which assembly may know which: the table of <c>docs/architecture.md</c>.</summary>
public sealed class LayerTests
{
    [Theory]
    [InlineData("Optc.Ir")]
    [InlineData("Optc.Formats")]
    [InlineData("Optc.Ops", "Optc.Ir", "Optc.Formats")]
    [InlineData("Optc.Frontend", "Optc.Ir", "Optc.Formats", "Optc.Ops")]
    [InlineData("Optc.Runtime", "Optc.Ir", "Optc.Ops")]
    [InlineData("Optc.Passes", "Optc.Ir", "Optc.Formats", "Optc.Ops", "Optc.Runtime")]
    [InlineData("Optc.Backends", "Optc.Ir", "Optc.Formats", "Optc.Ops")]
    public void Depends_only_on_the_layers_below(string assembly, params string[] allowed)
    {
        IEnumerable<string> references = Assembly.Load(assembly).GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Optc.", StringComparison.Ordinal));

        Assert.Empty(references.Except(allowed));
    }

    [Theory]
    [InlineData("Optc.Ir")]
    [InlineData("Optc.Formats")]
    [InlineData("Optc.Ops")]
    [InlineData("Optc.Frontend")]
    [InlineData("Optc.Runtime")]
    [InlineData("Optc.Passes")]
    [InlineData("Optc.Backends")]
    public void Keeps_its_types_in_its_own_namespace(string assembly)
    {
        IEnumerable<string> strays = Assembly.Load(assembly).GetTypes()
            .Where(type => type is { IsNested: false, Namespace: not null })
            .Where(type => !type.Namespace!.StartsWith(assembly, StringComparison.Ordinal)
                && type.Namespace.StartsWith("Optc", StringComparison.Ordinal))
            .Select(type => type.FullName!);

        Assert.Empty(strays);
    }
}
