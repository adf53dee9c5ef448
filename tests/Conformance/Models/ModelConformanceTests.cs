using System.Globalization;
using System.Text;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Models;

public sealed class ModelConformanceTests
{
    /// <summary>Relative to the largest value of the output; float32 sums are not taken in the reference's order.</summary>
    private const double FloatTolerance = 1e-5;

    /// <summary>Its operators are custom ones of the signal library; running it is refused by name.</summary>
    private const string CustomOperators = "audio_preprocessor_int8";

    public static TheoryData<string> Names() => [.. SharedFolder.Exists ? ReferenceModel.All.Select(m => m.Name) : ["(missing)"]];

    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Survives_read_write_read(string name)
    {
        Module module = FrontendSet.Read(ReferenceModel.Find(name).ReadFile(), name);

        byte[] written = TfLiteBackend.ToArray(module);

        Module again = FrontendSet.Read(written, name);
        Assert.Equal(written, TfLiteBackend.ToArray(again));
        Assert.Equal(module.Graphs.Select(g => g.Nodes.Count), again.Graphs.Select(g => g.Nodes.Count));
    }

    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Computes_what_the_reference_computes(string name)
    {
        if (name == CustomOperators)
        {
            Assert.Contains("SignalWindow", Assert.Throws<DiagnosticException>(() => Run(name)).Message, StringComparison.Ordinal);
            return;
        }

        Comparison result = Run(name);

        Assert.True(IsClose(name, result), result.ToString());
    }

    /// <summary>Files of either target have the outputs of the file they were made from, to the last bit and in both ways of rounding.</summary>
    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Written_files_compute_the_same(string name)
    {
        if (name == CustomOperators)
        {
            return;
        }

        ReferenceModel model = ReferenceModel.Find(name);
        Module original = FrontendSet.Read(model.ReadFile(), name);
        foreach (TfLiteTarget target in Enum.GetValues<TfLiteTarget>())
        {
            Module written = FrontendSet.Read(TfLiteBackend.ToArray(original, new(TfLiteNames.Interface, target)), name);
            foreach (RoundingProfile rounding in Enum.GetValues<RoundingProfile>())
            {
                InterpreterOptions options = new() { Rounding = rounding };
                Assert.Equal(ModelRun.Outputs(model, original, options), ModelRun.Outputs(model, written, options));
            }
        }
    }

    /// <summary>The table of <c>docs/results/conformance.md</c>.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        StringBuilder table = new(
            """
            # Third-party models against their reference outputs

            Every model of the reference set: read, verified, written, read again, and run on three samples. Integer outputs
            are compared exactly, float outputs relative to the largest value of the output (at most 1e-5).
            Made by `OPTC_BLESS=1 dotnet test -c Release tests/Conformance`, compared in CI.

            | model | kind | expected from | outputs | differing | largest difference |
            |---|---|---|---:|---:|---:|

            """);
        foreach (ReferenceModel model in ReferenceModel.All)
        {
            table.AppendLine(CultureInfo.InvariantCulture, $"| {model.Name} | {model.Kind} | {model.ExpectedFrom} | {Row(model)} |");
        }

        GoldenFile.At("docs/results/conformance.md").ShouldMatch(table.ToString());
    }

    // Float differences vary with the instructions of the machine, so only their being small is published.
    private static string Row(ReferenceModel model)
    {
        if (model.Name == CustomOperators)
        {
            return "refused: custom operators | - | -";
        }

        Comparison result = Run(model.Name);
        string difference = result.IsFloat
            ? result.MaxRelative <= FloatTolerance ? "<= 1e-5" : result.MaxRelative.ToString("0.0e+0", CultureInfo.InvariantCulture)
            : result.MaxDifference.ToString(CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{result.Elements} | {(result.IsFloat ? "-" : result.Differing.ToString(CultureInfo.InvariantCulture))} | {difference}");
    }

    private static Comparison Run(string name)
    {
        ReferenceModel model = ReferenceModel.Find(name);
        return ModelRun.Compare(model, FrontendSet.Read(model.ReadFile(), name), InterpreterOptions.Default);
    }

    private static bool IsClose(string name, Comparison result) =>
        result.IsFloat ? result.MaxRelative <= FloatTolerance : result.Differing == 0;
}
