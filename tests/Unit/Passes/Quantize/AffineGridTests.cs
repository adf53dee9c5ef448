using Optc.Ir;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class AffineGridTests
{
    [Theory]
    [InlineData(0, 2.55, 0.01f, -128)]
    [InlineData(-1.28, 1.27, 0.01f, 0)]
    [InlineData(-2.55, 0, 0.01f, 127)]
    [InlineData(1, 2.55, 0.01f, -128)]
    [InlineData(-2.55, -1, 0.01f, 127)]
    [InlineData(0, 0, 1f, 0)]
    public void Eight_bits_cover_the_range_and_zero(double low, double high, float scale, int zeroPoint) =>
        Assert.Equal(new QuantParams(scale, zeroPoint), AffineGrid.Covering(DType.I8, new(low, high)));

    [Theory]
    [InlineData(-0.5, 1, 1f / 32767)]
    [InlineData(-2, 1, 2f / 32767)]
    [InlineData(0, 0, 1f)]
    public void Sixteen_bits_are_symmetric(double low, double high, float scale) =>
        Assert.Equal(new QuantParams(scale, 0), AffineGrid.Covering(DType.I16, new(low, high)));

    [Fact]
    public void A_range_without_values_gets_a_scale_of_one() =>
        Assert.Equal(new QuantParams(1, 0), AffineGrid.Covering(DType.I8, ValueRange.Empty));

    [Theory]
    [InlineData(1e-44)]
    [InlineData(double.Epsilon)]
    public void A_scale_is_never_so_small_that_products_vanish(double high)
    {
        float scale = AffineGrid.Covering(DType.I8, new(0, high)).Scale;

        Assert.Equal(AffineGrid.SmallestScale, scale);
        Assert.True(float.IsNormal(scale * scale));
    }

    [Fact]
    public void The_largest_range_of_float_has_a_finite_scale() =>
        Assert.True(float.IsFinite(AffineGrid.Covering(DType.I8, new(float.MinValue, float.MaxValue)).Scale));

    [Fact]
    public void Zero_is_on_every_grid_and_the_ends_are_at_most_half_a_step_off()
    {
        const int Seed = 20;
        Random random = new(Seed);
        for (int i = 0; i < 2000; i++)
        {
            double size = Math.Pow(10, (random.NextDouble() * 12) - 6);
            ValueRange range = new(-random.NextDouble() * size, random.NextDouble() * size);
            QuantParams grid = AffineGrid.Covering(DType.I8, range);
            ValueRange covered = AffineGrid.RangeOf(DType.I8, grid);
            string which = $"seed {Seed}, case {i}: {range} gives {grid}";

            Assert.True(grid.ZeroPoint is >= -128 and <= 127, which);
            Assert.True(Math.Abs(covered.Low - range.Low) <= grid.Scale * 0.5001, which);
            Assert.True(Math.Abs(covered.High - range.High) <= grid.Scale * 0.5001, which);
        }
    }

    [Fact]
    public void Constants_are_rounded_halves_away_from_zero_and_cut_off_at_the_ends()
    {
        TensorData data = TensorData.FromFloats([6], [0.25f, -0.25f, 0.5f, 100, -100, 0]);

        Assert.Equal([2, 0, 2, 127, -128, 1], AffineGrid.Quantize(data, DType.I8, new(0.5f, 1)).Span<sbyte>().ToArray());
        Assert.Equal([1, -1, 1, 200, -200, 0], AffineGrid.Quantize(data, DType.I16, new(0.5f, 0)).Span<short>().ToArray());
    }
}
