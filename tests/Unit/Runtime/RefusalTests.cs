using Optc.Ir;
using Optc.Ops;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Runtime;

/// <summary>Graphs that files may contain and that cannot be executed; found by fuzzing.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("i8", 988, "-128 to 127")]
    [InlineData("i8", -65664, "-128 to 127")]
    [InlineData("u8", -1, "0 to 255")]
    public void A_zero_point_beyond_the_element_type(string type, int zero, string expected)
    {
        string bias = type == "i8" ? "i32[1] = [0]" : "i32[1] scale=0.25 zero=0 = [0]";
        Diagnostic problem = Refuse(
            $$"""
            graph main(%x: {{type}}[1, 2] scale=0.5 zero={{zero}}) -> (%y) {
              @w: {{type}}[1, 2] scale=0.5 zero=0 = [1, 2]
              @b: {{bias}}
              %y: {{type}}[1, 1] scale=0.5 zero=0 = fully_connected(%x, @w, @b) { activation: None, keep_num_dims: false, asymmetric_inputs: false, bias_type: "default" }
            }
            """);

        Assert.Equal($"a zero point is no {type} number", problem.Message);
        Assert.Equal(expected, problem.Expected);
    }

    [Fact]
    public void A_tensor_that_no_array_holds()
    {
        Diagnostic problem = Refuse(
            """
            graph main(%x: f32[1073741825, 1]) -> (%y) {
              @w: f32[16, 1] = base64:"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
              %y: f32[1073741825, 16] = fully_connected(%x, @w) { activation: None, keep_num_dims: false, asymmetric_inputs: false, bias_type: "default" }
            }
            """);

        Assert.Equal("an operand or result is larger than can be addressed", problem.Message);
    }

    private static Diagnostic Refuse(string graph)
    {
        Module module = OpText.ParseModule(graph);
        return Assert.Throws<DiagnosticException>(() => new Interpreter(module)).Diagnostics[0];
    }
}
