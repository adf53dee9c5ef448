using Optc.Ir;
using Optc.Ops;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ResourceVariableTests
{
    private static readonly TensorType Pair = new(DType.F32, [2]);
    private static readonly TensorType Handle = new(DType.Resource, Shape.Scalar);

    [Fact]
    public void A_variable_keeps_what_was_assigned_from_run_to_run()
    {
        using Interpreter interpreter = new(ReadThenAssign(Pair));
        interpreter.Input<float>(0)[1] = 7;
        interpreter.Run();
        Assert.Equal([0f, 0f], interpreter.Output<float>(0).ToArray());
        interpreter.Run();
        Assert.Equal([0f, 7f], interpreter.Output<float>(0).ToArray());
    }

    [Fact]
    public void A_fresh_variable_holds_its_zero_point_and_a_reset_restores_it()
    {
        using Interpreter interpreter = new(ReadThenAssign(new(DType.I8, [2], new(0.5f, -3))));
        interpreter.Run();
        Assert.Equal<sbyte>([-3, -3], interpreter.Output<sbyte>(0).ToArray());
        interpreter.Run();
        Assert.Equal<sbyte>([0, 0], interpreter.Output<sbyte>(0).ToArray());
        interpreter.Reset();
        interpreter.Run();
        Assert.Equal<sbyte>([-3, -3], interpreter.Output<sbyte>(0).ToArray());
    }

    [Fact]
    public void Call_once_runs_its_graph_once_and_again_after_a_reset()
    {
        GraphBuilder init = new("init");
        Assign(init, GraphBuilder.Constant(TensorData.FromFloats([2], [4, 5]), "start"));
        GraphBuilder main = new("main", _ => init.Build());
        Value x = main.Input("x", Pair);
        main.Add(new CallOnce("init"), [], "once");
        Value handle = main.Add(new VarHandle("", "v"), [], "handle").Output;
        main.Output(main.Add(new ReadVariable(), [handle], [GraphBuilder.Result("y", Pair)], "read").Output);
        main.Add(new AssignVariable(), [handle, x], "assign");
        using Interpreter interpreter = new(GraphBuilder.Module([main.Build(), init.Build()]));

        interpreter.Run();
        Assert.Equal([4f, 5f], interpreter.Output<float>(0).ToArray());
        interpreter.Run();
        Assert.Equal([0f, 0f], interpreter.Output<float>(0).ToArray());
        interpreter.Reset();
        interpreter.Run();
        Assert.Equal([4f, 5f], interpreter.Output<float>(0).ToArray());
    }

    [Fact]
    public void Call_once_refuses_a_graph_with_inputs()
    {
        GraphBuilder init = new("init");
        init.Input("x", Pair);

        Assert.Equal(
            "1 inputs, 0 outputs",
            Assert.Throws<OpRuleException>(() => new OpCase(new CallOnce("init")).Subgraph(init.Build()).Infer()).Found);
    }

    [Fact]
    public void The_names_and_not_the_node_identify_a_variable()
    {
        GraphBuilder main = new("main");
        Value x = main.Input("x", Pair);
        main.Add(new AssignVariable(), [main.Add(new VarHandle("a", "v"), [], "h0").Output, x], "assign");
        foreach ((string container, string name) in new[] { ("a", "v"), ("b", "v") })
        {
            Value handle = main.Add(new VarHandle(container, name), [], $"h {container} {name}").Output;
            main.Output(main.Add(new ReadVariable(), [handle], [GraphBuilder.Result("y", Pair)], "read").Output);
        }

        using Interpreter interpreter = new(GraphBuilder.Module([main.Build()]));
        interpreter.Input<float>(0).Fill(3);
        interpreter.Run();

        Assert.Equal([3f, 3f], interpreter.Output<float>(0).ToArray());
        Assert.Equal([0f, 0f], interpreter.Output<float>(1).ToArray());
    }

    [Fact]
    public void Another_size_than_that_of_the_first_assignment_is_an_error_of_the_run()
    {
        GraphBuilder main = new("main");
        Value x = main.Input("x", Pair);
        Value handle = main.Add(new VarHandle("", "v"), [], "handle").Output;
        main.Add(new AssignVariable(), [handle, x], "assign");
        main.Output(main.Add(new ReadVariable(), [handle], [GraphBuilder.Result("y", new(DType.F32, [3]))], "read").Output);
        using Interpreter interpreter = new(GraphBuilder.Module([main.Build()]));

        Diagnostic problem = Assert.Throws<DiagnosticException>(() => interpreter.Run()).Diagnostics[0];
        Assert.Equal(DiagnosticId.RunFailed, problem.Id);
        Assert.Equal("8 bytes to be copied to 12", problem.Found);
    }

    [Fact]
    public void A_handle_that_nobody_made_is_an_error_of_the_run()
    {
        GraphBuilder main = new("main");
        Value handle = main.Input("handle", Handle);
        main.Output(main.Add(new ReadVariable(), [handle], [GraphBuilder.Result("y", Pair)], "read").Output);
        using Interpreter interpreter = new(GraphBuilder.Module([main.Build()]));
        interpreter.Input<int>(0)[0] = -5;

        Assert.Equal("-5", Assert.Throws<DiagnosticException>(() => interpreter.Run()).Diagnostics[0].Found);
    }

    [Fact]
    public void Only_handles_are_read_and_assigned()
    {
        Assert.Throws<OpRuleException>(() => new OpCase(new ReadVariable()).Input<float>(Pair).Output(Pair).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new AssignVariable()).Input<float>(Pair).Input<float>(Pair).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new ReadVariable()).Input<int>(Handle).Infer());
    }

    [Fact]
    public void Names_survive_their_printed_form() =>
        Assert.Equal(new VarHandle("a \"b\"", "c\\d"), OpCase.Reparse(new VarHandle("a \"b\"", "c\\d")));

    private static void Assign(GraphBuilder builder, Value value) =>
        builder.Add(new AssignVariable(), [builder.Add(new VarHandle("", "v"), [], "handle").Output, value], "assign");

    private static Module ReadThenAssign(TensorType type)
    {
        GraphBuilder main = new("main");
        Value x = main.Input("x", type);
        Value handle = main.Add(new VarHandle("", "v"), [], "handle").Output;
        main.Output(main.Add(new ReadVariable(), [handle], [GraphBuilder.Result("y", type)], "read").Output);
        main.Add(new AssignVariable(), [handle, x], "assign");
        return GraphBuilder.Module([main.Build()]);
    }
}
