using System.Globalization;
using System.Text;
using Optc.Backends.TfLiteMicro;
using Optc.Frontend;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Models;

public sealed class ArenaEstimateTests
{
    /// <summary>What its custom kernels allocate is their own; an estimate cannot know it.</summary>
    private const string CustomOperators = "audio_preprocessor_int8";

    private static IEnumerable<ReferenceModel> Measured =>
        ReferenceModel.All.Where(m => m.ArenaBytes is not null && m.Name != CustomOperators);

    [SharedFact]
    public void Is_never_below_what_the_runtime_uses_and_at_most_a_fifth_above() => Assert.All(Measured, model =>
        Assert.InRange(Estimate(model), model.ArenaBytes!.Value, model.ArenaBytes.Value * 6 / 5));

    /// <summary>The table of <c>docs/results/arena.md</c>.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        StringBuilder table = new(
            """
            # Arena estimate against TFLite Micro

            Bytes of arena that TFLite Micro's interpreter reports for the reference models on a 64-bit host, and what optc
            estimates. The constants of the estimate are fitted to these figures; on a 32-bit target the persistent part is about
            half, so the estimate is an upper bound there. What custom operators allocate is not counted.
            Made by `./build.sh bless`, compared in CI.

            | model | used | estimated | above |
            |---|---:|---:|---:|

            """);
        foreach (ReferenceModel model in Measured)
        {
            long estimate = Estimate(model);
            double above = (100.0 * estimate / model.ArenaBytes!.Value) - 100;
            table.AppendLine(CultureInfo.InvariantCulture, $"| {model.Name} | {model.ArenaBytes} | {estimate} | {above:0.0} % |");
        }

        GoldenFile.At("docs/results/arena.md").ShouldMatch(table.ToString());
    }

    private static long Estimate(ReferenceModel model) => ArenaEstimate.Of(FrontendSet.Read(model.ReadFile(), model.Name)).Total;
}
