using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ir;

public sealed class VerifierTests
{
    private static readonly TensorType Pair = new(DType.F32, [2]);

    [Fact]
    public void A_sound_module_has_no_problems()
    {
        Module module = OpText.ParseModule(
            """
            graph main(%x: f32[?, 2]) -> (%y, @c) {
              @c: f32[1] = [3]
              %y: f32[?, 2] scale=1 zero=0 = leaky_relu(%x) { alpha: 1.0 }
            }
            signature "s" main("x": %x) -> ("y": %y)
            """);

        Assert.Empty(Verifier.Check(module));
        Verifier.ThrowIfBroken(module);
    }

    [Fact]
    public void Two_graphs_of_one_name_are_found() => AssertProblem(
        "two graphs have one name",
        OpText.ParseModule("graph g() -> () {\n}\ngraph g() -> () {\n}"));

    [Fact]
    public void Two_signatures_of_one_key_are_found() => AssertProblem(
        "two signatures have one name",
        OpText.ParseModule("graph g() -> () {\n}\nsignature \"s\" g() -> ()\nsignature \"s\" g() -> ()"));

    [Theory]
    [InlineData("(\"x\": %y) -> ()", "a signature names an input that the graph does not have")]
    [InlineData("() -> (\"y\": %x)", "a signature names an output that the graph does not have")]
    public void A_signature_refers_to_inputs_and_outputs_of_its_graph(string signature, string message) => AssertProblem(
        message,
        OpText.ParseModule($"graph g(%x: f32[2]) -> (%y) {{\n  %y = leaky_relu(%x) {{ alpha: 1.0 }}\n}}\nsignature \"s\" g{signature}"));

    [Fact]
    public void A_signature_of_another_module_is_found()
    {
        Graph own = OpText.ParseGraph("graph g() -> () {\n}");
        Graph other = OpText.ParseGraph("graph h() -> () {\n}");

        AssertProblem("a signature belongs to a graph of another module", GraphBuilder.Module([own], [new("s", other, [], [])]));
    }

    [Fact]
    public void Nodes_out_of_order_are_found()
    {
        GraphBuilder builder = new("g");
        Value x = builder.Input("x", Pair);
        Value later = GraphBuilder.Result("later", Pair);
        builder.Output(builder.Add(new LeakyRelu(1), [later], [GraphBuilder.Result("y", Pair)], "first").Output);
        builder.Add(new LeakyRelu(1), [x], [later], "second");

        Diagnostic problem = AssertProblem("a value is used before it is computed", GraphBuilder.Module([builder.Build()]));
        Assert.Equal("graph 'g' > leaky_relu 'first'", string.Join(" > ", problem.At));
        Assert.Equal("'later'", problem.Found);
    }

    [Fact]
    public void A_value_computed_twice_is_found()
    {
        GraphBuilder builder = new("g");
        Value x = builder.Input("x", Pair);
        Value y = GraphBuilder.Result("y", Pair);
        builder.Add(new LeakyRelu(1), [x], [y], "first");
        builder.Add(new LeakyRelu(1), [x], [y], "second");
        builder.Output(y);

        Assert.Contains(Verifier.Check(GraphBuilder.Module([builder.Build()])), d => d.Message == "a value is computed twice");
    }

    [Fact]
    public void An_output_that_nothing_computes_is_found()
    {
        GraphBuilder builder = new("g");
        builder.Output(GraphBuilder.Result("y", Pair));

        AssertProblem("an output is never computed", GraphBuilder.Module([builder.Build()]));
    }

    [Fact]
    public void A_patch_that_was_neither_applied_nor_discarded_is_found()
    {
        Graph graph = OpText.ParseGraph("graph g(%x: f32[2]) -> (%y) {\n  %y = leaky_relu(%x) { alpha: 1.0 }\n}");
        GraphPatch patch = new();
        patch.Add(new LeakyRelu(2), [graph.Inputs[0]], graph.Outputs[0]);
        Module module = GraphBuilder.Module([graph]);

        AssertProblem("a value believes to be used by leaky_relu 'y'", module);
        patch.Discard();
        Assert.Empty(Verifier.Check(module));
    }

    [Theory]
    [InlineData("f32[3]", "f32[3]", "f32[2]")]
    [InlineData("i8[2]", "i8[2]", "f32[2]")]
    public void A_declared_type_that_is_not_computed_is_found(string declared, string found, string expected)
    {
        Diagnostic problem = AssertProblem(
            "result 0 is declared as something that the operator does not compute",
            OpText.ParseModule($"graph g(%x: f32[2]) -> (%y) {{\n  %y: {declared} = leaky_relu(%x) {{ alpha: 1.0 }}\n}}"));
        Assert.Equal(DiagnosticId.OperandType, problem.Id);
        Assert.Equal((found, expected), (problem.Found, problem.Expected));
    }

    [Fact]
    public void What_an_op_refuses_is_reported_with_its_place_and_every_problem_is_reported()
    {
        Module module = OpText.ParseModule(
            """
            graph g(%x: i32[2]) -> (%y, %z) {
              %y: i32[2] = leaky_relu(%x) { alpha: 1.0 }
              %z: f32[2] = reshape(%x, _) { shape: [-1, -1] }
            }
            """);

        Assert.Equal(
            [
                "operand 0 has an element type that the operator does not take",
                "a shape has at most one -1 and no other negative size",
            ],
            Verifier.Check(module).Select(d => d.Message));
        Assert.Equal(2, Assert.Throws<DiagnosticException>(() => Verifier.ThrowIfBroken(module)).Diagnostics.Length);
        Assert.Equal("graph 'g' > leaky_relu 'y'", string.Join(" > ", Verifier.Check(module)[0].At));
    }

    private static Diagnostic AssertProblem(string message, Module module)
    {
        Diagnostic problem = Assert.Single(Verifier.Check(module));
        Assert.Equal(message, problem.Message);
        return problem;
    }
}
