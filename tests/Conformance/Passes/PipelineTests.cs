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

    /// <summary>Its operators are custom ones that cannot be executed.</summary>
    internal const string CustomOperators = "audio_preprocessor_int8";

    public static TheoryData<string> Names() => [.. SharedFolder.Exists ? ReferenceModel.All.Select(m => m.Name) : ["(missing)"]];

    public static TheoryData<string> FloatNames() => [.. SharedFolder.Exists ? LayeredModels() : ["(missing)"]];

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

    /// <summary>What an exporter left apart is put together again, to the operators that the converter made.</summary>
    [SharedTheory]
    [MemberData(nameof(FloatNames))]
    public void Preparation_puts_together_what_was_taken_apart(string name)
    {
        ReferenceModel model = ReferenceModel.Find(name);
        Module original = FrontendSet.Read(model.ReadFile(), name);
        Module apart = Unfused.Of(original);

        Module together = Pipelines.PrepareForQuantization.Run(apart);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Operators(apart)} operators become {Operators(together)}"));
        Assert.True(Operators(apart) > 2 * Operators(original));
        Assert.Equal(original.Main.Nodes.Select(n => n.Op), together.Main.Nodes.Select(n => n.Op));
        Assert.True(Compare(model, original, together).MaxRelative <= FloatTolerance);
        Module simplified = Pipelines.Simplify.Run(apart);
        Assert.True(Operators(simplified) < Operators(apart));
        Assert.Equal(0, Compare(model, apart, simplified).Differing);
    }

    /// <summary>The table of <c>docs/results/passes.md</c>.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        StringBuilder table = new(
            """
            # What the passes take away from third-party models

            Float models of the reference set, taken apart as a careless exporter would write them: batch normalization,
            activations, borders and quotients are nodes of their own, with copies between them and results that nobody reads.
            After `simplify` every output bit is the same; after `prepare-for-quantization` outputs are within 1e-5, and the
            operators are those that TensorFlow's converter made. Operators and bytes of the `.tflite`.
            Made by `OPTC_BLESS=1 dotnet test -c Release tests/Conformance`, compared in CI.

            | model | as converted | taken apart | simplified | prepared | bytes as converted | taken apart | simplified | prepared |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach (string name in LayeredModels())
        {
            Module module = FrontendSet.Read(ReferenceModel.Find(name).ReadFile(), name);
            Module apart = Unfused.Of(module);
            Module[] all = [module, apart, .. Pipelines.All.Select(p => p.Run(apart))];
            string operators = string.Join(" | ", all.Select(m => Operators(m).ToString(CultureInfo.InvariantCulture)));
            string bytes = string.Join(" | ", all.Select(m => TfLiteBackend.ToArray(m).Length.ToString(CultureInfo.InvariantCulture)));
            table.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {operators} | {bytes} |");
        }

        Module[] read = [.. ReferenceModel.All.Select(m => FrontendSet.Read(m.ReadFile(), m.Name))];
        int same = read.Count(m => Pipelines.All.All(p => Operators(p.Run(m)) == Operators(m)));
        table.AppendLine(CultureInfo.InvariantCulture, $"\nFrom {same} of all {read.Length} models as converted, integer ones included, there is nothing to take away.");
        GoldenFile.At("docs/results/passes.md").ShouldMatch(table.ToString());
    }

    /// <summary>Models that have float layers with weights.</summary>
    private static IEnumerable<string> LayeredModels() => ReferenceModel.All
        .Where(m => FrontendSet.Read(m.ReadFile(), m.Name) is var module && Operators(Unfused.Of(module)) > Operators(module))
        .Select(m => m.Name);

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

    internal static Comparison Compare(ReferenceModel model, Module before, Module after)
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
