using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Passes.Clean;
using Xunit;

namespace Optc.Tests.Unit.Passes.Clean;

public sealed class MergeTests
{
    [Fact]
    public void Merges_constants_of_equal_type_and_bytes()
    {
        PassModel model = new();
        Value x = model.Input("x", 2);
        Value a = model.Add("a", new Add(), x, PassModel.Floats("c1", [2], 1, 2));
        Value b = model.Add("b", new Mul(), a, PassModel.Floats("c2", [2], 1, 2));
        Value c = model.Add("c", new Mul(), b, PassModel.Floats("other", [2], 1, -0f));
        Value d = model.Add("d", new Mul(), c, PassModel.Floats("sign", [2], 1, 0f));
        Value e = model.Add("e", new Mul(), d, PassModel.Floats("shape", [1, 2], 1, 2));
        Module module = model.Output(e).Build();
        Module merged = module.Clone();

        new MergeConstants().Run(merged, new());

        PassModel.SameInterface(module, merged);
        PassModel.Same(module, merged, 0, "merged");
        Assert.Equal(["c1", "c1", "other", "sign", "shape"], merged.Main.Nodes.Select(n => n.Inputs[1]!.Name));
        Assert.Same(merged.Main.Nodes[0].Inputs[1], merged.Main.Nodes[1].Inputs[1]);
    }

    [Fact]
    public void Does_not_merge_constants_of_different_quantization_or_outputs()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [2], new(0.1f, 0)));
        Value One(string name, float scale) => GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [5]), name, new(scale, 0));
        Value a = model.AddQuantized("a", new Add(), new(0.1f, 0), x, One("c1", 0.1f));
        Value b = model.AddQuantized("b", new Add(), new(0.1f, 0), a, One("c2", 0.2f));
        Value shown = One("c3", 0.1f);
        Value c = model.AddQuantized("c", new Add(), new(0.1f, 0), b, shown);
        Module module = model.Output(c, shown).Build();

        new MergeConstants().Run(module, new());

        Assert.Equal(["c1", "c2", "c3"], module.Main.Nodes.Select(n => n.Inputs[1]!.Name));
    }

    [Fact]
    public void Computes_equal_expressions_once()
    {
        PassModel model = new();
        Value x = model.Input("x", 2, 3);
        Value a = model.Add("a", new Tanh(), x);
        Value b = model.Add("b", new Tanh(), x);
        Value ra = model.Add("ra", new Reshape([3, 2]), a);
        Value rb = model.Add("rb", new Reshape([3, 2]), b);
        Module module = model.Output(model.Add("y", new Mul(), ra, rb)).Build();
        Module merged = module.Clone();

        new MergeSubexpressions().Run(merged, new());

        PassModel.SameInterface(module, merged);
        PassModel.Same(module, merged, 0, "merged");
        Assert.Equal("tanh reshape mul", PassModel.Ops(merged));
    }

    [Fact]
    public void Gives_the_shared_result_the_name_of_the_output_it_becomes()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        Value a = model.Add("a", new Tanh(), x);
        Value b = model.Add("b", new Tanh(), x);
        Module module = model.Output(b, model.Add("y", new Neg(), a)).Build();
        Module merged = module.Clone();

        new MergeSubexpressions().Run(merged, new());

        PassModel.SameInterface(module, merged);
        Assert.Equal("tanh neg", PassModel.Ops(merged));
    }

    [Fact]
    public void Tells_attributes_operands_and_types_apart()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        Value[] results =
        [
            model.Add("a", new LeakyRelu(0.1f), x),
            model.Add("b", new LeakyRelu(0.2f), x),
            model.Add("c", new Sub(), x, PassModel.Floats("c", [], 1)),
            model.Add("d", new Sub(), PassModel.Floats("c", [], 1), x),
        ];
        Module module = model.Output([.. results.Select(r => model.Add($"{r.Name}2", new Neg(), r))]).Build();
        PassContext context = new();

        new MergeSubexpressions().Run(module, context);

        Assert.Equal(8, module.Main.Nodes.Count);
        Assert.Empty(context.Events);
    }

    [Fact]
    public void Keeps_two_outputs_of_the_graph()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        Module module = model.Output(model.Add("a", new Tanh(), x), model.Add("b", new Tanh(), x)).Build();

        Assert.Equal("'b' and 'a' are both outputs of the graph", Reason(module));
    }

    [Fact]
    public void Keeps_two_results_of_different_quantization()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [4], new(0.1f, 0)));
        Value a = model.AddQuantized("a", new Relu(), new(0.1f, 0), x);
        Value b = model.AddQuantized("b", new Relu(), new(0.2f, 0), x);
        Module module = model.Output(model.Add("y", new Add(), model.Add("da", new Dequantize(), a), model.Add("db", new Dequantize(), b))).Build();

        Assert.StartsWith("its result is declared as i8[4] scale=0.2", Reason(module), StringComparison.Ordinal);
    }

    [Fact]
    public void Keeps_what_reads_state()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        Value handle = model.AddTyped("handle", new VarHandle("", "v"), new(DType.Resource, []));
        Value before = model.AddTyped("before", new ReadVariable(), x.Type, handle);
        model.AddNode("assign", new AssignVariable(), handle, x);
        Value after = model.AddTyped("after", new ReadVariable(), x.Type, handle);
        Module resource = model.Output(model.Add("y", new Sub(), after, before)).Build();
        PassModel variable = new();
        Value state = PassModel.Variable("state", 4);
        Value input = variable.Input("x", 4);
        Value sum = variable.Add("y", new Sub(), variable.Add("a", new Add(), input, state), variable.Add("b", new Add(), input, state));

        Assert.Equal("it reads or keeps state, which may change between the two", Reason(resource));
        Assert.Equal("it reads or keeps state, which may change between the two", Reason(variable.Output(sum).Build()));
    }

    private static string Reason(Module module)
    {
        PassContext context = new();
        int nodes = module.Main.Nodes.Count;
        new MergeSubexpressions().Run(module, context);
        Assert.Equal(nodes, module.Main.Nodes.Count);
        return Assert.Single(context.Events).Reason!;
    }
}
