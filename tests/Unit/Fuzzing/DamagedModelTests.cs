using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Formats.TfLite;
using Optc.Ops;
using Optc.Tests.Fuzzing;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Fuzzing;

/// <summary>
/// Damaged models are executed or refused with a diagnostic, in time and within bounded memory. The verb <c>fuzz</c> of
/// <c>tests/Benchmarks</c> does the same with real models and far more often.
/// </summary>
public sealed class DamagedModelTests
{
    private const int Mutations = 60;

    private static readonly byte[][] Models =
    [
        Written(
            """
            graph main(%x: f32[1, 6, 6, 2]) -> (%y) {
              @w: f32[2, 3, 3, 2] = base64:"zczMPc3MTD6amZk+zczMPgAAAD+amRk/MzMzP83MTD9mZmY/zczMPc3MTD6amZk+zczMPgAAAD+amRk/MzMzP83MTD9mZmY/zczMPc3MTD6amZk+zczMPgAAAD+amRk/MzMzP83MTD9mZmY/zczMPc3MTD6amZk+zczMPgAAAD+amRk/MzMzP83MTD9mZmY/"
              @b: f32[2] = [0.5, -0.5]
              %c = conv_2d(%x, @w, @b) { stride_h: 2, stride_w: 2, padding: Same, activation: Relu, dilation_h: 1, dilation_w: 1, bias_type: "default" }
              %p = average_pool_2d(%c) { filter_h: 3, filter_w: 3, stride_h: 1, stride_w: 1, padding: Valid, activation: None }
              @s: i32[2] = [1, 2]
              %r = reshape(%p, @s) { shape: [1, 2] }
              %y = softmax(%r) { beta: 1.0 }
            }
            """),
        Written(
            """
            graph main(%a: i8[1, 4, 4, 3] scale=0.05 zero=3, %b: i8[3] scale=0.1 zero=-7) -> (%y, %z) {
              %s: i8[1, 4, 4, 3] scale=0.1 zero=0 = add(%a, %b) { activation: Relu6, pot_scale_int16: false }
              @p: i32[4, 2] = [0, 0, 1, 1, 1, 1, 0, 0]
              %w: i8[1, 6, 6, 3] scale=0.1 zero=0 = pad(%s, @p)
              @k: i8[1, 3, 3, 3] scale=[0.1, 0.2, 0.3] zero=0 axis=3 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]
              @c: i32[3] = [10, 20, 30]
              %y: i8[1, 4, 4, 3] scale=0.5 zero=0 = depthwise_conv_2d(%w, @k, @c) { stride_h: 1, stride_w: 1, padding: Valid, depth_multiplier: 1, activation: None, dilation_h: 1, dilation_w: 1 }
              @i: i32[2] = [1, 2]
              %z: i8[1, 3] scale=0.1 zero=0 = mean(%s, @i) { keep_dims: false }
            }
            """),
        Written(
            """
            graph main(%n: i32[1], %x: f32[2, 3]) -> (%u, %v) {
              %u: i32[1], %v: f32[2, 3] = while(%n, %x) { condition: "goes", body: "turn" }
            }
            graph goes(%n: i32[1], %x: f32[2, 3]) -> (%g) {
              @never: bool[2] = [false, false]
              @axes: i32[1] = [0]
              %g = reduce_any(@never, @axes) { keep_dims: true }
            }
            graph turn(%n: i32[1], %x: f32[2, 3]) -> (%n, %y) {
              @perm: i32[2] = [1, 0]
              %t = transpose(%x, @perm)
              @s: i32[2] = [2, 3]
              %y: f32[2, 3] = reshape(%t, @s) { shape: [2, 3] }
            }
            """),
        TfLiteFile.ToArray(TestModels.WithEverything(seed: 3)),
    ];

    public static TheoryData<MutationKind> Kinds() => [.. Enum.GetValues<MutationKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Damaged_models_run_or_are_refused_in_time(MutationKind kind)
    {
        int[] ends = new int[Enum.GetValues<FuzzEnd>().Length];
        for (int i = 0; i < Mutations * Models.Length; i++)
        {
            (int model, int seed) = (i % Models.Length, ((int)kind * 100_000) + i);
            byte[] damaged = Mutation.Apply(kind, Models[model], Models[(model + 1) % Models.Length], seed);
            FuzzOutcome outcome = FuzzTarget.Try(damaged);
            string place = string.Create(CultureInfo.InvariantCulture, $"{kind}, model {model}, seed {seed}: {outcome}");
            Assert.True(outcome.End is not FuzzEnd.Failed, place);
            // Ten times the limit: other tests run at the same time.
            Assert.True(outcome.Time < 10 * FuzzTarget.TimeLimit, place);
            Assert.True(outcome.Bytes < FuzzTarget.MemoryLimit, place);
            ends[(int)outcome.End]++;
        }

        Assert.True(ends[(int)FuzzEnd.RefusedToRead] > 0, "no damage was ever noticed");
        Assert.True(kind is MutationKind.Truncation || ends[(int)FuzzEnd.Ran] > 0, "no damaged model was ever executed");
    }

    [Fact]
    public void The_models_are_sound() => Assert.All(Models[..3], m => Assert.Equal(FuzzEnd.Ran, FuzzTarget.Try(m).End));

    private static byte[] Written(string text) => TfLiteBackend.ToArray(OpText.ParseModule(text));
}
