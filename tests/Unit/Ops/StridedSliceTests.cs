using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class StridedSliceTests
{
    private static readonly StridedSlice Plain = new(0, 0, 0, 0, 0);

    [Fact]
    public void Takes_every_second_element_of_a_range() => Assert.Equal([1, 3], Slice(Plain, [5], [1], [5], [2]));

    [Fact]
    public void Negative_indices_count_from_the_end_and_are_clamped()
    {
        Assert.Equal([3, 4], Slice(Plain, [5], [-2], [100], [1]));
        Assert.Equal([0, 1, 2], Slice(Plain, [5], [-100], [-2], [1]));
        Assert.Empty(Slice(Plain, [5], [3], [1], [1]));
    }

    [Fact]
    public void Walks_backwards()
    {
        Assert.Equal([4, 2], Slice(Plain, [5], [-1], [0], [-2]));
        Assert.Equal([4, 3, 2, 1, 0], Slice(Plain with { BeginMask = 1, EndMask = 1 }, [5], [2], [2], [-1]));
        Assert.Equal([2, 1, 0], Slice(Plain, [5], [2], [-100], [-1]));
    }

    [Fact]
    public void Begin_and_end_masks_ignore_the_indices()
    {
        Assert.Equal([0, 1, 2], Slice(Plain with { BeginMask = 1 }, [5], [2], [3], [1]));
        Assert.Equal([2, 3, 4], Slice(Plain with { EndMask = 1 }, [5], [2], [3], [1]));
    }

    [Fact]
    public void Shrinking_drops_the_dimension()
    {
        StridedSlice op = Plain with { ShrinkAxisMask = 2, BeginMask = 1, EndMask = 1 };
        Assert.Equal(Shape.Of([2]), Case(op, [2, 3], [0, -1], [0, 0], [1, 1]).Infer()[0].Shape);
        Assert.Equal([2, 5], Slice(op, [2, 3], [0, -1], [0, 0], [1, 1]));
    }

    [Fact]
    public void An_ellipsis_stands_for_the_dimensions_that_are_not_named()
    {
        StridedSlice op = Plain with { EllipsisMask = 1 };
        Assert.Equal(Shape.Of([2, 2, 1]), Case(op, [2, 2, 2], [0, 1], [0, 2], [1, 1]).Infer()[0].Shape);
        Assert.Equal([1, 3, 5, 7], Slice(op, [2, 2, 2], [0, 1], [0, 2], [1, 1]));
        Assert.Equal([1], Slice(op, [2], [0, 1], [0, 2], [1, 1]));
    }

    [Fact]
    public void New_axes_are_inserted_where_they_stand()
    {
        StridedSlice op = Plain with { NewAxisMask = 2 };
        Assert.Equal(Shape.Of([1, 1, 3]), Case(op, [2, 3], [1, 0], [2, 0], [1, 1]).Infer()[0].Shape);
        Assert.Equal([3, 4, 5], Slice(op, [2, 3], [1, 0], [2, 0], [1, 1]));
        Assert.Equal(Shape.Of([2, 3, 1]), Case(Plain with { EllipsisMask = 1, NewAxisMask = 3 }, [2, 3], [0, 0], [0, 0], [1, 1]).Infer()[0].Shape);
    }

    [Fact]
    public void With_offset_the_end_counts_from_the_begin() =>
        Assert.Equal([2, 3], Slice(Plain with { Offset = true }, [5], [-3], [2], [1]));

    [Fact]
    public void Any_ranges_with_any_masks_take_the_elements_that_a_walk_meets()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 6), most: 4);
            int n = random.Next(1, x.Rank + 1);
            int[] begin = [.. Enumerable.Range(0, n).Select(i => random.Next(-x[i] - 2, x[i] + 3))];
            int[] end = [.. Enumerable.Range(0, n).Select(i => random.Next(-x[i] - 2, x[i] + 3))];
            int[] strides = [.. Enumerable.Range(0, n).Select(_ => random.GetItems([-2, -1, 1, 1, 2, 3], 1)[0])];
            StridedSlice op = Plain with { BeginMask = random.Next(1 << n), EndMask = random.Next(1 << n) };

            List<int>[] walks = [.. Enumerable.Range(0, x.Rank).Select(i =>
                i < n
                    ? Walk(x[i], (op.BeginMask >> i & 1) != 0 ? null : begin[i], (op.EndMask >> i & 1) != 0 ? null : end[i], strides[i])
                    : [.. Enumerable.Range(0, x[i])])];
            Shape y = [.. walks.Select(w => w.Count)];
            byte[] source = MovedElements.Numbered(type, x);
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to => [.. to.Select((t, i) => walks[i][t])]);

            byte[] actual = new OpCase(op)
                .Input<byte>(new TensorType(type, x), source)
                .Constant<int>(DType.I32, [n], begin)
                .Constant<int>(DType.I32, [n], end)
                .Constant<int>(DType.I32, [n], strides)
                .Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {type}{x} {op}");
        }
    }

    [Fact]
    public void Unknown_dimensions_stay_unknown_unless_they_are_shrunk()
    {
        Assert.Equal(Shape.Of([-1, 2]), Case(Plain, [-1, 3], [0, 1], [1, 3], [1, 1]).Infer()[0].Shape);
        Assert.Equal(Shape.Of([2]), Case(Plain with { ShrinkAxisMask = 1 }, [-1, 3], [7, 1], [8, 3], [1, 1]).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([-1, 3]),
            new OpCase(Plain)
                .Input<int>(DType.I32, [4, 3]).Input<int>(DType.I32, [1]).Input<int>(DType.I32, [1]).Constant(DType.I32, [1], 1).Infer()[0].Shape);
    }

    [Fact]
    public void Computed_indices_are_followed_at_run_time() => Assert.Equal(
        [1, 2],
        new OpCase(Plain)
            .Input(DType.I32, [4], 0, 1, 2, 3).Input(DType.I32, [1], 1).Input(DType.I32, [1], 3).Constant(DType.I32, [1], 1).Run<int>());

    [Fact]
    public void Refuses_what_has_no_meaning()
    {
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain, [5], [0], [5], [0]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain with { ShrinkAxisMask = 1 }, [5], [5], [6], [1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain with { ShrinkAxisMask = 1 }, [5], [-6], [6], [1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain with { ShrinkAxisMask = 1 }, [5], [1], [6], [-1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain with { EllipsisMask = 3 }, [5], [0, 0], [0, 0], [1, 1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain, [5], [0, 0], [0, 0], [1, 1]).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(Plain, [5], [0], [0, 0], [1]).Infer());
    }

    [Fact]
    public void Extreme_indices_and_strides_do_not_overflow()
    {
        Assert.Equal([0], Slice(Plain, [5], [int.MinValue], [int.MaxValue], [int.MaxValue]));
        Assert.Equal([4], Slice(Plain, [5], [int.MaxValue], [int.MinValue], [int.MinValue]));
        Assert.Equal([4], Slice(Plain with { Offset = true }, [5], [4], [int.MaxValue], [1]));
    }

    [Theory]
    [InlineData(DType.F32, 4, 0, 0, false, 1)]
    [InlineData(DType.I16, 4, 0, 0, false, 1)]
    [InlineData(DType.I8, 4, 0, 0, false, 2)]
    [InlineData(DType.Bool, 4, 0, 0, false, 3)]
    [InlineData(DType.I8, 5, 0, 0, false, 4)]
    [InlineData(DType.I8, 4, 1, 0, false, 6)]
    [InlineData(DType.I8, 4, 0, 1, false, 6)]
    [InlineData(DType.U32, 4, 0, 1, false, 7)]
    [InlineData(DType.U32, 4, 0, 0, true, 8)]
    public void Has_the_version_of_the_table(DType type, int rank, int ellipsis, int newAxis, bool offset, int version) => Assert.Equal(
        version, new OpCase(new StridedSlice(0, 0, ellipsis, newAxis, 0, offset)).Input<byte>(new TensorType(type, [.. new int[rank]])).Version());

    [Fact]
    public void Attributes_survive_as_text_and_in_a_file()
    {
        StridedSlice op = new(1, 2, 4, 8, 16, Offset: true);
        Assert.Equal(op, OpCase.Reparse(op));
        TfLiteEncoding encoding = op.Write(new(new(new TensorType(DType.F32, [1])), []));
        Assert.Equal(op, StridedSlice.Read(new(new OperatorRecord { BuiltinOptions = (IBuiltinOptions)encoding.Options! }, [])));
    }

    private static OpCase Case(StridedSlice op, Shape x, int[] begin, int[] end, int[] strides) => new OpCase(op)
        .Input<int>(DType.I32, x, x.IsKnown ? [.. Enumerable.Range(0, (int)x.ElementCount)] : [])
        .Constant<int>(DType.I32, [begin.Length], begin)
        .Constant<int>(DType.I32, [end.Length], end)
        .Constant<int>(DType.I32, [strides.Length], strides);

    private static int[] Slice(StridedSlice op, Shape x, int[] begin, int[] end, int[] strides) =>
        Case(op, x, begin, end, strides).Run<int>();

    /// <summary>The indices met from begin, in steps, until the end or the edge: Python's slices, said step by step.</summary>
    private static List<int> Walk(int size, int? begin, int? end, int step)
    {
        int? at = begin < 0 ? begin + size : begin;
        int? stop = end < 0 ? end + size : end;
        int position = step > 0 ? Math.Max(at ?? 0, 0) : Math.Min(at ?? (size - 1), size - 1);
        List<int> met = [];
        while (position >= 0 && position < size && (stop is null || (step > 0 ? position < stop : position > stop)))
        {
            met.Add(position);
            position += step;
        }

        return met;
    }
}
