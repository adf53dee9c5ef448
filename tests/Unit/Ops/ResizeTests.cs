using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ResizeTests
{
    [Fact]
    public void Floats_lie_on_the_line_between_pixels()
    {
        static float[] Row(ResizeBilinear op) =>
            new OpCase(op).Input<float>(DType.F32, [1, 1, 2, 1], 0, 4).Constant(DType.I32, [2], 1, 4).Run<float>();

        Assert.Equal([0f, 2, 4, 4], Row(new()));
        Assert.Equal([0f, 1, 3, 4], Row(new(HalfPixelCenters: true)));
        Assert.Equal([0f, 4 / 3f, 8 / 3f, 4], Row(new(AlignCorners: true)), (a, b) => MathF.Abs(a - b) < 1e-6f);
    }

    [Fact]
    public void Int8_rounds_halves_away_from_zero() => Assert.Equal(
        new sbyte[] { -1, -1, 0, 1, 1, 2, 2, 2 },
        new OpCase(new ResizeBilinear()).Input<sbyte>(DType.I8, [1, 1, 4, 1], -1, 0, 1, 2).Constant(DType.I32, [2], 1, 8).Run<sbyte>());

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Integers_follow_the_formula(bool align, bool half)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            (int h, int w, int c) = (random.Next(1, 6), random.Next(1, 6), random.Next(1, 4));
            (int toH, int toW) = (random.Next(1, 12), random.Next(1, 12));
            short[] wide = [.. Enumerable.Range(0, 2 * h * w * c).Select(_ => (short)random.Next(-32768, 32768))];
            sbyte[] narrow = [.. wide.Select(v => (sbyte)(v >> 8))];
            ResizeBilinear op = new(align, half);

            short[] y16 = new OpCase(op).Input<short>(DType.I16, [2, h, w, c], wide).Constant(DType.I32, [2], toH, toW).Run<short>();
            sbyte[] y8 = new OpCase(op).Input<sbyte>(DType.I8, [2, h, w, c], narrow).Constant(DType.I32, [2], toH, toW).Run<sbyte>();

            for (int i = 0; i < y16.Length; i++)
            {
                int channel = i % c;
                int column = i / c % toW;
                int row = i / c / toW % toH;
                int image = i / c / toW / toH;
                (int y0, int y1, long fy) = Taps(row, h, toH, align, half);
                (int x0, int x1, long fx) = Taps(column, w, toW, align, half);
                int At(int yy, int xx) => (((((image * h) + yy) * w) + xx) * c) + channel;
                long Blend(Func<int, long> a) => Rounded(
                    (a(At(y0, x0)) * (1024 - fy) * (1024 - fx)) + (a(At(y1, x0)) * fy * (1024 - fx))
                    + (a(At(y0, x1)) * (1024 - fy) * fx) + (a(At(y1, x1)) * fy * fx));
                Assert.True(Blend(k => wide[k]) == y16[i], $"seed {seed}: int16 element {i}");
                Assert.True(Blend(k => narrow[k]) == y8[i], $"seed {seed}: int8 element {i}");
            }
        }
    }

    [Fact]
    public void Legacy_bytes_add_a_half_and_cut() => Assert.Equal(
        new byte[] { 0, 2, 3, 3 },
        new OpCase(new ResizeBilinear()).Input<byte>(DType.U8, [1, 1, 2, 1], 0, 3).Constant(DType.I32, [2], 1, 4).Run<byte>());

    [Fact]
    public void Nearest_takes_one_pixel()
    {
        static int[] Row(ResizeNearestNeighbor op, int size) =>
            new OpCase(op).Input(DType.I32, [1, 1, 3, 1], 1, 2, 3).Constant(DType.I32, [2], 1, size).Run<int>();

        Assert.Equal([1, 1, 2, 2, 3, 3], Row(new(), 6));
        Assert.Equal([1, 2], Row(new(), 2));
        Assert.Equal([1, 3], Row(new(HalfPixelCenters: true), 2));
        Assert.Equal([1, 1, 2, 3, 3], Row(new(HalfPixelCenters: true), 5));
        Assert.Equal([1, 2, 2, 3], Row(new(AlignCorners: true), 4));
        Assert.Equal([1, 3], Row(new(AlignCorners: true), 2));
    }

    [Fact]
    public void Nearest_moves_whole_pixels_of_any_width()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, 4, most: 5);
            Shape y = [x[0], random.Next(1, 9), random.Next(1, 9), x[3]];
            byte[] source = MovedElements.Numbered(type, x);
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to =>
                [to[0], (int)MathF.Floor(to[1] * (x[1] / (float)y[1])), (int)MathF.Floor(to[2] * (x[2] / (float)y[2])), to[3]]);

            byte[] actual = new OpCase(new ResizeNearestNeighbor())
                .Input<byte>(new TensorType(type, x), source).Constant(DType.I32, [2], y[1], y[2]).Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {type}{x} to {y}");
        }
    }

    [Fact]
    public void Refuses_what_has_no_meaning()
    {
        static OpCase Case(IOp op, Shape x, int h, int w) => new OpCase(op).Input<float>(DType.F32, x).Constant(DType.I32, [2], h, w);

        foreach (IOp op in new IOp[] { new ResizeBilinear(), new ResizeNearestNeighbor() })
        {
            Assert.Equal(Shape.Of([-1, 4, 5, 3]), Case(op, [-1, -1, 2, 3], 4, 5).Infer()[0].Shape);
            Assert.Equal(
                Shape.Of([2, -1, -1, 3]), new OpCase(op).Input<float>(DType.F32, [2, 2, 2, 3]).Input<int>(DType.I32, [2]).Infer()[0].Shape);
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [1, 2, 2, 1], 0, 5).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [1, 2, 2, 1], 5, -5).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [1, 2, 2], 5, 5).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [1, 0, 2, 1], 5, 5).Infer());
            Assert.ThrowsAny<OpRuleException>(() => Case(op, [65536, 2, 2, 1], int.MaxValue, int.MaxValue).Infer());
        }

        Assert.ThrowsAny<OpRuleException>(() => Case(new ResizeBilinear(true, true), [1, 2, 2, 1], 5, 5).Infer());
        Assert.ThrowsAny<OpRuleException>(() => new OpCase(new ResizeBilinear()).Input<int>(DType.I32, [1, 2, 2, 1]).Constant(DType.I32, [2], 1, 1).Infer());
    }

    [Theory]
    [InlineData(DType.F32, false, false, 1, 1)]
    [InlineData(DType.I8, false, false, 2, 2)]
    [InlineData(DType.I8, true, false, 2, 3)]
    [InlineData(DType.I8, false, true, 3, 3)]
    [InlineData(DType.I16, false, true, 4, 4)]
    public void Has_the_version_of_the_table(DType type, bool align, bool half, int bilinear, int nearest)
    {
        TensorType x = new(type, [1, 1, 1, 1]);
        Assert.Equal(bilinear, new OpCase(new ResizeBilinear(align, half)).Input<byte>(x).Version());
        Assert.Equal(nearest, new OpCase(new ResizeNearestNeighbor(align, half)).Input<byte>(x).Version());
        Assert.Equal(new ResizeBilinear(align, half), OpCase.Reparse(new ResizeBilinear(align, half)));
        Assert.Equal(new ResizeNearestNeighbor(align, half), OpCase.Reparse(new ResizeNearestNeighbor(align, half)));
    }

    private static (int Lower, int Upper, long Fraction) Taps(int to, int input, int output, bool align, bool half)
    {
        int scale = align && output > 1 ? ((1024 * (input - 1)) + ((output - 1) / 2)) / (output - 1) : ((1024 * input) + (output / 2)) / output;
        int place = (to * scale) + (half ? (scale / 2) - 512 : 0);
        int lower = Math.Max(place / 1024, 0);
        return (lower, Math.Min((place + 1023) / 1024, input - 1), place - (1024 * lower));
    }

    private static long Rounded(long sum) => (sum > 0 ? sum + (1 << 19) : sum - (1 << 19)) / (1 << 20);
}
