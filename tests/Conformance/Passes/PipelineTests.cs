using System.Globalization;
using System.Text;
using Optc.Backends.TfLite;
using Optc.Formats.Npy;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes;
using Optc.Runtime;
using Optc.Tests.Conformance.Models;
using Optc.Tests.Snapshots;
using Xunit;
using Xunit.Abstractions;

namespace Optc.Tests.Conformance.Passes;

/// <summary>The pipelines on third-party models: what they take away, and that they change nothing else.</summary>
public sealed class PipelineTests(ITestOutputHelper output)
{
    /// <summary>Relative to the largest value of the output; folded products are taken in another order.</summary>
    private const double FloatTolerance = 1e-5;

    /// <summary>Its operators cannot be executed.</summary>
    private const string CustomOperators = "audio_preprocessor_int8";

    public static TheoryData<string> Names() => [.. SharedFolder.Exists ? ReferenceModel.All.Select(m => m.Name) : ["(missing)"]];

    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Simplification_keeps_every_bit(string name)
    {
        Comparison result = Run(name, Pipelines.Simplify);

        Assert.Equal(0, result.Differing);
    }

    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Preparation_keeps_integers_and_changes_floats_by_rounding_only(string name)
    {
        Comparison result = Run(name, Pipelines.PrepareForQuantization);

        Assert.True(result.IsFloat ? result.MaxRelative <= FloatTolerance : result.Differing == 0, result.ToString());
    }

    /// <summary>The table of <c>docs/results/passes.md</c>.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        StringBuilder table = new(
            """
            # What the passes take away from third-party models

            Operators and bytes of the canonical file as read, after `simplify` (every output bit stays) and after
            `prepare-for-quantization` (float outputs stay within 1e-5). Models that neither changes are left out.
            Made by `OPTC_BLESS=1 dotnet test -c Release tests/Conformance`, compared in CI.

            | model | operators | simplified | prepared | bytes | simplified | prepared |
            |---|---:|---:|---:|---:|---:|---:|

            """);
        int same = 0;
        foreach (ReferenceModel model in ReferenceModel.All)
        {
            Module module = FrontendSet.Read(model.ReadFile(), model.Name);
            Module[] all = [module, .. Pipelines.All.Select(p => p.Run(module))];
            string[] operators = [.. all.Select(m => Operators(m).ToString(CultureInfo.InvariantCulture))];
            string[] bytes = [.. all.Select(m => TfLiteBackend.ToArray(m).Length.ToString(CultureInfo.InvariantCulture))];
            if (operators.Distinct().Count() == 1 && bytes.Distinct().Count() == 1)
            {
                same++;
                continue;
            }

            table.AppendLine(CultureInfo.InvariantCulture, $"| {model.Name} | {string.Join(" | ", operators)} | {string.Join(" | ", bytes)} |");
        }

        table.AppendLine(CultureInfo.InvariantCulture, $"\n{same} of {ReferenceModel.All.Length} models have nothing to take away.");
        GoldenFile.At("docs/results/passes.md").ShouldMatch(table.ToString());
    }

    private static int Operators(Module module) => module.Graphs.Sum(g => g.Nodes.Count);

    private Comparison Run(string name, Pipeline pipeline)
    {
        ReferenceModel model = ReferenceModel.Find(name);
        Module before = FrontendSet.Read(model.ReadFile(), name);
        PassContext context = new();
        Module after = FrontendSet.Read(TfLiteBackend.ToArray(pipeline.Run(before, context)), name);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pipeline.Name}: {Operators(before)} operators become {Operators(after)}"));
        foreach (IGrouping<string, PassEvent> rule in context.Events.Where(e => e.Applied).GroupBy(e => e.Rule))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {rule.Key} x {rule.Count()}"));
        }

        Assert.Equal(before.Main.Inputs.Select(v => (v.Name, v.Type)), after.Main.Inputs.Select(v => (v.Name, v.Type)));
        Assert.Equal(before.Main.Outputs.Select(v => (v.Name, v.Type)), after.Main.Outputs.Select(v => (v.Name, v.Type)));
        return name == CustomOperators ? Comparison.None : Compare(model, before, after);
    }

    private static Comparison Compare(ReferenceModel model, Module before, Module after)
    {
        using Interpreter first = new(before);
        using Interpreter second = new(after);
        Comparison total = Comparison.None;
        foreach (NpyArray[] given in model.Samples.Select(s => s.Inputs.Select(ReferenceModel.ReadArray).ToArray()))
        {
            first.Reset();
            second.Reset();
            int steps = model.Stateful ? given[0].Shape[0] : 1;
            for (int step = 0; step < steps; step++)
            {
                for (int i = 0; i < given.Length; i++)
                {
                    ModelRun.Slice(given[i], step, steps).CopyTo(first.Input(i));
                    ModelRun.Slice(given[i], step, steps).CopyTo(second.Input(i));
                }

                first.Run();
                second.Run();
                for (int o = 0; o < first.OutputCount; o++)
                {
                    total = total.And(ModelRun.Compare(first.OutputType(o).DType, first.Output(o), second.Output(o)));
                }
            }
        }

        return total;
    }
}
