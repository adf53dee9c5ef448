using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class SplitTests
{
    [Fact]
    public void Cuts_columns_in_equal_parts()
    {
        OpCase split = new OpCase(new Split(2)).Constant(DType.I32, Shape.Scalar, -1).Input<short>(DType.I16, [2, 4], 1, 2, 3, 4, 5, 6, 7, 8);

        Assert.Equal(new short[] { 1, 2, 5, 6 }, split.Run<short>(0));
        Assert.Equal(new short[] { 3, 4, 7, 8 }, split.Run<short>(1));
    }

    [Fact]
    public void A_computed_axis_is_followed_at_run_time() => Assert.Equal(
        [3f, 4],
        new OpCase(new Split(2)).Input(DType.I32, Shape.Scalar, 0).Input<float>(DType.F32, [2, 2], 1, 2, 3, 4).Run<float>(1));

    [Fact]
    public void Unequal_parts_may_leave_one_size_open()
    {
        OpCase split = new OpCase(new SplitV(3))
            .Input<sbyte>(DType.I8, [5], 1, 2, 3, 4, 5).Constant(DType.I64, [3], 1L, -1, 2).Constant(DType.I32, [1], 0);

        Assert.Equal(new sbyte[] { 2, 3 }, split.Run<sbyte>(1));
        Assert.Equal(new sbyte[] { 4, 5 }, split.Run<sbyte>(2));
    }

    [Fact]
    public void Knows_the_shapes_that_can_be_known()
    {
        static Shape Equal(Shape x) =>
            new OpCase(new Split(2)).Constant(DType.I32, Shape.Scalar, 1).Input<float>(DType.F32, x).Infer()[1].Shape;

        Assert.Equal(Shape.Of([-1, 3]), Equal([-1, 6]));
        Assert.Equal(Shape.Of([3, -1]), Equal([3, -1]));
        Assert.False(Equal(Shape.Unranked).HasRank);
        Assert.Equal(
            Shape.Of([-1, -1]),
            new OpCase(new Split(2)).Input<int>(DType.I32, Shape.Scalar).Input<float>(DType.F32, [2, 2]).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([4]),
            new OpCase(new SplitV(2)).Input<float>(DType.F32, [-1]).Constant(DType.I32, [2], -1, 4).Constant(DType.I32, [1], 0).Infer()[1].Shape);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void Refuses_parts_that_do_not_divide(int parts) => Assert.ThrowsAny<OpRuleException>(
        () => new OpCase(new Split(parts)).Constant(DType.I32, Shape.Scalar, 0).Input<float>(DType.F32, [4]).Infer());

    [Theory]
    [InlineData(1, 2)]
    [InlineData(-1, -1)]
    [InlineData(-2, 6)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(5, -1)]
    public void Refuses_sizes_that_do_not_add_up(int a, int b) => Assert.ThrowsAny<OpRuleException>(
        () => new OpCase(new SplitV(2)).Input<float>(DType.F32, [4]).Constant(DType.I32, [2], a, b).Constant(DType.I32, [1], 0).Infer());

    [Fact]
    public void Refuses_results_that_are_quantized_differently() => Assert.Throws<DiagnosticException>(
        () => new OpCase(new Split(2))
            .Constant(DType.I32, Shape.Scalar, 0)
            .Input<sbyte>(new TensorType(DType.I8, [4], new(0.5f, 0)))
            .OutputQuant(0.5f, 0)
            .OutputQuant(0.5f, 1)
            .Prepare());

    [Theory]
    [InlineData(DType.F32, 1, 1)]
    [InlineData(DType.I8, 2, 2)]
    [InlineData(DType.I32, 3, 1)]
    [InlineData(DType.I16, 4, 1)]
    public void Has_the_version_of_the_table(DType type, int split, int splitV)
    {
        Assert.Equal(split, new OpCase(new Split(2)).Constant(DType.I32, Shape.Scalar, 0).Input<byte>(new TensorType(type, [2])).Version());
        Assert.Equal(splitV, new OpCase(new SplitV(2)).Input<byte>(new TensorType(type, [2])).Version());
    }

    [Fact]
    public void The_number_of_parts_survives_as_text()
    {
        Assert.Equal(new Split(3), OpCase.Reparse(new Split(3)));
        Assert.Equal(new SplitV(3), OpCase.Reparse(new SplitV(3)));
    }
}
