using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class SliceTests
{
    [Fact]
    public void Takes_a_box_and_minus_one_goes_to_the_end() => Assert.Equal(
        [5, 6],
        new OpCase(new Slice())
            .Input(DType.I32, [2, 3], 1, 2, 3, 4, 5, 6).Constant(DType.I32, [2], 1, 1).Constant(DType.I32, [2], 1, -1).Run<int>());

    [Fact]
    public void A_computed_begin_is_followed_at_run_time() => Assert.Equal(
        [3f, 4],
        new OpCase(new Slice()).Input<float>(DType.F32, [5], 1, 2, 3, 4, 5).Input(DType.I64, [1], 2L).Constant(DType.I64, [1], 2L).Run<float>());

    [Fact]
    public void Any_box_is_cut_out_and_can_be_put_back()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 6), most: 5);
            int[] size = [.. x.Select(d => random.Next(0, d + 1))];
            int[] begin = [.. x.Select((d, i) => random.Next(0, d - size[i] + 1))];
            byte[] source = MovedElements.Numbered(type, x);
            byte[] expected = MovedElements.Expected(
                source, type.BitWidth / 8, x, Shape.Create(size), to => [.. to.Select((t, i) => t + begin[i])]);

            byte[] box = new OpCase(new Slice())
                .Input<byte>(new TensorType(type, x), source)
                .Constant<int>(DType.I32, [x.Rank], begin)
                .Constant<int>(DType.I32, [x.Rank], size)
                .Run<byte>();
            Assert.True(expected.AsSpan().SequenceEqual(box), $"seed {seed}: {type}{x}");

            byte[] other = MovedElements.Numbered(type, x, from: 5000);
            byte[] patched = new OpCase(new DynamicUpdateSlice())
                .Input<byte>(new TensorType(type, x), other)
                .Input<byte>(new TensorType(type, Shape.Create(size)), box)
                .Input<int>(DType.I32, [x.Rank], begin)
                .Run<byte>();
            int elementSize = type.BitWidth / 8;
            byte[] wanted = MovedElements.Expected([.. other, .. source], elementSize, Shape.Of([2, .. x.Dims]), x, to =>
                [to.Select((t, i) => t >= begin[i] && t < begin[i] + size[i]).All(inside => inside) ? 1 : 0, .. to]);
            Assert.True(wanted.AsSpan().SequenceEqual(patched), $"seed {seed}: {type}{x} patched");
        }
    }

    [Fact]
    public void An_update_that_would_reach_beyond_is_moved_inside()
    {
        static float[] Update(long row, long column) => new OpCase(new DynamicUpdateSlice())
            .Input<float>(DType.F32, [2, 3], 1, 2, 3, 4, 5, 6)
            .Constant<float>(DType.F32, [1, 2], 8, 9)
            .Input(DType.I64, [2], row, column)
            .Run<float>();

        Assert.Equal([1, 2, 3, 4, 8, 9], Update(long.MaxValue, 2));
        Assert.Equal([8, 9, 3, 4, 5, 6], Update(-1, long.MinValue));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 6)]
    [InlineData(3, 3)]
    [InlineData(6, -1)]
    [InlineData(0, -2)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Refuses_a_box_outside(int begin, int size) => Assert.ThrowsAny<OpRuleException>(
        () => new OpCase(new Slice()).Input<float>(DType.F32, [5]).Constant(DType.I32, [1], begin).Constant(DType.I32, [1], size).Infer());

    [Fact]
    public void Refuses_an_update_that_does_not_fit()
    {
        static OpCase Update(DType type, Shape update) =>
            new OpCase(new DynamicUpdateSlice()).Input<float>(DType.F32, [2, 3]).Input<byte>(new TensorType(type, update)).Input<int>(DType.I32, [2]);

        Assert.ThrowsAny<OpRuleException>(() => Update(DType.F32, [3, 1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Update(DType.F32, [2]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Update(DType.I32, [2, 2]).Infer());
    }

    [Fact]
    public void Knows_the_dimensions_that_can_be_known()
    {
        Assert.Equal(
            Shape.Of([2, -1]),
            new OpCase(new Slice()).Input<float>(DType.F32, [-1, -1]).Constant(DType.I32, [2], 1, 1).Constant(DType.I32, [2], 2, -1).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([-1, -1]),
            new OpCase(new Slice()).Input<float>(DType.F32, [3, 3]).Input<int>(DType.I32, [2]).Constant(DType.I32, [2], 2, -1).Infer()[0].Shape);
    }

    [Theory]
    [InlineData(DType.F32, 4, 1)]
    [InlineData(DType.I8, 4, 2)]
    [InlineData(DType.I16, 4, 4)]
    [InlineData(DType.I8, 5, 5)]
    [InlineData(DType.U32, 5, 6)]
    public void Has_the_version_of_the_table(DType type, int rank, int version) =>
        Assert.Equal(version, new OpCase(new Slice()).Input<byte>(new TensorType(type, [.. new int[rank]])).Version());

    [Theory]
    [InlineData(DType.F32, DType.I32, 1)]
    [InlineData(DType.F32, DType.I64, 2)]
    [InlineData(DType.F16, DType.I64, 3)]
    [InlineData(DType.I16, DType.I32, 4)]
    public void An_update_has_the_version_of_the_table(DType type, DType indices, int version)
    {
        TensorType x = new(type, [1]);
        Assert.Equal(version, new OpCase(new DynamicUpdateSlice()).Input<byte>(x).Input<byte>(x).Input<byte>(new TensorType(indices, [1])).Version());
    }
}
