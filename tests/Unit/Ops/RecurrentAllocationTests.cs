using Optc.Ops;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class RecurrentAllocationTests
{
    [Theory]
    [InlineData("""
        graph g(%x: f32[2, 20, 3]) -> (%y) {
          @w: f32[1, 3] = [1, 2, 3]
          @r: f32[1, 1] = [0.5]
          @b: f32[1] = [0]
          var @h: f32[2, 1]
          var @c: f32[2, 1]
          %y = unidirectional_sequence_lstm(%x, @w, @w, @w, @w, @r, @r, @r, @r, @b, @b, @b, @b, @b, @b, @b, _, _, @h, @c, @b, @b, @b, @b) { activation: Tanh, cell_clip: 1.0, projection_clip: 0.0, time_major: false, asymmetric_quantize_inputs: false, diagonal_recurrent: false }
        }
        """)]
    [InlineData("""
        graph g(%x: i8[2, 20, 3] scale=0.1 zero=3) -> (%y) {
          @w: i8[1, 3] scale=0.01 zero=0 = [1, 2, 3]
          @r: i8[1, 1] scale=0.01 zero=0 = [5]
          @b: i32[1] scale=0.001 zero=0 = [0]
          var @h: i8[2, 1] scale=0.0078125 zero=0
          var @c: i16[2, 1] scale=0.00048828125 zero=0
          %y: i8[2, 20, 1] scale=0.0078125 zero=0 = unidirectional_sequence_lstm(%x, @w, @w, @w, @w, @r, @r, @r, @r, _, _, _, @b, @b, @b, @b, _, _, @h, @c) { activation: Tanh, cell_clip: 1.0, projection_clip: 0.0, time_major: false, asymmetric_quantize_inputs: false, diagonal_recurrent: false }
        }
        """)]
    [InlineData("""
        graph g(%x: f32[2, 20, 3]) -> (%y) {
          @w: f32[1, 3] = [1, 2, 3]
          @r: f32[1, 1] = [0.5]
          @b: f32[1] = [0]
          var @h: f32[2, 1]
          %y = unidirectional_sequence_rnn(%x, @w, @r, @b, @h) { time_major: false, activation: Tanh, asymmetric_quantize_inputs: false }
        }
        """)]
    [InlineData("""
        graph g(%x: f32[2, 3]) -> (%y) {
          @w: f32[2, 3] = [1, 2, 3, 4, 5, 6]
          @t: f32[2, 2] = [1, 2, 3, 4]
          var @s: f32[2, 4]
          %y = svdf(%x, @w, @t, _, @s) { rank: 2, activation: Relu, asymmetric_quantize_inputs: false }
        }
        """)]
    [InlineData("""
        graph g(%x: bool[]) -> (%y, %r) {
          call_once() { graph: "init" }
          %y: bool[] = while(%x) { condition: "go", body: "go" }
          %z: bool[] = if(%x, %x) { then: "go", else: "go" }
          %h: resource[] = var_handle() { container: "", shared_name: "v" }
          assign_variable(%h, %z)
          %r: bool[] = read_variable(%h)
        }
        graph go(%c: bool[]) -> (%c) {
        }
        graph init() -> () {
        }
        """)]
    public void A_run_allocates_nothing(string text)
    {
        using Interpreter interpreter = new(OpText.ParseModule(text));
        interpreter.Run();
        interpreter.Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            interpreter.Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Weights_that_are_computed_are_read_in_each_run()
    {
        using Interpreter interpreter = new(OpText.ParseModule("""
            graph g(%x: i8[1, 1] scale=1 zero=-1, %w: i8[1, 1] scale=1 zero=0) -> (%y) {
              @t: i8[1, 1] scale=1 zero=0 = [1]
              var @s: i8[1, 1] scale=1 zero=0
              %y: i8[1, 1] scale=1 zero=0 = svdf(%x, %w, @t, _, @s) { rank: 1, activation: None, asymmetric_quantize_inputs: false }
            }
            """));
        foreach (sbyte weight in new sbyte[] { 2, 5, -7 })
        {
            interpreter.Input<sbyte>(0)[0] = 3;
            interpreter.Input<sbyte>(1)[0] = weight;
            interpreter.Run();
            Assert.Equal((sbyte)(4 * weight), interpreter.Output<sbyte>(0)[0]);
        }
    }
}
