using System.Collections.Immutable;
using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Tests.Conformance.Models;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>How the models of one family fared beside LiteRT.</summary>
/// <param name="Xnnpack">With the rounding profile of LiteRT's default build.</param>
/// <param name="Tflm">With that of TFLite Micro, for comparison.</param>
/// <param name="Failures">Models that LiteRT refused, or that differ more than allowed; with their seed.</param>
internal sealed record OpOutcome(OpFamily Family, Comparison Xnnpack, Comparison Tflm, ImmutableArray<string> Failures)
{
    private static readonly Lazy<ImmutableDictionary<string, OpOutcome>> Run = new(RunAll);

    public static OpOutcome Of(OpFamily family) => Run.Value[family.Name];

    private static ImmutableDictionary<string, OpOutcome> RunAll()
    {
        List<(OpFamily Family, int Seed, OpModel Model, byte[] File)> models = [];
        foreach (OpFamily family in OpFamilies.All)
        {
            foreach (int seed in family.Seeds)
            {
                OpModel model = family.Make(new(family.Type, seed) { IsHybrid = family.IsHybrid });
                models.Add((family, seed, model, TfLiteBackend.ToArray(model.Module)));
            }
        }

        ImmutableArray<LiteRtResult> results = LiteRtBatch.Run([.. models.Select(m => new LiteRtJob(m.File, [m.Model.Inputs]))]);
        return models.Zip(results).GroupBy(m => m.First.Family).ToImmutableDictionary(
            g => g.Key.Name, g => Judge(g.Key, g.Select(m => (m.First.Seed, m.First.Model, m.First.File, m.Second))));
    }

    private static OpOutcome Judge(OpFamily family, IEnumerable<(int Seed, OpModel Model, byte[] File, LiteRtResult Result)> models)
    {
        OpOutcome outcome = new(family, Comparison.None, Comparison.None, []);
        foreach ((int seed, OpModel model, byte[] file, LiteRtResult result) in models)
        {
            string place = string.Create(CultureInfo.InvariantCulture, $"{family} seed {seed}: {model.Module.Main.Nodes[0].Op}, {string.Join("; ", model.Module.Main.Nodes[0].Inputs)} -> {string.Join("; ", model.Module.Main.Outputs)}");
            if (result.Error is not null)
            {
                outcome = outcome with { Failures = outcome.Failures.Add($"{place}: LiteRT refuses it: {result.Error}") };
                continue;
            }

            Comparison xnnpack;
            try
            {
                xnnpack = Compare(file, model, RoundingProfile.Xnnpack, result.Outputs[0]);
            }
            catch (DiagnosticException refusal)
            {
                outcome = outcome with { Failures = outcome.Failures.Add($"{place}: optc refuses it: {refusal.Message}") };
                continue;
            }

            outcome = outcome with
            {
                Xnnpack = outcome.Xnnpack.And(xnnpack),
                Tflm = outcome.Tflm.And(Compare(file, model, RoundingProfile.Tflm, result.Outputs[0])),
                Failures = (xnnpack.IsFloat ? xnnpack.MaxRelative : xnnpack.MaxDifference) <= family.Tolerance
                    ? outcome.Failures
                    : outcome.Failures.Add($"{place}: {xnnpack}"),
            };
        }

        return outcome;
    }

    /// <summary>Runs the written file, read again, against the outputs of LiteRT.</summary>
    private static Comparison Compare(byte[] file, OpModel model, RoundingProfile rounding, ImmutableArray<byte[]> expected)
    {
        using Interpreter interpreter = new(FrontendSet.Read(file, "op"), options: new() { Rounding = rounding });
        for (int i = 0; i < model.Inputs.Length; i++)
        {
            model.Inputs[i].CopyTo(interpreter.Input(i));
        }

        interpreter.Run();
        Comparison total = Comparison.None;
        for (int o = 0; o < interpreter.OutputCount; o++)
        {
            total = total.And(ModelRun.Compare(interpreter.OutputType(o).DType, expected[o], interpreter.Output(o)));
        }

        return total;
    }
}
