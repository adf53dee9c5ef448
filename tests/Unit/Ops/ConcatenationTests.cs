using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ConcatenationTests
{
    [Fact]
    public void Puts_rows_side_by_side() => Assert.Equal(
        [1f, 2, 5, 3, 4, 6],
        new OpCase(new Concatenation(-1)).Input<float>(DType.F32, [2, 2], 1, 2, 3, 4).Input<float>(DType.F32, [2, 1], 5, 6).Run<float>());

    [Fact]
    public void Parts_join_and_come_apart_again_along_any_axis()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape whole = MovedElements.RandomShape(random, random.Next(1, 5));
            int axis = random.Next(whole.Rank);
            int[] sizes = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(0, 4))];
            OpCase join = new(new Concatenation(random.Next(2) == 0 ? axis : axis - whole.Rank));
            List<byte[]> parts = [];
            foreach (int size in sizes)
            {
                Shape x = whole.With(axis, size);
                parts.Add(MovedElements.Numbered(type, x, from: 1 + (1000 * parts.Count)));
                join.Input<byte>(new TensorType(type, x), parts[^1]);
            }

            Shape y = whole.With(axis, sizes.Sum());
            byte[] joined = join.Run<byte>();

            int offset = 0;
            for (int i = 0; i < sizes.Length; i++)
            {
                int start = offset;
                byte[] part = MovedElements.Expected(joined, type.BitWidth / 8, y, whole.With(axis, sizes[i]), to =>
                {
                    int[] from = [.. to];
                    from[axis] += start;
                    return from;
                });
                Assert.True(part.AsSpan().SequenceEqual(parts[i]), $"seed {seed}: part {i} of {type}{y}");

                byte[] cut = new OpCase(new SplitV(sizes.Length))
                    .Input<byte>(new TensorType(type, y), joined)
                    .Constant<int>(DType.I32, [sizes.Length], sizes)
                    .Constant(DType.I32, Shape.Scalar, axis)
                    .Run<byte>(i);
                Assert.True(cut.AsSpan().SequenceEqual(parts[i]), $"seed {seed}: part {i} cut of {type}{y}");
                offset += sizes[i];
            }
        }
    }

    [Fact]
    public void Int8_inputs_share_the_parameters_of_the_result_and_int16_inputs_need_zero_point_0()
    {
        OpCase Two(DType type, QuantParams second) => new OpCase(new Concatenation(0))
            .Input<byte>(new TensorType(type, [1], new(0.5f, 0)))
            .Input<byte>(new TensorType(type, [1], second))
            .OutputQuant(0.5f, 0);

        Two(DType.I8, new(0.5f, 0)).Prepare().Dispose();
        Two(DType.I16, new(0.25f, 0)).Prepare().Dispose();
        Assert.Throws<DiagnosticException>(() => Two(DType.I8, new(0.25f, 0)).Prepare());
        Assert.Throws<DiagnosticException>(() => Two(DType.I8, new(0.5f, 1)).Prepare());
        Assert.Throws<DiagnosticException>(() => Two(DType.I16, new(0.5f, 1)).Prepare());
    }

    [Fact]
    public void Adds_known_sizes_and_completes_unknown_ones()
    {
        static Shape Join(int axis, params Shape[] shapes) =>
            new Concatenation(axis).InferTypes(new OpOperands([.. shapes.Select(s => new TensorType(DType.F32, s))]))[0].Shape;

        Assert.Equal(Shape.Of([4, 5]), Join(1, [-1, 2], [4, 3]));
        Assert.Equal(Shape.Of([4, -1]), Join(1, [4, -1], [4, 3]));
        Assert.Equal(Shape.Of([4, -1]), Join(1, [4, 3], Shape.Unranked));
        Assert.False(Join(1, Shape.Unranked).HasRank);
        Assert.ThrowsAny<OpRuleException>(() => Join(1, [4, 3], [5, 3]));
        Assert.ThrowsAny<OpRuleException>(() => Join(1, [4, 3], [4]));
        Assert.ThrowsAny<OpRuleException>(() => Join(2, [4, 3]));
        Assert.ThrowsAny<OpRuleException>(() => Join(int.MinValue, [4, 3]));
        Assert.ThrowsAny<OpRuleException>(() => Join(0, Shape.Scalar));
        Assert.ThrowsAny<OpRuleException>(() => Join(0, [int.MaxValue], [1]));
        Assert.ThrowsAny<OpRuleException>(() => Join(0));
    }

    [Fact]
    public void Refuses_a_fused_activation() => Assert.ThrowsAny<OpRuleException>(() => Concatenation.Read(new(
        new OperatorRecord { BuiltinOptions = new ConcatenationOptions { FusedActivationFunction = ActivationFunctionType.Relu } }, [])));

    [Theory]
    [InlineData(DType.F32, 1)]
    [InlineData(DType.I8, 2)]
    [InlineData(DType.I16, 3)]
    [InlineData(DType.U32, 4)]
    public void Has_the_version_of_the_table(DType type, int version) =>
        Assert.Equal(version, new OpCase(new Concatenation(0)).Input<byte>(new TensorType(type, [1])).Version());

    [Fact]
    public void The_axis_survives_as_text() => Assert.Equal(new Concatenation(-2), OpCase.Reparse(new Concatenation(-2)));
}
