using System.Globalization;
using System.Text;
using Optc.Tests.Conformance.Models;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Whole models that optc wrote, in the real LiteRT.</summary>
public sealed class ModelsInLiteRtTests
{
    public static TheoryData<string, string> Quantized()
    {
        TheoryData<string, string> data = [];
        foreach (string model in ModelOutcome.Models)
        {
            foreach (string recipe in ModelOutcome.Recipes.Select(r => r.Name))
            {
                data.Add(model, recipe);
            }
        }

        return data;
    }

    public static TheoryData<string> References() => [.. SharedFolder.Exists ? ReferenceModel.All.Select(m => m.Name) : ["(missing)"]];

    [LiteRtTheory(needsSharedFolder: true)]
    [MemberData(nameof(Quantized))]
    public void A_model_that_optc_quantized_computes_nearly_the_same(string model, string recipe)
    {
        ModelOutcome outcome = ModelOutcome.All.Single(o => o.Model == model && o.Recipe == recipe);

        Assert.True(outcome.IsClose, outcome.ToString());
        Assert.Equal(outcome.ClearWinners, outcome.SameWinners);
    }

    [LiteRtTheory(needsSharedFolder: true)]
    [MemberData(nameof(References))]
    public void A_rewritten_model_computes_the_same_bytes(string model)
    {
        RewriteOutcome outcome = RewriteOutcome.All.Single(o => o.Model == model);

        Assert.Equal(outcome.OriginalError, outcome.RewrittenError);
        Assert.Equal(0, outcome.Differing);
        Assert.True(outcome.Bytes > 0 || outcome.OriginalError is not null);
    }

    /// <summary>The table of <c>docs/results/litert.md</c>.</summary>
    [LiteRtFact(needsSharedFolder: true)]
    public void The_published_table_is_current()
    {
        StringBuilder text = new(
            """
            # What optc writes, in the real LiteRT

            LiteRT is `@litertjs/core` 2.5.3, its WebAssembly build on the CPU with XNNPACK, one thread. Every file is written by
            optc and run in both; optc uses its rounding profile `xnnpack`, the column `tflm` shows how often TFLite Micro's
            rounding would differ. Made by `OPTC_BLESS=1 dotnet test -c Release tests/Conformance`, compared in CI.

            ## Single operators

            24 models of each, with random shapes, attributes, grids and weights (seeds in `tests/Conformance/LiteRt`).
            Differences of integers are in steps of the output, of floats relative to its largest value.

            | operator | type | outputs | differing | differing with tflm | largest difference | allowed |
            |---|---|---:|---:|---:|---:|---:|

            """);
        foreach (OpOutcome outcome in OpFamilies.All.Select(OpOutcome.Of))
        {
            string tflm = outcome.Xnnpack.IsFloat ? "-" : outcome.Tflm.Differing.ToString(CultureInfo.InvariantCulture);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {outcome.Family.Op} | {outcome.Family.Kind} | {outcome.Xnnpack.Elements} | {Columns(outcome.Xnnpack, tflm, outcome.Family.Tolerance)} |");
        }

        text.Append(
            """

            ## Models that optc quantized

            Float models of the reference set, calibrated with their three samples and run on them. A winner is clear when the
            largest output is further from the next than the runtimes may be apart.

            | model | recipe | outputs | differing | differing with tflm | largest difference | allowed | clear winners | the same |
            |---|---|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach (ModelOutcome outcome in ModelOutcome.All)
        {
            string tflm = outcome.Xnnpack.IsFloat ? "-" : outcome.Tflm.Differing.ToString(CultureInfo.InvariantCulture);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {outcome.Model} | {outcome.Recipe} | {outcome.Xnnpack.Elements} | {Columns(outcome.Xnnpack, tflm, outcome.Allowed)} | {outcome.ClearWinners} | {outcome.SameWinners} |");
        }

        text.Append(
            """

            ## Models that optc read and wrote again

            The original and the rewritten file, both in LiteRT on the three samples of the model. LiteRT's WebAssembly build
            refuses variable tensors and custom operators, in both files alike.

            | model | bytes of output | differing |
            |---|---:|---:|

            """);
        foreach (RewriteOutcome outcome in RewriteOutcome.All)
        {
            string result = outcome.OriginalError is null && outcome.RewrittenError is null
                ? string.Create(CultureInfo.InvariantCulture, $"{outcome.Bytes} | {outcome.Differing}")
                : outcome.OriginalError == outcome.RewrittenError ? "refused | -" : "refused only one | -";
            text.AppendLine(CultureInfo.InvariantCulture, $"| {outcome.Model} | {result} |");
        }

        GoldenFile.At("docs/results/litert.md").ShouldMatch(text.ToString());
    }

    // Float differences vary with the instructions of the machine, so only their being small is published.
    private static string Columns(Comparison result, string tflm, double allowed) => result.IsFloat
        ? string.Create(CultureInfo.InvariantCulture, $"- | - | {(result.MaxRelative <= allowed ? "within" : result.MaxRelative.ToString("0.0e+0", CultureInfo.InvariantCulture))} | {allowed:0.#####}")
        : string.Create(CultureInfo.InvariantCulture, $"{result.Differing} | {tflm} | {result.MaxDifference} | {allowed}");
}
