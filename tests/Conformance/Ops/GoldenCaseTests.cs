using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Ops;

/// <summary>The cases of <c>golden/ops</c>: one truth, several executors.</summary>
public sealed class GoldenCaseTests
{
    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> data = [];
        foreach (CaseExecutor executor in CaseExecutor.All)
        {
            foreach (GoldenCase @case in GoldenCase.All.Where(executor.Supports))
            {
                data.Add(executor.Name, @case.Path);
            }
        }

        return data;
    }

    public static TheoryData<string> LiteRtCases() =>
        [.. GoldenCase.All.Where(c => c.Error is null && CaseExecutor.LiteRt.Supports(c)).Select(c => c.Path)];

    public static TheoryData<string> Folders() => [.. GoldenCase.All.Select(c => c.Path.Split('/')[0]).Distinct()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Computes_what_the_case_states(string executor, string path) =>
        CaseExecutor.All.Single(e => e.Name == executor).Check(Find(path));

    [LiteRtTheory]
    [MemberData(nameof(LiteRtCases))]
    public void LiteRT_computes_what_the_case_states(string path) => CaseExecutor.LiteRt.Check(Find(path));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_op_has_a_typical_a_boundary_and_an_invalid_case(string op)
    {
        GoldenCase[] cases = [.. GoldenCase.All.Where(c => c.Path.StartsWith(op + "/", StringComparison.Ordinal))];
        Assert.Contains(cases, c => c.Path.Contains("/typical", StringComparison.Ordinal));
        Assert.Contains(cases, c => c.Path.Contains("/boundary", StringComparison.Ordinal));
        Assert.Contains(cases, c => c.Error is not null);
        if (OpSet.Find(op)!.Schema.Kernels.HasFlag(KernelTypes.I8))
        {
            Assert.Contains(cases, c => c.Error is null && c.Results.Concat(c.Inputs.OfType<CaseTensor>()).Any(t => t.Type.DType is DType.I8));
        }
    }

    private static GoldenCase Find(string path) => GoldenCase.All.Single(c => c.Path == path);
}
