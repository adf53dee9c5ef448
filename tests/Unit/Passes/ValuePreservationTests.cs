using Optc.Ir;
using Optc.Passes;
using Xunit;

namespace Optc.Tests.Unit.Passes;

/// <summary>Every rule and every pass by itself, on random graphs: the results stay, and so do the inputs and outputs.</summary>
public sealed class ValuePreservationTests
{
    private const int Graphs = 150;

    /// <summary>Relative to the largest element of an output; sums are taken in another order.</summary>
    private const double Tolerance = 1e-5;

    /// <summary>Rules whose results differ by rounding; all others keep every bit.</summary>
    private static readonly string[] Rounding =
    [
        "fold-scale-into-layer", "fold-scale-into-next-layer", "fold-offset-into-next-layer", "fuse-bias", "fuse-pad", "multiply-by-reciprocal", "recognize-rectifier",
        "fold-layers", "fuse-pads", "fuse-activations",
    ];

    /// <summary>Rules for integers, which float graphs do not wake.</summary>
    private static readonly string[] ForIntegers = ["remove-quantize"];

    public static TheoryData<string> Rules => [.. PassSet.Rules.Select(r => r.Name)];

    public static TheoryData<string> Passes => [.. PassSet.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_rule_keeps_what_a_graph_computes(string name)
    {
        IRewriteRule rule = PassSet.Rules.Single(r => r.Name == name);
        Check(new RewritePass(rule.Name, rule.Summary, rule), rule.Name);
    }

    [Theory]
    [MemberData(nameof(Passes))]
    public void A_pass_keeps_what_a_graph_computes(string name) => Check(PassSet.Find(name)!, name);

    private static void Check(IPass pass, string name)
    {
        int applied = 0;
        for (int seed = 0; seed < Graphs; seed++)
        {
            Module before = RandomGraph.Make(seed);
            Module after = before.Clone();
            PassContext context = new();

            pass.Run(after, context);

            PassModel.SameInterface(before, after);
            Assert.All(context.Events.Where(e => !e.Applied), e => Assert.NotEmpty(e.Reason!));
            if (context.AppliedCount > 0)
            {
                applied++;
                PassModel.Same(before, after, Rounding.Contains(name) ? Tolerance : 0, $"seed {seed}: {PassModel.Ops(before)} to {PassModel.Ops(after)}");
                PassContext again = new();
                pass.Run(after, again);
                Assert.Equal(0, again.AppliedCount);
            }
        }

        Assert.True(ForIntegers.Contains(name) || applied >= 5, $"{name} was applied to {applied} of {Graphs} graphs");
    }
}
