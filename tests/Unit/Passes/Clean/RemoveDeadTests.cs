using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Passes.Clean;
using Xunit;

namespace Optc.Tests.Unit.Passes.Clean;

public sealed class RemoveDeadTests
{
    [Fact]
    public void Removes_chains_that_nobody_reads()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        model.Add("dead", new Add(), model.Add("feeds-dead", new Neg(), x), PassModel.Random("c", 1, 4));
        Module module = model.Output(model.Add("y", new Tanh(), x)).Build();
        PassContext context = new();

        new RemoveDead().Run(module, context);

        Assert.Equal("tanh", PassModel.Ops(module));
        Assert.Equal(["feeds-dead", "dead"], context.Events.Select(e => e.Node));
    }

    [Fact]
    public void Keeps_inputs_side_effects_and_outputs_in_part()
    {
        PassModel model = new();
        model.Input("unused", 4);
        Value x = model.Input("x", 4);
        Value handle = model.AddTyped("handle", new VarHandle("", "v"), new(DType.Resource, []));
        model.AddNode("assign", new AssignVariable(), handle, x);
        Node split = model.AddNode("split", new Split(2), PassModel.Ints("axis", 0), x);
        Module module = model.Output(split.Outputs[0]).Build();
        PassContext context = new();

        new RemoveDead().Run(module, context);

        Assert.Equal("var_handle assign_variable split", PassModel.Ops(module));
        Assert.Equal(2, module.Main.Inputs.Count);
        Assert.Equal("it has side effects", Assert.Single(context.Events).Reason);
    }

    [Fact]
    public void Keeps_a_node_that_holds_state()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        model.Add("reader", new Add(), x, PassModel.Variable("state", 4));
        Module module = model.Output(model.Add("y", new Tanh(), x)).Build();
        PassContext context = new();

        new RemoveDead().Run(module, context);

        Assert.Equal("add tanh", PassModel.Ops(module));
        Assert.Equal("it keeps state in a variable", Assert.Single(context.Events).Reason);
    }

    [Fact]
    public void Removes_only_graphs_that_nobody_can_call()
    {
        Module module = WithGraphs(signatures: true);
        PassContext context = new();

        new RemoveDead().Run(module, context);

        Assert.Equal(["main", "then", "else", "nested"], module.Graphs.Select(g => g.Name));
        Assert.Equal("lonely", Assert.Single(context.Events).Node);
        Verifier.ThrowIfBroken(module);
    }

    [Fact]
    public void Keeps_every_graph_of_a_module_without_signatures()
    {
        Module module = WithGraphs(signatures: false);
        PassContext context = new();

        new RemoveDead().Run(module, context);

        Assert.Equal(5, module.Graphs.Length);
        Assert.Equal("without signatures any graph may be an entry point", Assert.Single(context.Events).Reason);
    }

    private static Module WithGraphs(bool signatures)
    {
        Graph Leaf(string name)
        {
            GraphBuilder builder = new(name);
            builder.Output(builder.Add(new Tanh(), [builder.Input("x", new(DType.F32, [4]))], "y").Output);
            return builder.Build();
        }

        (Graph nested, Graph otherwise, Graph lonely) = (Leaf("nested"), Leaf("else"), Leaf("lonely"));
        Graph? Find(string name) => name switch { "nested" => nested, "else" => otherwise, _ => null };
        GraphBuilder then = new("then", Find);
        Value condition = GraphBuilder.Constant(TensorData.From<byte>(DType.Bool, [1], [1]), "condition");
        Value x = then.Input("x", new(DType.F32, [4]));
        then.Output(then.Add(new If("nested", "else"), [condition, x], "y").Output);
        Graph thenGraph = then.Build();
        GraphBuilder main = new("main", name => name == "then" ? thenGraph : Find(name));
        Value input = main.Input("x", new(DType.F32, [4]));
        Value output = main.Add(new If("then", "else"), [condition, input], "y").Output;
        main.Output(output);
        Graph mainGraph = main.Build();
        Module module = GraphBuilder.Module(
            [mainGraph, lonely, thenGraph, otherwise, nested],
            signatures ? [new Signature("serve", mainGraph, [("x", input)], [("y", output)])] : []);
        Verifier.ThrowIfBroken(module);
        return module;
    }
}
