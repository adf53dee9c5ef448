using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Fold;
using Xunit;

namespace Optc.Tests.Unit.Passes.Fold;

public sealed class FoldConstantsTests
{
    [Fact]
    public void Computes_a_node_of_constants()
    {
        PassModel model = new();
        Value sum = model.Add("sum", new Add(), PassModel.Floats("a", [2], 1, 2), PassModel.Floats("b", [1], 0.5f));
        Module module = model.Output(model.Add("y", new Mul(), model.Input("x", 2), sum)).Build();

        Module folded = PassModel.Fires(new FoldConstants(), module, "sum");

        Value constant = Assert.Single(folded.Main.Nodes).Inputs[1]!;
        Assert.Equal([1.5f, 2.5f], constant.Constant!.AsFloats().ToArray());
        Assert.Equal("sum", constant.Name);
    }

    [Fact]
    public void Computes_shape_arithmetic()
    {
        PassModel model = new();
        Value x = model.Input("x", 2, 3);
        Value shape = model.Add("shape", new ShapeOf(), x);
        Value part = model.Add("part", new Slice(), shape, PassModel.Ints("b", 1), PassModel.Ints("s", 1));
        Value wanted = model.Add("wanted", new Concatenation(0), part, PassModel.Ints("rest", -1));
        Module module = model.Output(model.AddTyped("y", new Reshape([]), new(DType.F32, [3, 2]), x, wanted)).Build();

        foreach (string layer in (ReadOnlySpan<string>)["shape", "part", "wanted"])
        {
            module = PassModel.Fires(new FoldConstants(), module, layer);
        }

        Assert.Equal([3, -1], Assert.Single(module.Main.Nodes).Inputs[1]!.Constant!.AsInts());
    }

    [Fact]
    public void Leaves_the_shape_of_an_unknown_batch()
    {
        PassModel model = new();
        Value shape = model.Add("shape", new ShapeOf(), model.Input("x", new TensorType(DType.F32, [-1, 3])));
        Module module = model.Output(model.Add("y", new Neg(), shape)).Build();

        Assert.Equal("an operand is computed", PassModel.Declines(new FoldConstants(), module, "shape"));
    }

    [Fact]
    public void Computes_all_results_of_a_node()
    {
        PassModel model = new();
        Node split = model.AddNode("split", new Split(2), PassModel.Ints("axis", 0), PassModel.Floats("c", [4], 1, 2, 3, 4));
        Module module = model.Output(model.Add("y", new Add(), model.Add("z", new Add(), model.Input("x", 2), split.Outputs[0]), split.Outputs[1])).Build();

        Assert.Equal("add add", PassModel.Ops(PassModel.Fires(new FoldConstants(), module, "split")));
    }

    [Fact]
    public void Leaves_what_would_take_more_space()
    {
        PassModel model = new();
        Value filled = model.Add("filled", new Fill(), PassModel.Ints("dims", 100), PassModel.Floats("v", [], 2));
        Module module = model.Output(model.Add("y", new Add(), model.Input("x", 100), filled)).Build();

        Assert.Equal("the result takes 392 bytes more than its operands", PassModel.Declines(new FoldConstants(), module, "filled"));
        Assert.Equal("add", PassModel.Ops(PassModel.Fires(new FoldConstants(new() { Growth = 392 }), module, "filled")));
    }

    [Fact]
    public void Refuses_a_large_result_before_it_is_computed()
    {
        PassModel model = new();
        Value filled = model.Add("filled", new Fill(), PassModel.Ints("dims", 1 << 15, 1 << 15), PassModel.Floats("v", [], 2));
        Module module = model.Output(model.Add("y", new ShapeOf(), filled)).Build();

        Assert.Equal("the result takes 4294967284 bytes more than its operands", PassModel.Declines(new FoldConstants(), module, "filled"));
    }

    [Fact]
    public void Counts_only_constants_that_vanish()
    {
        PassModel model = new();
        Value table = PassModel.Random("table", 1, 100);
        Value turned = model.Add("turned", new Neg(), table);
        Module module = model.Output(model.Add("y", new Add(), model.Add("z", new Add(), model.Input("x", 100), turned), table)).Build();

        Assert.Equal("the result takes 400 bytes more than its operands", PassModel.Declines(new FoldConstants(), module, "turned"));
    }

    [Fact]
    public void Leaves_compressed_weights_unless_asked()
    {
        PassModel model = new();
        Value real = model.Add("real", new Dequantize(), PassModel.Bytes("q", 1, 0.1f, 200));
        Module module = model.Output(model.Add("y", new Add(), model.Input("x", 200), real)).Build();

        Assert.Equal("the quantized constant is smaller", PassModel.Declines(new FoldConstants(), module, "real"));
        Assert.Equal("add", PassModel.Ops(PassModel.Fires(new FoldConstants(new() { Decompress = true }), module, "real")));
    }

    [Fact]
    public void Leaves_sparse_constants_unless_asked()
    {
        TensorData data = new(DType.F32, [4], new byte[4], new SparseLayout([0], [], [new SparseLevel(4, [0, 1], [2])]));
        PassModel model = new();
        Value turned = model.Add("turned", new Neg(), GraphBuilder.Constant(data, "c"));
        Module module = model.Output(model.Add("y", new Add(), model.Input("x", 4), turned)).Build();

        Assert.Equal("an operand is stored sparse, which is smaller", PassModel.Declines(new FoldConstants(), module, "turned"));
        PassModel.Fires(new FoldConstants(new() { Decompress = true }), module, "turned");
    }

    [Fact]
    public void Leaves_integers_that_depend_on_the_rounding_of_the_runtime()
    {
        // 5 * 1 * 0.5 = 2.5 steps: TFLite Micro rounds halves up, XNNPACK to even.
        QuantParams half = new(0.5f, 0);
        Value Raw(string name, sbyte raw) => GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [raw]), name, half);
        Module Make(sbyte a, sbyte b)
        {
            PassModel model = new();
            Value product = model.AddQuantized("product", new Mul(), half, Raw("a", a), Raw("b", b));
            return model.Output(model.AddQuantized("y", new Add(), half, model.Input("x", new TensorType(DType.I8, [1], half)), product)).Build();
        }

        Assert.Equal("its integers depend on the rounding of the runtime", PassModel.Declines(new FoldConstants(), Make(5, 1), "product"));
        PassModel.Fires(new FoldConstants(), Make(6, 1), "product");
    }

    [Fact]
    public void Leaves_state_side_effects_and_outputs()
    {
        PassModel model = new();
        Value c = PassModel.Floats("c", [1], 1);
        Value handle = model.AddTyped("handle", new VarHandle("", "v"), new(DType.Resource, []));
        model.AddNode("assign", new AssignVariable(), handle, c);
        Value stateful = model.Add("stateful", new Add(), c, PassModel.Variable("state", 1));
        Module module = model.Output(model.Add("y", new Neg(), c), stateful).Build();
        FoldConstants rule = new();

        Assert.Equal("an operand is computed", PassModel.Declines(rule, module, "handle"));
        Assert.Equal("it has side effects", PassModel.Declines(rule, module, "assign"));
        Assert.Equal("an operand is computed", PassModel.Declines(rule, module, "stateful"));
        Assert.Equal("'y' is an output of the graph, which must be computed", PassModel.Declines(rule, module, "y"));
    }

    [Fact]
    public void Leaves_what_cannot_be_computed()
    {
        PassModel model = new();
        Value gathered = model.Add("gathered", new Gather(0, 0), PassModel.Floats("c", [2], 1, 2), PassModel.Ints("i", 5));
        Module module = model.Output(model.Add("y", new Add(FusedActivation.None), model.Input("x", 1), gathered)).Build();

        Assert.StartsWith("it cannot be computed: ", PassModel.Declines(new FoldConstants(), module, "gathered"), StringComparison.Ordinal);
    }
}
