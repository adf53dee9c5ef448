using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class DepthToSpaceTests
{
    [Fact]
    public void Channels_become_the_pixels_of_a_block() => Assert.Equal(
        [1, 2, 5, 6, 3, 4, 7, 8],
        new OpCase(new DepthToSpace(2)).Input(DType.I32, [1, 1, 2, 4], 1, 2, 3, 4, 5, 6, 7, 8).Run<int>());

    [Fact]
    public void Any_block_goes_to_channels_and_back()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            int b = random.Next(1, 4);
            Shape deep = MovedElements.RandomShape(random, 4, most: 4);
            int channels = deep[3];
            deep = deep.With(3, channels * b * b);
            Shape wide = [deep[0], deep[1] * b, deep[2] * b, channels];
            byte[] source = MovedElements.Numbered(type, deep);
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, deep, wide, to =>
                [to[0], to[1] / b, to[2] / b, (((to[1] % b * b) + (to[2] % b)) * channels) + to[3]]);

            byte[] pixels = new OpCase(new DepthToSpace(b)).Input<byte>(new TensorType(type, deep), source).Run<byte>();
            Assert.True(expected.AsSpan().SequenceEqual(pixels), $"seed {seed}: {type}{deep} by {b}");
            byte[] back = new OpCase(new SpaceToDepth(b)).Input<byte>(new TensorType(type, wide), pixels).Run<byte>();
            Assert.True(source.AsSpan().SequenceEqual(back), $"seed {seed}: {type}{wide} by {b}");
        }
    }

    [Fact]
    public void Refuses_blocks_that_do_not_fit()
    {
        static Shape Infer(IOp op, Shape x) => op.InferTypes(new(new TensorType(DType.F32, x)))[0].Shape;

        Assert.Equal(Shape.Of([-1, 4, -1, 1]), Infer(new DepthToSpace(2), [-1, 2, -1, 4]));
        Assert.Equal(Shape.Of([-1, 2, -1, 4]), Infer(new SpaceToDepth(2), [-1, 4, -1, 1]));
        Assert.ThrowsAny<OpRuleException>(() => Infer(new DepthToSpace(2), [1, 1, 1, 6]));
        Assert.ThrowsAny<OpRuleException>(() => Infer(new SpaceToDepth(2), [1, 3, 2, 1]));
        foreach (int block in new[] { 0, -1, int.MinValue, int.MaxValue })
        {
            Assert.ThrowsAny<OpRuleException>(() => Infer(new DepthToSpace(block), [1, 1, 1, 4]));
            Assert.ThrowsAny<OpRuleException>(() => Infer(new SpaceToDepth(block), [1, 2, 2, 1]));
        }

        Assert.ThrowsAny<OpRuleException>(() => Infer(new SpaceToDepth(2), [1, 2, 2]));
    }

    [Fact]
    public void Positions_move_to_the_batch_and_back_with_a_border()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            int m = random.Next(1, 4);
            Shape x = MovedElements.RandomShape(random, m + random.Next(1, 3), most: 4);
            int[] block = [.. Enumerable.Range(0, m).Select(_ => random.Next(1, 4))];
            int[] borders = new int[2 * m];
            int[] dims = [.. x];
            for (int i = 0; i < m; i++)
            {
                borders[2 * i] = random.Next(3);
                borders[(2 * i) + 1] = random.Next(3);
                borders[(2 * i) + 1] += (block[i] - ((borders[2 * i] + x[i + 1] + borders[(2 * i) + 1]) % block[i])) % block[i];
                dims[0] *= block[i];
                dims[i + 1] = (borders[2 * i] + x[i + 1] + borders[(2 * i) + 1]) / block[i];
            }

            Shape y = Shape.Create(dims);
            byte[] source = MovedElements.Numbered(type, x);
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to =>
            {
                int[] from = [.. to];
                int offset = to[0] / x[0];
                from[0] = to[0] % x[0];
                bool inside = true;
                for (int i = m - 1; i >= 0; i--)
                {
                    from[i + 1] = (to[i + 1] * block[i]) + (offset % block[i]) - borders[2 * i];
                    offset /= block[i];
                    inside &= from[i + 1] >= 0 && from[i + 1] < x[i + 1];
                }

                return inside ? from : null;
            }, new byte[type.BitWidth / 8]);

            byte[] blocks = new OpCase(new SpaceToBatchNd())
                .Input<byte>(new TensorType(type, x), source).Constant<int>(DType.I32, [m], block).Constant<int>(DType.I32, [m, 2], borders).Run<byte>();
            Assert.True(expected.AsSpan().SequenceEqual(blocks), $"seed {seed}: {type}{x} by {string.Join(",", block)}");

            byte[] back = new OpCase(new BatchToSpaceNd())
                .Input<byte>(new TensorType(type, y), blocks).Constant<int>(DType.I32, [m], block).Constant<int>(DType.I32, [m, 2], borders).Run<byte>();
            Assert.True(source.AsSpan().SequenceEqual(back), $"seed {seed}: {type}{y} by {string.Join(",", block)} back");
        }
    }

    [Fact]
    public void The_border_of_integers_is_their_zero_point() => Assert.Equal(
        new sbyte[] { -7, 1 },
        new OpCase(new SpaceToBatchNd())
            .Input<sbyte>(new TensorType(DType.I8, [1, 1, 1], new(0.5f, -7)), 1)
            .Constant(DType.I32, [1], 2)
            .Constant(DType.I32, [1, 2], 1, 0)
            .OutputQuant(0.5f, -7)
            .Run<sbyte>());

    [Fact]
    public void Refuses_hostile_blocks_and_borders()
    {
        static OpCase Case(IOp op, Shape x, int block, int before, int after) => new OpCase(op)
            .Input<float>(DType.F32, x).Constant(DType.I32, [1], block).Constant(DType.I32, [1, 2], before, after);

        Assert.Equal(Shape.Of([-1, 2, 3]), Case(new SpaceToBatchNd(), [-1, 3, 3], 2, 1, 0).Infer()[0].Shape);
        Assert.Equal(Shape.Of([-1, 3, 3]), Case(new BatchToSpaceNd(), [-1, 2, 3], 2, 1, 0).Infer()[0].Shape);
        foreach (IOp op in new IOp[] { new SpaceToBatchNd(), new BatchToSpaceNd() })
        {
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [4, 3, 3], 0, 1, 0).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [4, 3, 3], -2, 1, 0).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [4, 3, 3], 2, -1, 0).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [4, 3, 3], 2, int.MaxValue, int.MaxValue).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [4], 2, 0, 0).Infer());
        }

        Assert.ThrowsAny<OpRuleException>(() => Case(new SpaceToBatchNd(), [4, 3, 3], 2, 0, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BatchToSpaceNd(), [3, 3, 3], 2, 0, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Case(new BatchToSpaceNd(), [4, 3, 3], 2, 4, 3).Infer());
    }

    [Theory]
    [InlineData(DType.F32, 4, 1, 1)]
    [InlineData(DType.I8, 4, 2, 2)]
    [InlineData(DType.I8, 3, 3, 2)]
    [InlineData(DType.I16, 3, 4, 1)]
    public void Has_the_version_of_the_table(DType type, int rank, int batch, int depth)
    {
        TensorType x = new(type, [.. new int[rank]]);
        Assert.Equal(batch, new OpCase(new SpaceToBatchNd()).Input<byte>(x).Version());
        Assert.Equal(batch, new OpCase(new BatchToSpaceNd()).Input<byte>(x).Version());
        Assert.Equal(depth, new OpCase(new SpaceToDepth(2)).Input<byte>(x).Version());
        Assert.Equal(depth, new OpCase(new DepthToSpace(2)).Input<byte>(x).Version());
    }

    [Fact]
    public void The_block_survives_as_text()
    {
        Assert.Equal(new DepthToSpace(3), OpCase.Reparse(new DepthToSpace(3)));
        Assert.Equal(new SpaceToDepth(3), OpCase.Reparse(new SpaceToDepth(3)));
    }
}
