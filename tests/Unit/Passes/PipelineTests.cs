using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Xunit;

namespace Optc.Tests.Unit.Passes;

public sealed class PipelineTests
{
    [Fact]
    public void Simplification_takes_away_everything_that_does_nothing()
    {
        PassModel model = new();
        Value x = model.Input("x", 2, 6);
        Value shape = model.Add("shape", new Concatenation(0), PassModel.Ints("a", 2), PassModel.Ints("b", 6));
        Value a = model.Add("a", new Tanh(), model.Add("r", new Reshape([2, 6]), model.Add("flat", new Reshape([12]), x)));
        Value b = model.Add("b", new Tanh(), model.AddTyped("same", new Reshape([]), x.Type, x, shape));
        model.Add("dead", new Neg(), a);
        Module module = model.Output(model.Add("y", new Mul(), a, model.Add("one", new Mul(), b, PassModel.Floats("1", [], 1)))).Build();
        PassContext context = new();

        Module result = Pipelines.Simplify.Run(module, context);

        Assert.Equal("tanh mul", PassModel.Ops(result));
        PassModel.SameInterface(module, result);
        PassModel.Same(module, result, 0, "simplified");
        Assert.All(context.Events.Where(e => !e.Applied), e => Assert.NotEmpty(e.Reason!));
        Assert.Equal(9, module.Main.Nodes.Count);
    }

    [Fact]
    public void Preparation_leaves_the_layers_that_a_quantizer_wants()
    {
        PassModel model = new();
        Value padded = model.Add("pad", new Pad(), model.Input("x", 1, 8, 8, 3), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0));
        Value conv = model.Add("conv", new Conv2D(1, 1, PaddingMode.Valid), padded, PassModel.Random("w", 1, 4, 3, 3, 3));
        Value scaled = model.Add("bn/mul", new Mul(), conv, PassModel.Random("gamma", 2, 4));
        Value shifted = model.Add("bn/add", new Add(), scaled, PassModel.Random("beta", 3, 4));
        Module module = model.Output(model.Add("y", new Relu6(), shifted)).Build();

        Module result = Pipelines.PrepareForQuantization.Run(module);

        Node node = Assert.Single(result.Main.Nodes);
        Assert.Equal(new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu6), node.Op);
        Assert.Equal("conv", node.Name);
        PassModel.SameInterface(module, result);
        PassModel.Same(module, result, 2e-6, "prepared");
    }

    [Fact]
    public void Comes_to_rest_at_once_on_its_own_result()
    {
        foreach ((Pipeline pipeline, int seed) in Pipelines.All.SelectMany(p => Enumerable.Range(0, 40).Select(seed => (p, seed))))
        {
            Module before = RandomGraph.Make(seed);
            Module module = pipeline.Run(before);
            PassModel.SameInterface(before, module);
            PassModel.Same(before, module, pipeline == Pipelines.Simplify ? 0 : 1e-5, $"{pipeline.Name}, seed {seed}");
            PassContext context = new();

            pipeline.Run(module, context);

            Assert.DoesNotContain(context.Events, e => e.Applied);
        }
    }

    [Fact]
    public void A_reader_that_leads_nowhere_and_an_equal_reader_do_not_bar_the_folding()
    {
        PassModel model = new();
        Value layer = model.Add("layer", new FullyConnected(), model.Input("x", 2, 3), PassModel.Random("w", 1, 4, 3));
        model.Add("dead", new Neg(), layer);
        Value a = model.Add("a", new Mul(), layer, PassModel.Floats("k", [4], 1, 2, 3, 4));
        Value b = model.Add("b", new Mul(), layer, PassModel.Floats("same", [4], 1, 2, 3, 4));
        Module module = model.Output(model.Add("y", new Concatenation(1), a, b)).Build();

        Assert.Equal("fully_connected concatenation", PassModel.Ops(Pipelines.PrepareForQuantization.Run(module)));
    }

    [Fact]
    public void Refuses_an_order_that_breaks_a_reason()
    {
        PassOrder order = new("fold-layers", "fuse-activations", "an activation fused first would bar the folding");

        ArgumentException problem = Assert.Throws<ArgumentException>(
            () => new Pipeline("mine", [PassSet.FuseActivations, PassSet.FoldLayers], [order]));

        Assert.Contains("because an activation fused first would bar the folding", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pass_and_rule_has_a_name_of_its_own()
    {
        Assert.Distinct(PassSet.All.Select(p => p.Name).Concat(PassSet.Rules.Select(r => r.Name)));
        Assert.Equal(PassSet.All.Select(p => p.Name).Order(StringComparer.Ordinal), PassSet.All.Select(p => p.Name));
        Assert.All(PassSet.All, p => Assert.Same(p, PassSet.Find(p.Name)));
        Assert.All(Pipelines.All, p => Assert.Same(p, Pipelines.Find(p.Name)));
    }
}
