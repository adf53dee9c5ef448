using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Tests.Unit.Passes.Quantize;
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

    /// <summary>Graphs whose sums and products are integers: nothing that the pipelines do may change a bit, whatever the rounding of the runtime.</summary>
    [Fact]
    public void Integer_graphs_keep_every_bit()
    {
        HashSet<string> applied = [];
        int integer = 0;
        for (int seed = 0; seed < Graphs; seed++)
        {
            Module source = RandomGraph.Make(seed);
            PassSet.FoldConstants.Run(source, new());
            Module before = Quantizer.Quantize(source, QuantizationRecipe.StaticInt8 with { Prepare = false }, FloatModel.Data(source, count: 2)).Module;
            bool isInteger = before.Main.Nodes.All(n =>
                n.Op is not (Conv2D or DepthwiseConv2D or TransposeConv or FullyConnected or Arithmetic) || n.Output.Type.DType is not DType.F32);
            integer += isInteger ? 1 : 0;
            foreach (Pipeline pipeline in Pipelines.All.Where(p => isInteger || p == Pipelines.Simplify))
            {
                PassContext context = new();
                Module after = pipeline.Run(before, context);

                PassModel.SameInterface(before, after);
                PassModel.Same(before, after, 0, $"{pipeline.Name}, seed {seed}: {PassModel.Ops(before)} to {PassModel.Ops(after)}");
                applied.UnionWith(context.Events.Where(e => e.Applied).Select(e => e.Rule));
            }
        }

        Assert.InRange(integer, Graphs / 4, Graphs);
        Assert.All((string[])["fuse-pad", "merge-reshapes", "remove-pad", "remove-slice", "remove-transpose"], rule => Assert.Contains(rule, applied));
        Assert.DoesNotContain(applied, rule => rule.StartsWith("fold-scale", StringComparison.Ordinal) || rule is "fuse-bias" or "remove-neutral-operand");
    }

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
