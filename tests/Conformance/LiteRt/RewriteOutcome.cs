using System.Collections.Immutable;
using Optc.Backends.TfLite;
using Optc.Formats.Npy;
using Optc.Frontend;
using Optc.Tests.Conformance.Models;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>A model of the reference set and what optc writes after reading it, both in LiteRT.</summary>
/// <param name="OriginalError">Why LiteRT refuses the original, or <see langword="null"/>.</param>
/// <param name="RewrittenError">Why it refuses the rewritten file.</param>
/// <param name="Bytes">Bytes of output compared.</param>
/// <param name="Differing">Those that differ.</param>
internal sealed record RewriteOutcome(string Model, string? OriginalError, string? RewrittenError, long Bytes, long Differing)
{
    private static readonly Lazy<ImmutableArray<RewriteOutcome>> Run = new(RunAll);

    public static ImmutableArray<RewriteOutcome> All => Run.Value;

    private static ImmutableArray<RewriteOutcome> RunAll()
    {
        List<LiteRtJob> jobs = [];
        foreach (ReferenceModel model in ReferenceModel.All)
        {
            byte[] original = model.ReadFile();
            ImmutableArray<ImmutableArray<byte[]>> samples = [.. model.Samples.Select(s => s.Inputs.Select(path => FirstStep(model, path)).ToImmutableArray())];
            jobs.Add(new(original, samples));
            jobs.Add(new(TfLiteBackend.ToArray(FrontendSet.Read(original, model.Name)), samples));
        }

        ImmutableArray<LiteRtResult> results = LiteRtBatch.Run(jobs);
        return [.. ReferenceModel.All.Select((model, i) => Judge(model.Name, results[2 * i], results[(2 * i) + 1]))];
    }

    private static byte[] FirstStep(ReferenceModel model, string path)
    {
        NpyArray array = ReferenceModel.ReadArray(path);
        return array.Data[..(array.Data.Length / (model.Stateful ? array.Shape[0] : 1))].ToArray();
    }

    private static RewriteOutcome Judge(string model, LiteRtResult original, LiteRtResult rewritten)
    {
        RewriteOutcome outcome = new(model, original.Error, rewritten.Error, 0, 0);
        if (original.Error is not null || rewritten.Error is not null)
        {
            return outcome;
        }

        foreach ((ImmutableArray<byte[]> expected, ImmutableArray<byte[]> actual) in original.Outputs.Zip(rewritten.Outputs))
        {
            long differing = expected.Length == actual.Length ? expected.Zip(actual, Differences).Sum() : long.MaxValue / 2;
            outcome = outcome with { Bytes = outcome.Bytes + expected.Sum(e => e.LongLength), Differing = outcome.Differing + differing };
        }

        return outcome;
    }

    private static long Differences(byte[] expected, byte[] actual) => expected.Length == actual.Length
        ? expected.Zip(actual).LongCount(pair => pair.First != pair.Second)
        : expected.LongLength + actual.LongLength;
}
