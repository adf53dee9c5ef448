using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class GatherTests
{
    [Fact]
    public void Picks_columns() => Assert.Equal(
        [3f, 1, 6, 4],
        new OpCase(new Gather(-1)).Input<float>(DType.F32, [2, 3], 1, 2, 3, 4, 5, 6).Constant(DType.I64, [2], 2L, 0L).Run<float>());

    [Fact]
    public void Picks_from_each_batch_by_its_own_indices() => Assert.Equal(
        new sbyte[] { 1, 6 },
        new OpCase(new Gather(1, 1)).Input<sbyte>(DType.I8, [2, 3], 1, 2, 3, 4, 5, 6).Input<short>(DType.I16, [2, 1], 0, 2).Run<sbyte>());

    [Fact]
    public void Any_axis_and_batch_takes_the_elements_that_the_indices_name()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 5), most: 4);
            int axis = random.Next(x.Rank);
            int batch = random.Next(axis + 1);
            Shape indices = Shape.Of([.. x.Dims[..batch], .. MovedElements.RandomShape(random, random.Next(3), most: 3)]);
            int[] values = [.. Enumerable.Range(0, (int)indices.ElementCount).Select(_ => random.Next(x[axis]))];
            int own = indices.Rank - batch;
            Shape y = Shape.Of([.. x.Dims[..axis], .. indices.Dims[batch..], .. x.Dims[(axis + 1)..]]);
            byte[] source = MovedElements.Numbered(type, x);
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to =>
            {
                int position = 0;
                int[] place = [.. to[..batch], .. to[axis..(axis + own)]];
                for (int i = 0; i < place.Length; i++)
                {
                    position = (position * indices[i]) + place[i];
                }

                return [.. to[..axis], values[position], .. to[(axis + own)..]];
            });

            byte[] actual = new OpCase(new Gather(axis, batch))
                .Input<byte>(new TensorType(type, x), source).Input<int>(DType.I32, indices, values).Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {type}{x} by {indices}, axis {axis}, batch {batch}");
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MinValue)]
    public void An_index_out_of_range_stops_the_run(int index)
    {
        using OpRun run = new OpCase(new Gather(0)).Input<float>(DType.F32, [3], 1, 2, 3).Input(DType.I32, [1], index).Prepare();
        Assert.Throws<DiagnosticException>(() => run.Next<float>());

        using OpRun tuples = new OpCase(new GatherNd()).Input<float>(DType.F32, [3], 1, 2, 3).Input(DType.I32, [1, 1], index).Prepare();
        Assert.Throws<DiagnosticException>(() => tuples.Next<float>());
    }

    [Fact]
    public void Tuples_address_leading_dimensions() => Assert.Equal(
        [5, 6, 1, 2],
        new OpCase(new GatherNd()).Input(DType.I32, [2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8).Constant(DType.I32, [2, 2], 1, 0, 0, 0).Run<int>());

    [Fact]
    public void Any_tuples_take_the_slices_that_they_name_and_scatter_adds_them_back()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 5), most: 4);
            int width = random.Next(1, x.Rank + 1);
            Shape rows = MovedElements.RandomShape(random, random.Next(3), most: 4);
            int count = (int)rows.ElementCount;
            int[][] tuples = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(i => random.Next(x[i])).ToArray())];
            int[] indices = [.. tuples.SelectMany(t => t)];
            Shape y = Shape.Of([.. rows, .. x.Dims[width..]]);
            int[] source = [.. Enumerable.Range(1, (int)x.ElementCount)];
            int run = 1;
            for (int i = width; i < x.Rank; i++)
            {
                run *= x[i];
            }

            List<int> expected = [];
            int[] sums = new int[source.Length];
            foreach (int[] tuple in tuples)
            {
                int slice = 0;
                for (int i = 0; i < width; i++)
                {
                    slice = (slice * x[i]) + tuple[i];
                }

                for (int i = slice * run; i < (slice + 1) * run; i++)
                {
                    expected.Add(source[i]);
                    sums[i] += source[i];
                }
            }

            Shape indexShape = Shape.Of([.. rows, width]);
            int[] gathered = new OpCase(new GatherNd()).Input<int>(DType.I32, x, source).Input<int>(DType.I32, indexShape, indices).Run<int>();
            Assert.True(expected.SequenceEqual(gathered), $"seed {seed}: {x} by {indexShape}");

            int[] scattered = new OpCase(new ScatterNd())
                .Input<int>(DType.I32, indexShape, indices)
                .Input<int>(DType.I32, y, gathered)
                .Constant<int>(DType.I32, [x.Rank], [.. x])
                .Run<int>();
            Assert.True(sums.SequenceEqual(scattered), $"seed {seed}: {y} scattered to {x}");
        }
    }

    [Fact]
    public void Scatter_adds_in_each_type()
    {
        static OpCase Scatter<T>(DType type, params ReadOnlySpan<T> updates)
            where T : unmanaged => new OpCase(new ScatterNd())
                .Constant(DType.I32, [2, 1], 1, 1).Input(type, [2], updates).Constant(DType.I32, [1], 3);

        Assert.Equal([0f, 3.5f, 0], Scatter<float>(DType.F32, 1.5f, 2).Run<float>());
        Assert.Equal(new sbyte[] { 0, -56, 0 }, Scatter<sbyte>(DType.I8, 100, 100).Run<sbyte>());
        Assert.Equal(new byte[] { 0, 200, 0 }, Scatter<byte>(DType.U8, 100, 100).Run<byte>());
        Assert.Equal(new short[] { 0, 200, 0 }, Scatter<short>(DType.I16, 100, 100).Run<short>());
        Assert.Equal([0L, 200, 0], Scatter<long>(DType.I64, 100, 100).Run<long>());
        Assert.Equal([false, true, false], Scatter<bool>(DType.Bool, true, true).Run<bool>());
        Assert.Throws<DiagnosticException>(() => Scatter<Half>(DType.F16, Half.One, Half.One).Prepare());
    }

    [Fact]
    public void Refuses_shapes_that_do_not_fit()
    {
        static Shape Gathered(IOp op, Shape x, Shape indices) =>
            op.InferTypes(new(new TensorType(DType.F32, x), new TensorType(DType.I32, indices)))[0].Shape;

        Assert.Equal(Shape.Of([4, -1, 7]), Gathered(new Gather(1), [4, 5, 7], [-1]));
        Assert.Equal(Shape.Of([4, 2, 7]), Gathered(new Gather(1, 1), [-1, 5, 7], [4, 2]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new Gather(3), [4, 5, 7], [1]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new Gather(0, 1), [4, 5, 7], [4]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new Gather(1, 1), [4, 5, 7], [3]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new Gather(1, int.MinValue), [4, 5, 7], [3]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new Gather(0), Shape.Scalar, [3]));

        Assert.Equal(Shape.Of([-1, 7]), Gathered(new GatherNd(), [4, 5, 7], [-1, 2]));
        Assert.False(Gathered(new GatherNd(), [4, 5, 7], [2, -1]).HasRank);
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new GatherNd(), [4, 5], [1, 3]));
        Assert.ThrowsAny<OpRuleException>(() => Gathered(new GatherNd(), [4, 5], Shape.Scalar));

        static OpCase Scatter(Shape indices, Shape updates, params int[] shape) => new OpCase(new ScatterNd())
            .Input<int>(DType.I32, indices).Input<float>(DType.F32, updates).Constant<int>(DType.I32, [shape.Length], shape);

        Assert.Equal(Shape.Of([3, 4]), Scatter([2, 1], [-1, 4], 3, 4).Infer()[0].Shape);
        Assert.ThrowsAny<OpRuleException>(() => Scatter([2, 1], [2, 5], 3, 4).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Scatter([2, 3], [2], 3, 4).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Scatter([2, 1], [2, 4], -1, 4).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Scatter([2, 1], Shape.Unranked, int.MaxValue, int.MaxValue).Infer());
    }

    [Theory]
    [InlineData(DType.F32, DType.I32, 0, 1, 1)]
    [InlineData(DType.I8, DType.I32, 0, 2, 1)]
    [InlineData(DType.Bool, DType.I32, 0, 3, 5)]
    [InlineData(DType.I16, DType.I32, 0, 4, 3)]
    [InlineData(DType.I16, DType.I32, 1, 5, 3)]
    [InlineData(DType.I16, DType.I16, 1, 6, 4)]
    [InlineData(DType.I4, DType.I32, 1, 7, 1)]
    public void Has_the_version_of_the_table(DType type, DType indices, int batch, int version, int tuples)
    {
        Assert.Equal(version, new OpCase(new Gather(1, batch)).Input<byte>(new TensorType(type, [1, 1])).Input<byte>(new TensorType(indices, [1])).Version());
        Assert.Equal(tuples, new OpCase(new GatherNd()).Input<byte>(new TensorType(type, [1, 1])).Input<byte>(new TensorType(indices, [1])).Version());
    }

    [Fact]
    public void Attributes_survive_as_text() => Assert.Equal(new Gather(-1, 2), OpCase.Reparse(new Gather(-1, 2)));
}
