using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class TileTests
{
    [Fact]
    public void Repeats_rows_and_columns() => Assert.Equal(
        [1, 2, 1, 2, 3, 4, 3, 4],
        new OpCase(new Tile()).Input(DType.I32, [2, 2], 1, 2, 3, 4).Constant(DType.I32, [2], 1, 2).Run<int>());

    [Fact]
    public void Any_repetition_broadcast_and_reversal_reads_the_right_element()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            int size = type.BitWidth / 8;
            Shape x = MovedElements.RandomShape(random, random.Next(1, 5), most: 4);
            byte[] source = MovedElements.Numbered(type, x);

            int[] multiples = [.. x.Select(_ => random.Next(0, 4))];
            byte[] tiled = MovedElements.Expected(
                source, size, x, [.. x.Select((d, i) => d * multiples[i])], to => [.. to.Select((t, i) => t % x[i])]);
            Assert.True(
                tiled.AsSpan().SequenceEqual(new OpCase(new Tile())
                    .Input<byte>(new TensorType(type, x), source).Constant<int>(DType.I32, [x.Rank], multiples).Run<byte>()),
                $"seed {seed}: {type}{x} times {string.Join(",", multiples)}");

            Shape small = [.. x.Select(d => random.Next(2) == 0 ? 1 : d)];
            byte[] few = MovedElements.Numbered(type, small);
            int[] large = [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(1, 4)), .. x];
            byte[] spread = MovedElements.Expected(few, size, small, Shape.Create(large), to =>
                [.. small.Select((d, i) => d == 1 ? 0 : to[i + large.Length - small.Rank])]);
            Assert.True(
                spread.AsSpan().SequenceEqual(new OpCase(new BroadcastTo())
                    .Input<byte>(new TensorType(type, small), few).Constant<int>(DType.I32, [large.Length], large).Run<byte>()),
                $"seed {seed}: {type}{small} to {string.Join(",", large)}");

            int[] axes = [.. Enumerable.Range(0, x.Rank).Where(_ => random.Next(2) == 0)];
            byte[] reversed = MovedElements.Expected(source, size, x, x, to =>
                [.. to.Select((t, i) => axes.Contains(i) ? x[i] - 1 - t : t)]);
            foreach (bool computed in new[] { false, true })
            {
                OpCase reverse = new OpCase(new ReverseV2()).Input<byte>(new TensorType(type, x), source);
                reverse = computed ? reverse.Input<int>(DType.I32, [axes.Length], axes) : reverse.Constant<int>(DType.I32, [axes.Length], axes);
                Assert.True(reversed.AsSpan().SequenceEqual(reverse.Run<byte>()), $"seed {seed}: {type}{x} along {string.Join(",", axes)}");
            }
        }
    }

    [Fact]
    public void A_computed_shape_is_followed_at_run_time() => Assert.Equal(
        [7f, 7, 7],
        new OpCase(new BroadcastTo()).Input<float>(DType.F32, [1], 7).Input(DType.I32, [1], 3).Run<float>());

    [Fact]
    public void Shapes_broadcast_aligned_at_the_right()
    {
        Assert.Equal(
            [2, 5, 3],
            new OpCase(new BroadcastArgs()).Input(DType.I32, [2], 5, 1).Constant(DType.I32, [3], 2, 1, 3).Run<int>());
        Assert.Equal([0L], new OpCase(new BroadcastArgs()).Input(DType.I64, [1], 0L).Input(DType.I64, [1], 1L).Run<long>());
        using OpRun run = new OpCase(new BroadcastArgs()).Input(DType.I32, [1], 2).Input(DType.I32, [1], 3).Prepare();
        Assert.Throws<DiagnosticException>(() => run.Next<int>());
    }

    [Fact]
    public void Refuses_hostile_operands()
    {
        static OpCase Case(IOp op, Shape x, params int[] operand) =>
            new OpCase(op).Input<float>(DType.F32, x).Constant<int>(DType.I32, [operand.Length], operand);

        Assert.ThrowsAny<OpRuleException>(() => Case(new Tile(), [2], -1).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new Tile(), [2], int.MaxValue).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new Tile(), [2], 1, 1).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BroadcastTo(), [2], 3).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BroadcastTo(), [2, 2], 2).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BroadcastTo(), [1], -1).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BroadcastTo(), [1], int.MaxValue, int.MaxValue).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new ReverseV2(), [2, 2], 0, -2).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new ReverseV2(), [2, 2], 2).Infer());
        using OpRun twice = new OpCase(new ReverseV2()).Input<float>(DType.F32, [2]).Input(DType.I32, [2], 0, 0).Prepare();
        Assert.Throws<DiagnosticException>(() => twice.Next<float>());
    }

    [Fact]
    public void Unknown_dimensions_stay_unknown()
    {
        Assert.Equal(
            Shape.Of([-1, 6]), new OpCase(new Tile()).Input<float>(DType.F32, [-1, 3]).Constant(DType.I32, [2], 2, 2).Infer()[0].Shape);
        Assert.Equal(Shape.Of([-1, -1]), new OpCase(new BroadcastTo()).Input<float>(DType.F32, [3]).Input<int>(DType.I32, [2]).Infer()[0].Shape);
        Assert.Equal(Shape.Of([-1, 3]), new OpCase(new ReverseV2()).Input<float>(DType.F32, [-1, 3]).Constant(DType.I32, [1], 1).Infer()[0].Shape);
    }

    [Theory]
    [InlineData(DType.F32, 1, 2, 1)]
    [InlineData(DType.I8, 3, 3, 3)]
    [InlineData(DType.I16, 1, 3, 1)]
    [InlineData(DType.Bool, 1, 2, 2)]
    public void Has_the_version_of_the_table(DType type, int tile, int broadcast, int reverse)
    {
        TensorType x = new(type, [1]);
        Assert.Equal(tile, new OpCase(new Tile()).Input<byte>(x).Version());
        Assert.Equal(broadcast, new OpCase(new BroadcastTo()).Input<byte>(x).Version());
        Assert.Equal(reverse, new OpCase(new ReverseV2()).Input<byte>(x).Version());
    }
}
