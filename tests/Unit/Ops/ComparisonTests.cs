using System.Numerics;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ComparisonTests
{
    private static readonly (IOp Op, Func<int, bool> OfSign)[] Relations =
    [
        (new Equal(), s => s == 0), (new NotEqual(), s => s != 0), (new Greater(), s => s > 0),
        (new GreaterEqual(), s => s >= 0), (new Less(), s => s < 0), (new LessEqual(), s => s <= 0),
    ];

    [Fact]
    public void Plain_numbers_are_compared_as_they_are()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            foreach ((IOp op, Func<int, bool> relation) in Relations)
            {
                Check<int>(seed, op, DType.I32, relation);
                Check<long>(seed, op, DType.I64, relation);
                Check<short>(seed, op, DType.I16, relation);
            }
        }
    }

    [Fact]
    public void Floats_are_compared_with_nan_unequal_to_everything()
    {
        float[] values = [-1, -0f, 0, 2, float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        foreach ((IOp op, Func<int, bool> relation) in Relations)
        {
            bool[] y = new OpCase(op)
                .Input<float>(DType.F32, [values.Length, 1], values).Input<float>(DType.F32, [values.Length], values).Run<bool>();

            for (int i = 0; i < y.Length; i++)
            {
                (float a, float b) = (values[i / values.Length], values[i % values.Length]);
                bool expected = float.IsNaN(a) || float.IsNaN(b) ? op is NotEqual : relation(a < b ? -1 : a > b ? 1 : 0);
                Assert.True(expected == y[i], $"{op.Schema.Name}: {a} and {b}");
            }
        }
    }

    [Theory]
    [InlineData(DType.I8, -128)]
    [InlineData(DType.U8, 0)]
    public void Quantized_operands_meet_in_steps_of_one_256th(DType type, int low)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            (Shape a, Shape b) = ElementModel.Pair(random);
            (QuantParams qa, QuantParams qb) = (ElementModel.Quant(random, type), ElementModel.Quant(random, type));
            int[] x = ElementModel.Fill(a, () => random.Next(low, low + 256));
            int[] w = ElementModel.Fill(b, () => random.Next(low, low + 256));
            foreach ((IOp op, Func<int, bool> relation) in Relations)
            {
                bool[] y = new OpCase(op)
                    .Input<byte>(qa.With(type, a), [.. x.Select(v => unchecked((byte)v))])
                    .Input<byte>(qb.With(type, b), [.. w.Select(v => unchecked((byte)v))])
                    .Run<bool>();

                bool[] expected = ElementModel.Combine(
                    a, x, b, w, (first, second) => relation(Fractions(first, qa).CompareTo(Fractions(second, qb))));
                Assert.True(expected.SequenceEqual(y), $"{op.Schema.Name}, seed {seed}: {a} {qa} and {b} {qb}");
            }
        }
    }

    [Fact]
    public void Quantized_16_bit_operands_are_compared_as_the_runtime_does()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            (Shape a, Shape b) = ElementModel.Pair(random);
            QuantParams qa = ElementModel.Quant(random, DType.I16, smallest: 1e-5, largest: 1e-3);
            QuantParams qb = ElementModel.Quant(random, DType.I16, smallest: 1e-5, largest: 1e-3);
            short[] x = ElementModel.Fill(a, () => (short)random.Next(-300, 300));
            short[] w = ElementModel.Fill(b, () => (short)random.Next(-300, 300));
            foreach ((IOp op, Func<int, bool> relation) in Relations)
            {
                foreach (RoundingProfile profile in new[] { RoundingProfile.Tflm, RoundingProfile.Xnnpack })
                {
                    bool rescales = op is Equal or NotEqual || (op is Greater && profile is RoundingProfile.Tflm);
                    QuantParams second = rescales ? qb : qa;
                    bool[] y = new OpCase(op).Input<short>(qa.With(DType.I16, a), x).Input<short>(second.With(DType.I16, b), w)
                        .Run<bool>(options: new() { Rounding = profile });

                    bool[] expected = ElementModel.Combine(a, x, b, w, (p, q) => relation(
                        rescales ? Fractions(p, qa).CompareTo(Fractions(q, qb)) : Math.Sign(p.CompareTo(q))));
                    Assert.True(expected.SequenceEqual(y), $"{op.Schema.Name}, {profile}, seed {seed}: {a} {qa} and {b} {second}");
                }
            }
        }
    }

    [Fact]
    public void Fine_differences_are_lost_as_in_the_reference()
    {
        QuantParams fine = new(1 / 1024f, 0);
        Assert.Equal(
            [true, false],
            new OpCase(new Equal()).Input<sbyte>(fine.With(DType.I8, [2]), 8, 4).Input<sbyte>(fine.With(DType.I8, [1]), 7).Run<bool>());
    }

    [Fact]
    public void Truth_values_are_compared_whatever_byte_stands_for_true()
    {
        OpCase Case(IOp op) => new OpCase(op).Input<byte>(DType.Bool, [4], 0, 0, 1, 2).Input<byte>(DType.Bool, [4], 0, 1, 0, 255);

        Assert.Equal([true, false, false, true], Case(new Equal()).Run<bool>());
        Assert.Equal([false, true, true, false], Case(new NotEqual()).Run<bool>());
        Assert.Equal(new byte[] { 0, 0, 0, 1 }, Case(new LogicalAnd()).Run<byte>());
        Assert.Equal(new byte[] { 0, 1, 1, 1 }, Case(new LogicalOr()).Run<byte>());
        Assert.Equal(new byte[] { 1, 0, 0, 0 }, new OpCase(new LogicalNot()).Input<byte>(DType.Bool, [4], 0, 1, 2, 255).Run<byte>());
    }

    [Fact]
    public void Logic_broadcasts()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            Shape a = MovedElements.RandomShape(random, 3, most: 40);
            Shape b = ElementModel.Part(random, a);
            byte[] x = ElementModel.Fill(a, () => (byte)random.Next(3));
            byte[] w = ElementModel.Fill(b, () => (byte)random.Next(3));

            byte[] and = new OpCase(new LogicalAnd()).Input<byte>(DType.Bool, a, x).Input<byte>(DType.Bool, b, w).Run<byte>();
            byte[] or = new OpCase(new LogicalOr()).Input<byte>(DType.Bool, b, w).Input<byte>(DType.Bool, a, x).Run<byte>();

            Assert.Equal(ElementModel.Combine(a, x, b, w, (p, q) => (byte)(p != 0 && q != 0 ? 1 : 0)), and);
            Assert.Equal(ElementModel.Combine(b, w, a, x, (p, q) => (byte)(p != 0 || q != 0 ? 1 : 0)), or);
        }
    }

    [Fact]
    public void Refuses_quantizations_that_cannot_be_compared()
    {
        QuantParams q = new(0.5f, 0);
        Assert.Throws<DiagnosticException>(() => new OpCase(new Less())
            .Input<sbyte>(new QuantParams(1, 0).With(DType.I8, [1]), 1).Input<sbyte>(q.With(DType.I8, [1]), 1).Run<bool>());
        Assert.Throws<DiagnosticException>(() => new OpCase(new Less())
            .Input<sbyte>(DType.I8, [1], 1).Input<sbyte>(DType.I8, [1], 1).Run<bool>());
        Assert.Throws<DiagnosticException>(() => new OpCase(new Less())
            .Input<short>(q.With(DType.I16, [1]), 1).Input<short>(new QuantParams(0.25f, 0).With(DType.I16, [1]), 1).Run<bool>());
        Assert.Throws<OpRuleException>(() => new OpCase(new LogicalAnd()).Input(DType.I32, [1], 1).Input(DType.I32, [1], 1).Infer());
    }

    [Theory]
    [InlineData(DType.F32, 1, 1, 1, 1)]
    [InlineData(DType.I8, 2, 2, 2, 2)]
    [InlineData(DType.I16, 4, 1, 3, 1)]
    [InlineData(DType.I64, 1, 1, 1, 1)]
    public void Has_the_version_of_the_table(DType type, int equal, int notEqual, int less, int greater)
    {
        TensorType x = new(type, [2]);
        foreach ((IOp op, int expected) in new (IOp, int)[]
        {
            (new Equal(), equal), (new NotEqual(), notEqual), (new Less(), less), (new GreaterEqual(), less),
            (new Greater(), greater), (new LessEqual(), greater), (new LogicalAnd(), 1), (new LogicalOr(), 1), (new LogicalNot(), 1),
        })
        {
            Assert.Equal(expected, new OpCase(op).Input<byte>(x).Input<byte>(x).Version());
        }
    }

    private static int Fractions(int raw, QuantParams quant) =>
        ExactArithmetic.Scale(ExactArithmetic.Normalize(quant.Scale), (int)(raw - quant.ZeroPoint) * 256);

    private static void Check<T>(int seed, IOp op, DType type, Func<int, bool> relation)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        Random random = new(seed);
        (Shape a, Shape b) = ElementModel.Pair(random);
        T[] x = ElementModel.Integers<T>(random, a);
        T[] w = ElementModel.Integers<T>(random, b);

        bool[] y = new OpCase(op).Input<T>(type, a, x).Input<T>(type, b, w).Run<bool>();

        Assert.True(
            ElementModel.Combine(a, x, b, w, (p, q) => relation(Math.Sign(p.CompareTo(q)))).SequenceEqual(y),
            $"{op.Schema.Name} {type}, seed {seed}: {a} and {b}");
    }
}
