using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class PackTests
{
    [Fact]
    public void Stacks_along_the_last_axis() => Assert.Equal(
        [1, 4, 2, 5, 3, 6],
        new OpCase(new Pack(2, -1)).Input(DType.I32, [3], 1, 2, 3).Input(DType.I32, [3], 4, 5, 6).Run<int>());

    [Fact]
    public void What_is_packed_comes_out_again_along_any_axis()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(0, 4));
            int axis = random.Next(-x.Rank - 1, x.Rank + 1);
            int place = axis < 0 ? axis + x.Rank + 1 : axis;
            int count = random.Next(1, 5);
            OpCase pack = new(new Pack(count, axis));
            byte[][] parts = [.. Enumerable.Range(0, count).Select(i => MovedElements.Numbered(type, x, from: 1 + (1000 * i)))];
            foreach (byte[] part in parts)
            {
                pack.Input<byte>(new TensorType(type, x), part);
            }

            Shape y = Shape.Of(x.Dims.Insert(place, count));
            Assert.Equal(y, pack.Infer()[0].Shape);
            byte[] packed = pack.Run<byte>();
            for (int i = 0; i < count; i++)
            {
                int slice = i;
                byte[] part = MovedElements.Expected(packed, type.BitWidth / 8, y, x, to => [.. to[..place], slice, .. to[place..]]);
                Assert.True(part.AsSpan().SequenceEqual(parts[i]), $"seed {seed}: part {i} of {type}{y}");

                byte[] unpacked = new OpCase(new Unpack(count, axis)).Input<byte>(new TensorType(type, y), packed).Run<byte>(i);
                Assert.True(unpacked.AsSpan().SequenceEqual(parts[i]), $"seed {seed}: part {i} unpacked of {type}{y}");
            }
        }
    }

    [Fact]
    public void Completes_unknown_dimensions() => Assert.Equal(
        Shape.Of([4, 2, 3]),
        new OpCase(new Pack(2, 1)).Input<float>(DType.F32, [-1, 3]).Input<float>(DType.F32, [4, -1]).Infer()[0].Shape);

    [Fact]
    public void Refuses_hostile_counts_and_axes()
    {
        static void Refused(IOp op, params TensorType?[] types) => Assert.ThrowsAny<OpRuleException>(() => op.InferTypes(new([.. types])));
        TensorType x = new(DType.F32, [2, 3]);

        Refused(new Pack(2, 0), x);
        Refused(new Pack(0, 0));
        Refused(new Pack(2, 3), x, x);
        Refused(new Pack(2, 0), x, new(DType.I32, [2, 3]));
        Refused(new Pack(2, 0), x, new(DType.F32, [3, 3]));
        Refused(new Pack(2, 0), x, new(DType.F32, [3]));
        Refused(new Unpack(3, 0), x);
        Refused(new Unpack(-1, 0), x);
        Refused(new Unpack(int.MaxValue, 0), new TensorType(DType.F32, [-1]));
        Refused(new Unpack(2, 2), x);
        Refused(new Unpack(1, 0), new TensorType(DType.F32, Shape.Scalar));
    }

    [Theory]
    [InlineData(DType.F32, 1, 1)]
    [InlineData(DType.I8, 2, 2)]
    [InlineData(DType.U8, 1, 2)]
    [InlineData(DType.Bool, 1, 3)]
    [InlineData(DType.I16, 3, 4)]
    [InlineData(DType.U32, 4, 1)]
    public void Has_the_version_of_the_table(DType type, int pack, int unpack)
    {
        TensorType x = new(type, [1]);
        Assert.Equal(pack, new OpCase(new Pack(1, 0)).Input<byte>(x).Output(x).Version());
        Assert.Equal(unpack, new OpCase(new Unpack(1, 0)).Input<byte>(x).Output(x).Version());
    }

    [Fact]
    public void Attributes_survive_as_text()
    {
        Assert.Equal(new Pack(3, -1), OpCase.Reparse(new Pack(3, -1)));
        Assert.Equal(new Unpack(3, 1), OpCase.Reparse(new Unpack(3, 1)));
    }
}
