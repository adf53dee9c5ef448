using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class XnnpackSumTests
{
    [Fact]
    public void Scales_the_larger_ratio_to_21_bits()
    {
        Assert.True(XnnpackSum.TryCreate(0.5f, 0.25f, 1f, subtract: false, out XnnpackSum sum));
        Assert.Equal(new XnnpackSum(1 << 20, 1 << 19, 21), sum);
        Assert.True(XnnpackSum.TryCreate(0.5f, 0.25f, 1f, subtract: true, out XnnpackSum difference));
        Assert.Equal(new XnnpackSum(1 << 20, -(1 << 19), 21), difference);
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(-1, 0, 0)]
    [InlineData(-3, 0, -1)]
    [InlineData(2, 2, 2)]
    public void Sends_halves_up(int first, int second, int expected)
    {
        Assert.True(XnnpackSum.TryCreate(0.5f, 0.5f, 1f, subtract: false, out XnnpackSum sum));
        Assert.Equal(expected, sum.Combine(first, second));
    }

    [Fact]
    public void Stays_within_half_a_step_and_the_error_of_its_factors()
    {
        const int Seed = 99;
        Random random = new(Seed);
        for (int i = 0; i < 5000; i++)
        {
            float first = 0.01f + random.NextSingle();
            float second = 0.01f + random.NextSingle();
            bool subtract = random.Next(2) == 0;
            Assert.True(XnnpackSum.TryCreate(first, second, 0.5f, subtract, out XnnpackSum sum));
            (int a, int b) = (random.Next(-255, 256), random.Next(-255, 256));
            double real = ((a * (double)first) + ((subtract ? -b : b) * (double)second)) / 0.5f;
            double bound = 0.5 + (510 * Math.ScaleB(0.5, -sum.Shift)) + 1e-4;
            Assert.True(Math.Abs(sum.Combine(a, b) - real) <= bound, $"seed {Seed}, case {i}: {real}");
        }
    }

    [Theory]
    [InlineData(1f, 0.0009f, 1f)]
    [InlineData(256f, 1f, 1f)]
    [InlineData(1f, float.NaN, 1f)]
    [InlineData(1f, 1f, 0f)]
    public void Declines_ratios_that_xnnpack_declines(float first, float second, float output) =>
        Assert.False(XnnpackSum.TryCreate(first, second, output, subtract: false, out _));

    [Fact]
    public void Accepts_the_ends_of_the_range_of_ratios()
    {
        Assert.True(XnnpackSum.TryCreate(1f / 1024, 1f / 1024, 1, subtract: false, out XnnpackSum smallest));
        Assert.Equal(30, smallest.Shift);
        Assert.True(XnnpackSum.TryCreate(255.9f, 1, 1, subtract: false, out XnnpackSum largest));
        Assert.Equal(13, largest.Shift);
    }
}
