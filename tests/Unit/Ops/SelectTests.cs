using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class SelectTests
{
    [Fact]
    public void Condition_and_values_broadcast()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            int size = type.BitWidth / 8;
            Shape whole = MovedElements.RandomShape(random, random.Next(0, 5), most: 5);
            (Shape c, Shape a, Shape b) = (ElementModel.Part(random, whole), ElementModel.Part(random, whole), ElementModel.Part(random, whole));
            byte[] condition = ElementModel.Fill(c, () => (byte)random.Next(3));
            byte[] yes = MovedElements.Numbered(type, a);
            byte[] no = MovedElements.Numbered(type, b, from: 1000);

            byte[] y = new OpCase(new SelectV2())
                .Input<byte>(DType.Bool, c, condition).Input<byte>(new TensorType(type, a), yes).Input<byte>(new TensorType(type, b), no)
                .Run<byte>();

            Shape joined = ElementModel.Join(ElementModel.Join(c, a), b);
            byte[] conditions = ElementModel.Expand(condition, c, joined);
            byte[] left = Expand(yes, size, a, joined);
            byte[] right = Expand(no, size, b, joined);
            byte[] expected = [.. left.Select((v, i) => conditions[i / size] != 0 ? v : right[i])];
            Assert.True(expected.AsSpan().SequenceEqual(y), $"seed {seed}: {type} {c} ? {a} : {b}");
        }
    }

    [Fact]
    public void A_condition_of_one_dimension_chooses_slices()
    {
        float[] yes = [1, 2, 3, 4, 5, 6];
        float[] no = [-1, -2, -3, -4, -5, -6];
        float[] Run(Shape shape, params byte[] condition) => new OpCase(new Select())
            .Input<byte>(DType.Bool, shape, condition).Input<float>(DType.F32, [3, 2], yes).Input<float>(DType.F32, [3, 2], no).Run<float>();

        Assert.Equal([1f, 2, -3, -4, 5, 6], Run([3], 1, 0, 9));
        Assert.Equal([1f, -2, 3, -4, -5, 6], Run([3, 2], 1, 0, 1, 0, 0, 1));
        Assert.Equal(no, Run([], 0));
        Assert.Equal(yes, Run([], 1));
    }

    [Fact]
    public void Slices_of_any_rank_are_chosen()
    {
        Shape deep = [2, 1, 1, 1, 1, 1, 1, 1, 1, 2];
        Assert.Equal(
            [3, 4, 0, 0],
            new OpCase(new Select()).Input<byte>(DType.Bool, [2], 0, 1)
                .Input<int>(DType.I32, deep, 1, 2, 0, 0).Input<int>(DType.I32, deep, 3, 4, 5, 6).Run<int>());
    }

    [Fact]
    public void Refuses_operands_that_do_not_fit()
    {
        static OpCase Case(IOp op, TensorType c, TensorType a, TensorType b) => new OpCase(op).Input<byte>(c).Input<byte>(a).Input<byte>(b);
        static TensorType F(params int[] dims) => new(DType.F32, Shape.Create(dims));
        static TensorType B(params int[] dims) => new(DType.Bool, Shape.Create(dims));

        Assert.Throws<OpRuleException>(() => Case(new Select(), B(2), F(3, 2), F(3, 2)).Infer());
        Assert.Throws<OpRuleException>(() => Case(new Select(), B(1, 2), F(3, 2), F(3, 2)).Infer());
        Assert.Throws<OpRuleException>(() => Case(new Select(), B(3), F(3, 2), F(3, 1)).Infer());
        Assert.Throws<OpRuleException>(() => Case(new Select(), B(1), F(), F()).Infer());
        Assert.Throws<OpRuleException>(() => Case(new Select(), F(3), F(3), F(3)).Infer());
        Assert.Throws<OpRuleException>(() => Case(new SelectV2(), B(3), F(3), new(DType.I32, [3])).Infer());
        Assert.Throws<OpRuleException>(() => Case(new SelectV2(), B(3), F(2), F(3)).Infer());
        Assert.Equal(Shape.Of([-1, 2]), Case(new Select(), B(-1), F(-1, 2), F(-1, -1)).Infer()[0].Shape);
        Assert.Equal(Shape.Of([4, 2]), Case(new SelectV2(), B(4, 1), F(-1, 2), F(1)).Infer()[0].Shape);
        QuantParams q = new(0.5f, 1);
        Assert.Throws<DiagnosticException>(() => new OpCase(new SelectV2())
            .Input<byte>(DType.Bool, [1], 1).Input<sbyte>(q.With(DType.I8, [1]), 1).Input<sbyte>(new QuantParams(1, 0).With(DType.I8, [1]), 1)
            .OutputQuant(0.5f, 1).Run<sbyte>());
    }

    [Fact]
    public void Has_the_version_of_the_table()
    {
        Assert.Equal(1, Version(new Select(), [2, 1, 1, 1]));
        Assert.Equal(3, Version(new Select(), [2, 1, 1, 1, 1]));
        Assert.Equal(1, Version(new SelectV2(), [2, 1, 1, 1, 1]));

        static int Version(IOp op, Shape x) => new OpCase(op)
            .Input<byte>(DType.Bool, [2]).Input<byte>(DType.I8, x).Input<byte>(DType.I8, x).Version();
    }

    private static byte[] Expand(byte[] values, int size, Shape x, Shape y) => MovedElements.Expected(
        values, size, x, y, to => [.. x.Select((d, i) => d == 1 ? 0 : to[i + y.Rank - x.Rank])]);
}
