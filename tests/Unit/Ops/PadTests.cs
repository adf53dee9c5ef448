using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class PadTests
{
    private static readonly QuantParams Quant = new(0.5f, -3);

    [Fact]
    public void Surrounds_floats_with_zeros() => Assert.Equal(
        [0f, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0],
        new OpCase(new Pad()).Input<float>(DType.F32, [2, 2], 1, 2, 3, 4).Constant(DType.I32, [2, 2], 1, 0, 1, 1).Run<float>());

    [Fact]
    public void Surrounds_integers_with_their_zero_point() => Assert.Equal(
        new sbyte[] { -3, 7, -3, -3 },
        new OpCase(new Pad())
            .Input<sbyte>(new TensorType(DType.I8, [1], Quant), 7)
            .Constant(DType.I64, [1, 2], 1L, 2L)
            .OutputQuant(0.5f, -3)
            .Run<sbyte>());

    [Fact]
    public void Any_border_is_filled_and_the_content_is_in_its_middle()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 6), least: 0, most: 4);
            int[] widths = [.. Enumerable.Range(0, 2 * x.Rank).Select(_ => Math.Max(0, random.Next(-2, 3)))];
            byte[] source = MovedElements.Numbered(type, x);
            byte[] value = MovedElements.Numbered(type, Shape.Scalar, from: 99);
            Shape y = [.. x.Select((d, i) => d + widths[2 * i] + widths[(2 * i) + 1])];
            byte[] expected = MovedElements.Expected(
                source,
                value.Length,
                x,
                y,
                to =>
                {
                    int[] from = [.. to.Select((t, i) => t - widths[2 * i])];
                    return from.Zip(x).All(p => p.First >= 0 && p.First < p.Second) ? from : null;
                },
                value);

            byte[] actual = new OpCase(new PadV2())
                .Input<byte>(new TensorType(type, x), source)
                .Constant<int>(DType.I32, [x.Rank, 2], widths)
                .Input<byte>(new TensorType(type, Shape.Scalar), value)
                .Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {type}{x} with {string.Join(",", widths)}");
        }
    }

    [Theory]
    [InlineData(MirrorPadMode.Reflect, new[] { 3, 2, 1, 2, 3, 2 })]
    [InlineData(MirrorPadMode.Symmetric, new[] { 2, 1, 1, 2, 3, 3 })]
    public void Mirrors_with_and_without_the_outermost_element(MirrorPadMode mode, int[] expected) => Assert.Equal(
        expected, new OpCase(new MirrorPad(mode)).Input(DType.I32, [3], 1, 2, 3).Constant(DType.I32, [1, 2], 2, 1).Run<int>());

    [Fact]
    public void Any_mirrored_border_shows_the_content_backwards()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            MirrorPadMode mode = seed % 2 == 0 ? MirrorPadMode.Reflect : MirrorPadMode.Symmetric;
            int skip = mode is MirrorPadMode.Reflect ? 1 : 0;
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(1, 5));
            int[] widths = [.. Enumerable.Range(0, 2 * x.Rank).Select(i => random.Next(0, x[i / 2] - skip + 1))];
            byte[] source = MovedElements.Numbered(type, x);
            Shape y = [.. x.Select((d, i) => d + widths[2 * i] + widths[(2 * i) + 1])];
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to => [.. to.Select((t, i) =>
            {
                int from = t - widths[2 * i];
                return from < 0 ? -from - 1 + skip : from >= x[i] ? (2 * x[i]) - from - 1 - skip : from;
            })]);

            byte[] actual = new OpCase(new MirrorPad(mode))
                .Input<byte>(new TensorType(type, x), source)
                .Constant<int>(DType.I32, [x.Rank, 2], widths)
                .Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {mode} {type}{x} with {string.Join(",", widths)}");
        }
    }

    [Fact]
    public void Refuses_borders_that_cannot_be()
    {
        Assert.ThrowsAny<OpRuleException>(() => Borders(-1, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(() => Borders(int.MaxValue, int.MaxValue).Infer());
        Assert.ThrowsAny<OpRuleException>(
            () => new OpCase(new Pad()).Input<float>(DType.F32, [2, 2]).Constant(DType.I32, [1, 2], 0, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(
            () => new OpCase(new Pad()).Input<float>(DType.F32, [2]).Constant(DType.F32, [1, 2], 0f, 0f).Infer());
        Assert.ThrowsAny<OpRuleException>(
            () => new OpCase(new MirrorPad(MirrorPadMode.Reflect)).Input<float>(DType.F32, [2]).Constant(DType.I32, [1, 2], 2, 0).Infer());
        Assert.ThrowsAny<OpRuleException>(
            () => new OpCase(new PadV2()).Input<float>(DType.F32, [1]).Constant(DType.I32, [1, 2], 0, 0).Input<int>(DType.I32, Shape.Scalar).Infer());
    }

    [Fact]
    public void Refuses_another_quantization_of_the_result() => Assert.Throws<DiagnosticException>(
        () => new OpCase(new Pad())
            .Input<sbyte>(new TensorType(DType.I8, [1], Quant), 7)
            .Constant(DType.I32, [1, 2], 1, 2)
            .OutputQuant(0.5f, -4)
            .Prepare());

    [Fact]
    public void Unknown_dimensions_stay_unknown()
    {
        Assert.Equal(
            Shape.Of([-1, 5]),
            new OpCase(new Pad()).Input<float>(DType.F32, [-1, 2]).Constant(DType.I32, [2, 2], 0, 0, 1, 2).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([-1, -1]),
            new OpCase(new Pad()).Input<float>(DType.F32, [1, 2]).Input<int>(DType.I32, [2, 2]).Infer()[0].Shape);
        Assert.False(new OpCase(new Pad()).Input<float>(DType.F32, Shape.Unranked).Input<int>(DType.I32, [2, 2]).Infer()[0].Shape.HasRank);
    }

    [Theory]
    [InlineData(DType.F32, 4, 1, 1)]
    [InlineData(DType.I8, 4, 2, 2)]
    [InlineData(DType.I16, 4, 3, 3)]
    [InlineData(DType.I8, 5, 4, 2)]
    [InlineData(DType.Bool, 5, 5, 1)]
    public void Has_the_version_of_the_table(DType type, int rank, int version, int mirrored)
    {
        Assert.Equal(version, new OpCase(new Pad()).Input<byte>(new TensorType(type, [.. new int[rank]])).Version());
        Assert.Equal(version, new OpCase(new PadV2()).Input<byte>(new TensorType(type, [.. new int[rank]])).Version());
        Assert.Equal(mirrored, new OpCase(new MirrorPad(MirrorPadMode.Reflect)).Input<byte>(new TensorType(type, [.. new int[rank]])).Version());
    }

    [Theory]
    [InlineData(MirrorPadMode.Reflect)]
    [InlineData(MirrorPadMode.Symmetric)]
    public void The_mode_survives_as_text(MirrorPadMode mode) => Assert.Equal(new MirrorPad(mode), OpCase.Reparse(new MirrorPad(mode)));

    private static OpCase Borders(int before, int after) =>
        new OpCase(new Pad()).Input<float>(DType.F32, [2]).Constant(DType.I32, [1, 2], before, after);
}
