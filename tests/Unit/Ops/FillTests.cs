using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class FillTests
{
    [Fact]
    public void Repeats_one_value_of_any_width()
    {
        static byte[] Filled(DType type) => new OpCase(new Fill())
            .Constant(DType.I32, [2], 2, 3).Input<byte>(new TensorType(type, Shape.Scalar), MovedElements.Numbered(type, Shape.Scalar)).Run<byte>();

        foreach (DType type in new[] { DType.I8, DType.F16, DType.I32, DType.I64, DType.C128 })
        {
            byte[] value = MovedElements.Numbered(type, Shape.Scalar);
            Assert.Equal(Enumerable.Repeat(value, 6).SelectMany(v => v), Filled(type));
        }
    }

    [Fact]
    public void Computed_dimensions_are_followed_at_run_time()
    {
        Assert.Equal([5, 5, 5], new OpCase(new Fill()).Input(DType.I64, [1], 3L).Input(DType.I32, [1], 5).Run<int>());
        Assert.Equal(Shape.Of([-1, -1]), new OpCase(new Fill()).Input<int>(DType.I32, [2]).Input<int>(DType.I32, [1]).Infer()[0].Shape);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(int.MinValue, 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Refuses_dimensions_that_cannot_be(int a, int b) => Assert.ThrowsAny<OpRuleException>(
        () => new OpCase(new Fill()).Constant(DType.I32, [2], a, b).Input<int>(DType.I32, [1]).Infer());

    [Theory]
    [InlineData(DType.F32, 1)]
    [InlineData(DType.Bool, 2)]
    [InlineData(DType.I8, 3)]
    [InlineData(DType.I16, 3)]
    [InlineData(DType.F16, 4)]
    public void Has_the_version_of_the_table(DType type, int version) => Assert.Equal(
        version, new OpCase(new Fill()).Input<int>(DType.I32, [1]).Input<byte>(new TensorType(type, [1])).Version());

    [Fact]
    public void Zeros_have_the_shape_of_the_operand() =>
        Assert.Equal([0f, 0], new OpCase(new ZerosLike()).Input<float>(DType.F32, [2], 3, 4).Run<float>());

    [Fact]
    public void One_hot_vectors_stand_on_their_axis()
    {
        static float[] Vectors(int axis) => new OpCase(new OneHot(axis))
            .Input(DType.I32, [2], 1, -1)
            .Constant(DType.I32, Shape.Scalar, 3)
            .Constant<float>(DType.F32, Shape.Scalar, 9)
            .Constant<float>(DType.F32, Shape.Scalar, 0.5f)
            .Run<float>();

        Assert.Equal([0.5f, 9, 0.5f, 0.5f, 0.5f, 0.5f], Vectors(-1));
        Assert.Equal([0.5f, 0.5f, 9, 0.5f, 0.5f, 0.5f], Vectors(0));
        Assert.Equal(new OneHot(1), OpCase.Reparse(new OneHot(1)));
    }

    [Fact]
    public void Refuses_hostile_one_hot_operands()
    {
        static OpCase Case(int axis, int depth, DType off = DType.F32) => new OpCase(new OneHot(axis))
            .Input<int>(DType.I32, [2])
            .Constant(DType.I32, Shape.Scalar, depth)
            .Input<float>(DType.F32, Shape.Scalar)
            .Input<byte>(new TensorType(off, Shape.Scalar));

        Assert.Equal(Shape.Of([2, 0]), Case(-1, 0).Infer()[0].Shape);
        Assert.ThrowsAny<OpRuleException>(() => Case(2, 3).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(-2, 3).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(0, -1).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(0, 3, DType.I32).Infer());
    }

    [Fact]
    public void Ranges_step_towards_their_limit()
    {
        static OpCase Range<T>(DType type, T start, T limit, T delta)
            where T : unmanaged => new OpCase(new Optc.Ops.Range())
                .Constant(type, Shape.Scalar, start).Constant(type, Shape.Scalar, limit).Constant(type, Shape.Scalar, delta);

        Assert.Equal([1, 4, 7], Range(DType.I32, 1, 8, 3).Run<int>());
        Assert.Equal([3L, 1, -1], Range(DType.I64, 3L, -2L, -2L).Run<long>());
        Assert.Equal([0f, 0.5f, 1], Range(DType.F32, 0f, 1.25f, 0.5f).Run<float>());
        Assert.Empty(Range(DType.I32, 4, 4, -1).Run<int>());
        Assert.ThrowsAny<OpRuleException>(() => Range(DType.I32, 1, 8, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Range(DType.I32, 1, 8, -1).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Range(DType.I64, long.MinValue, long.MaxValue, 1L).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Range(DType.F32, 0f, float.PositiveInfinity, 1f).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Range(DType.F32, float.NaN, 1f, 1f).Infer());
        Assert.Equal(2, Range(DType.I64, 0L, 1L, 1L).Version());
        Assert.Equal(
            [0, 2],
            new OpCase(new Optc.Ops.Range()).Input(DType.I32, [1], 0).Input(DType.I32, [1], 3).Input(DType.I32, [1], 2).Run<int>());
    }

    [Fact]
    public void Where_lists_the_places_that_hold()
    {
        using OpRun run = new OpCase(new Where()).Input(DType.Bool, [2, 2], false, true, true, false).Prepare();
        Assert.Equal([0L, 1, 1, 0], run.Next<long>());
        Assert.Equal([1L, 1], run.Set(0, false, false, false, true).Next<long>());
        Assert.Empty(run.Set(0, false, false, false, false).Next<long>());

        Assert.Equal([1L], new OpCase(new Where()).Constant(DType.F32, [3], -0f, float.NaN, 0f).Run<long>());
        Assert.Equal(Shape.Of([-1, 2]), new OpCase(new Where()).Input<bool>(DType.Bool, [2, 2]).Infer()[0].Shape);
        Assert.Equal(Shape.Of([1, 1]), new OpCase(new Where()).Constant(DType.I32, [2], 0, 256).Infer()[0].Shape);
        Assert.Equal(1, new OpCase(new Where()).Input<bool>(DType.Bool, [2]).Version());
        Assert.Equal(2, new OpCase(new Where()).Input<int>(DType.I32, [2]).Version());
    }
}
