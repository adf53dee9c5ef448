using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class EmbeddingLookupTests
{
    [Fact]
    public void Copies_the_rows_that_are_asked_for() => Assert.Equal(
        [5f, 6, 1, 2, 5, 6],
        new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [3], 2, 0, 2)
            .Constant<float>(DType.F32, [3, 2], 1, 2, 3, 4, 5, 6)
            .Run<float>());

    [Fact]
    public void Scales_the_integers_of_each_row() => Assert.Equal(
        [-2f, 0.5f, 12, -32],
        new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [2], 1, 0)
            .Constant<sbyte>(new TensorType(DType.I8, [2, 2], new([4, 0.5f], [0])), 3, -8, -4, 1)
            .Run<float>());

    [Fact]
    public void Unpacks_rows_that_begin_in_the_middle_of_a_byte() => Assert.Equal(
        [-4f, 2, 3.5f],
        new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [1], 1)
            .Constant(new TensorType(DType.I4, [2, 3], new(0.5f, 0)), (byte)0x21, (byte)0x83, (byte)0x74)
            .Run<float>());

    [Fact]
    public void Copies_integers_where_integers_are_declared() => Assert.Equal<sbyte>(
        [3, 4],
        new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [1], 1)
            .Constant<sbyte>(new TensorType(DType.I8, [2, 2], new(0.5f, 1)), 1, 2, 3, 4)
            .Output(new(DType.I8, [1, 2], new(0.5f, 1)))
            .Run<sbyte>());

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public void A_row_outside_the_table_is_an_error_of_the_run(int row)
    {
        using OpRun run = new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [1], row)
            .Constant<float>(DType.F32, [2, 1], 1, 2)
            .Prepare();

        Assert.Equal("0 to 1", Assert.Throws<DiagnosticException>(() => run.Next<float>()).Diagnostics[0].Expected);
    }

    [Fact]
    public void Refuses_a_table_whose_numbers_it_cannot_read()
    {
        OpCase Case(QuantParams? quant) => new OpCase(new EmbeddingLookup())
            .Input<int>(DType.I32, [1], 0)
            .Constant<sbyte>(new TensorType(DType.I8, [2, 2], quant), 1, 2, 3, 4);

        Assert.Throws<DiagnosticException>(() => Case(null).Prepare());
        Assert.Throws<DiagnosticException>(() => Case(new(0.5f, 3)).Prepare());
        Assert.Throws<DiagnosticException>(() => Case(new([1, 2], [0], Axis: 1)).Prepare());
        Assert.Throws<OpRuleException>(() => new OpCase(new EmbeddingLookup()).Input<int>(DType.I32, [1]).Input<float>(DType.F32, Shape.Scalar).Infer());
    }

    [Fact]
    public void Unknown_dimensions_stay_unknown() => Assert.Equal(
        [-1, 7],
        new OpCase(new EmbeddingLookup()).Input<int>(DType.I32, [-1]).Input<float>(DType.F32, [3, 7]).Infer()[0].Shape);

    [Fact]
    public void Has_the_version_of_the_standard_converter()
    {
        Assert.Equal(1, new OpCase(new EmbeddingLookup()).Input<int>(DType.I32, [1]).Input<byte>(new TensorType(DType.I8, [2, 2], new(1, 0))).Version());
        Assert.Equal(4, new OpCase(new EmbeddingLookup()).Input<int>(DType.I32, [1]).Input<byte>(new TensorType(DType.I8, [2, 2], new([1, 2], [0]))).Version());
        Assert.Equal(4, new OpCase(new EmbeddingLookup()).Input<int>(DType.I32, [1]).Input<byte>(new TensorType(DType.I4, [2, 2])).Version());
    }
}
