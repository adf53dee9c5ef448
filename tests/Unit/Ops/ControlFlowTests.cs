using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ControlFlowTests
{
    private static readonly TensorType Flag = new(DType.Bool, Shape.Scalar);
    private static readonly TensorType Row = new(DType.F32, [2]);

    [Theory]
    [InlineData(true, 10f, -20f)]
    [InlineData(false, 10f, -5f)]
    public void If_runs_the_graph_that_the_condition_chooses(bool condition, float first, float second)
    {
        float[] y = new OpCase(new If("keep", "leak"))
            .Input(Flag, condition)
            .Input<float>(Row, 10f, -20f)
            .Subgraph(Identity("keep"))
            .Subgraph(Unary("leak", new LeakyRelu(0.25f)))
            .Run<float>();

        Assert.Equal([first, second], y);
    }

    [Fact]
    public void If_refuses_graphs_whose_results_differ_in_type()
    {
        OpCase @case = new OpCase(new If("keep", "other"))
            .Input(Flag, true)
            .Input<float>(Row, 1f, 2f)
            .Subgraph(Identity("keep"))
            .Subgraph(Constant("other", new TensorType(DType.F32, [2]), TensorData.FromInts([2], [1, 2])));

        OpRuleException problem = Assert.Throws<OpRuleException>(() => @case.Infer());
        Assert.Equal("i32[2]", problem.Found);
        Assert.Equal("f32[2]", problem.Expected);
    }

    [Fact]
    public void If_refuses_a_graph_with_another_number_of_inputs()
    {
        OpCase @case = new OpCase(new If("keep", "keep")).Input(Flag, true).Subgraph(Identity("keep"));

        Assert.Equal("1 inputs, 1 outputs", Assert.Throws<OpRuleException>(() => @case.Infer()).Found);
    }

    [Fact]
    public void If_refuses_a_condition_of_several_elements() => Assert.Equal(
        "[2]",
        Assert.Throws<OpRuleException>(() => new OpCase(new If("a", "b")).Input<bool>(DType.Bool, [2], true, false).Infer()).Found);

    [Fact]
    public void If_refuses_a_graph_that_does_not_exist() => Assert.Equal(
        "nowhere",
        Assert.Throws<OpRuleException>(() => new OpCase(new If("nowhere", "nowhere")).Input(Flag, true).Infer()).Found);

    [Fact]
    public void If_knows_a_dimension_that_one_of_its_graphs_knows()
    {
        OpCase @case = new OpCase(new If("a", "b"))
            .Input(Flag, true)
            .Input<float>(DType.F32, [2, 3], new float[6])
            .Subgraph(Identity("a", new(DType.F32, [2, -1])))
            .Subgraph(Identity("b", new(DType.F32, [-1, 3])));

        Assert.Equal([2, 3], @case.Infer()[0].Shape);
    }

    [Fact]
    public void While_swaps_its_values_until_the_condition_is_false()
    {
        using OpRun run = new OpCase(new While("go", "turn"))
            .Input(Flag, true)
            .Input(Flag, true)
            .Input(Flag, false)
            .Subgraph(Permutation("go", [0, 1, 2], results: 1))
            .Subgraph(Permutation("turn", [1, 2, 0], results: 3))
            .Prepare();

        Assert.Equal([false], run.Next<bool>(0));
        Assert.Equal([true], run.Interpreter.Output<bool>(1).ToArray());
        Assert.Equal([true], run.Interpreter.Output<bool>(2).ToArray());
    }

    [Fact]
    public void While_without_a_round_gives_its_operands() => Assert.Equal(
        [false],
        new OpCase(new While("go", "turn"))
            .Input(Flag, false)
            .Subgraph(Permutation("go", [0], results: 1))
            .Subgraph(Permutation("turn", [0], results: 1))
            .Run<bool>());

    [Fact]
    public void While_that_never_ends_stops_when_the_run_is_cancelled()
    {
        using OpRun run = new OpCase(new While("go", "turn"))
            .Input(Flag, true)
            .Subgraph(Permutation("go", [0], results: 1))
            .Subgraph(Permutation("turn", [0], results: 1))
            .Prepare();
        using CancellationTokenSource cancellation = new(TimeSpan.FromMilliseconds(50));

        Assert.Throws<OperationCanceledException>(() => run.Interpreter.Run(cancellation.Token));
    }

    [Fact]
    public void While_refuses_a_condition_that_is_no_bool() => Assert.Equal(
        "f32[2]",
        Assert.Throws<OpRuleException>(() => new OpCase(new While("go", "go"))
            .Input<float>(Row, 1f, 2f).Subgraph(Identity("go")).Infer()).Found);

    [Fact]
    public void While_refuses_a_body_that_changes_a_shape() => Assert.Equal(
        "value 0 of the loop over 'grow' has another type than the value it is given",
        Assert.Throws<OpRuleException>(() => new OpCase(new While("go", "grow"))
            .Input<bool>(DType.Bool, [1], true)
            .Subgraph(Identity("go", new(DType.Bool, [1])))
            .Subgraph(Constant("grow", new(DType.Bool, [1]), TensorData.From<bool>(DType.Bool, [2], [true, true])))
            .Infer()).Message);

    [Fact]
    public void A_graph_that_calls_itself_is_refused()
    {
        GraphBuilder builder = new("self");
        Value x = builder.Input("x", Flag);
        builder.Output(builder.Add(new While("self", "self"), [x], [GraphBuilder.Result("y", Flag)], "loop").Output);
        OpCase @case = new OpCase(new While("self", "self")).Input(Flag, true).Subgraph(builder.Build());

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => @case.Prepare());
        Assert.Contains(problem.Diagnostics, d => d.Message == "a graph calls itself");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Subgraph_indices_survive_a_file(int first, int second)
    {
        string[] names = ["main", "other"];
        AssertRoundTrip(new If(names[first], names[second]), names);
        AssertRoundTrip(new While(names[first], names[second]), names);
        AssertRoundTrip(new CallOnce(names[second]), names);
    }

    [Fact]
    public void A_subgraph_index_outside_the_file_is_refused() => Assert.Throws<OpRuleException>(() => If.Read(
        new(new OperatorRecord { BuiltinOptions = new IfOptions { ThenSubgraphIndex = 7 } }, ["main"])));

    private static void AssertRoundTrip<TOp>(TOp op, string[] names)
        where TOp : IOp<TOp>, ITfLiteOp<TOp>
    {
        TfLiteEncoding encoding = op.Write(new(new OpOperands(), names));
        Assert.Equal(1, encoding.Version);
        Assert.Equal<IOp>(op, TOp.Read(new(new OperatorRecord { BuiltinOptions = (IBuiltinOptions)encoding.Options! }, names)));
        Assert.Equal(op, OpCase.Reparse(op));
    }

    private static Graph Identity(string name, TensorType? type = null)
    {
        GraphBuilder builder = new(name);
        builder.Output(builder.Input("x", type ?? Row));
        return builder.Build();
    }

    private static Graph Unary(string name, IOp op)
    {
        GraphBuilder builder = new(name);
        Value x = builder.Input("x", Row);
        builder.Output(builder.Add(op, [x], "y").Output);
        return builder.Build();
    }

    private static Graph Constant(string name, TensorType input, TensorData result)
    {
        GraphBuilder builder = new(name);
        builder.Input("x", input);
        builder.Output(GraphBuilder.Constant(result, "c"));
        return builder.Build();
    }

    private static Graph Permutation(string name, int[] order, int results)
    {
        GraphBuilder builder = new(name);
        Value[] inputs = [.. order.Select(i => builder.Input($"x{i}", Flag))];
        foreach (int i in order.Take(results))
        {
            builder.Output(inputs[i]);
        }

        return builder.Build();
    }
}
