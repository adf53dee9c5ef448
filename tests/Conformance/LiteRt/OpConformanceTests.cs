using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Random models of single ops, written by optc, in the real LiteRT and in optc with its rounding profile.</summary>
public sealed class OpConformanceTests
{
    public static TheoryData<string> Families() => [.. OpFamilies.All.Select(f => f.Name)];

    [LiteRtTheory]
    [MemberData(nameof(Families))]
    public void LiteRT_computes_what_optc_computes(string family)
    {
        OpOutcome outcome = OpOutcome.Of(OpFamilies.All.Single(f => f.Name == family));

        Assert.True(outcome.Failures.IsEmpty, string.Join("\n", outcome.Failures));
        Assert.True(outcome.Xnnpack.Elements > 0);
    }
}
