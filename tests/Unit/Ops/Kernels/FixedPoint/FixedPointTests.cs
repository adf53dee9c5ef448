using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class FixedPointTests
{
    [Theory]
    [InlineData(0.5, 1 << 30, 0)]
    [InlineData(1.0, 1 << 30, 1)]
    [InlineData(0.75, 3 << 29, 0)]
    [InlineData(0.0, 0, 0)]
    [InlineData(1e-12, 0, 0)]
    [InlineData(1.1641532182693481e-10, 0, 0)]
    [InlineData(2.3283064365386963e-10, 1 << 30, -31)]
    [InlineData(0.99999999999, 1 << 30, 1)]
    [InlineData(1e300, 1603334688, 997)]
    public void Normalizes_the_mantissa(double factor, int mantissa, int exponent) =>
        Assert.Equal(new FixedPoint(mantissa, exponent), FixedPoint.FromReal(factor));

    [Fact]
    public void Rounds_a_real_factor_like_its_exact_fraction()
    {
        const int Seed = 20251;
        Random random = new(Seed);
        for (int i = 0; i < 3000; i++)
        {
            double factor = Math.ScaleB(random.NextDouble(), random.Next(-40, 20));
            FixedPoint actual = FixedPoint.FromReal(factor);
            Assert.True(
                ExactArithmetic.Normalize(factor) == actual, $"seed {Seed}, case {i}: {factor:R} gives {actual}");
        }
    }

    [Fact]
    public void Keeps_the_sign_of_a_signed_factor()
    {
        Assert.Equal(new FixedPoint(-(3 << 29), -1), FixedPoint.FromSignedReal(-0.375));
        Assert.Equal(new FixedPoint(-(1 << 30), 1), FixedPoint.FromSignedReal(-0.99999999999));
        Assert.Equal(FixedPoint.FromReal(0.3), FixedPoint.FromSignedReal(0.3));
        Assert.Equal(FixedPoint.FromReal(0.3), FixedPoint.FromSignedReal(-0.3).Abs());
        Assert.Equal(new FixedPoint(1 << 30, 4), new FixedPoint(int.MinValue, 3).Abs());
    }

    [Fact]
    public void Prints_as_a_formula() => Assert.Equal("1610612736 * 2^-32", FixedPoint.FromReal(0.375).ToString());

    [Theory]
    [InlineData(-1e-9)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Rejects_what_is_no_ratio_of_scales(double factor)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FixedPoint.FromReal(factor));
        Assert.False(FixedPoint.TryFromReal(factor, out FixedPoint result));
        Assert.Equal(default, result);
        if (!double.IsFinite(factor))
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => FixedPoint.FromSignedReal(factor));
        }
    }

    [Theory]
    [InlineData(0.9999, true)]
    [InlineData(1.0, false)]
    [InlineData(0.0, false)]
    public void Knows_factors_smaller_than_one(double factor, bool expected) =>
        Assert.Equal(expected, FixedPoint.FromReal(factor).IsSmallerThanOne);

    [Theory]
    [InlineData(0.5, 1, 1)]
    [InlineData(0.5, -1, 0)]
    [InlineData(0.25, -6, -2)]
    [InlineData(0.25, 5, 2)] // 2.5 in the high product becomes 3, and 1.5 in the shift becomes 2; the real product is 1.25
    [InlineData(0.25, -5, -1)]
    public void Rounds_twice_like_the_reference(double factor, int value, int expected) =>
        Assert.Equal(expected, FixedPoint.FromReal(factor).Scale(value));

    [Fact]
    public void Wraps_what_is_shifted_out_on_the_left()
    {
        FixedPoint eight = FixedPoint.FromReal(8);
        Assert.Equal(8 * 5, eight.Scale(5));
        Assert.Equal(ExactArithmetic.Scale(eight, int.MaxValue), eight.Scale(int.MaxValue));
        Assert.Equal(0, FixedPoint.FromReal(1e30).Scale(12345));
    }

    [Fact]
    public void Scales_32_bits_like_the_definition_over_unbounded_integers()
    {
        const int Seed = 31;
        KernelSamples samples = new(Seed);
        for (int exponent = -31; exponent <= 40; exponent++)
        {
            foreach (int value in KernelSamples.BoundaryIntegers())
            {
                FixedPoint factor = new(samples.Mantissa(), exponent);
                Assert.True(
                    ExactArithmetic.Scale(factor, value) == factor.Scale(value), $"seed {Seed}: {factor} times {value}");
            }
        }

        for (int i = 0; i < 20_000; i++)
        {
            FixedPoint factor = samples.Factor(-40, 10);
            int value = samples.Integer();
            Assert.True(
                ExactArithmetic.Scale(factor, value) == factor.Scale(value),
                $"seed {Seed}, case {i}: {factor} times {value}");
        }
    }

    [Fact]
    public void Scales_64_bits_like_the_definition_over_unbounded_integers()
    {
        const int Seed = 64;
        KernelSamples samples = new(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            FixedPoint factor = samples.Factor(-31, 16);
            if (samples.Next(0, 8) == 0)
            {
                factor = factor with { Mantissa = -factor.Mantissa };
            }

            long value = samples.Accumulator();
            Assert.True(
                ExactArithmetic.ScaleLong(factor, value) == factor.ScaleLong(value),
                $"seed {Seed}, case {i}: {factor} times {value}");
        }
    }

    [Theory]
    [InlineData(1 << 30, 16384)]
    [InlineData((1 << 30) + (1 << 15), 16385)]
    [InlineData(0x7FFE_FFFF, 32767)]
    [InlineData(0x7FFF_0000, 32767)]
    [InlineData(int.MaxValue, 32767)]
    public void Reduces_the_mantissa_to_15_bits(int mantissa, int expected) =>
        Assert.Equal(expected, new FixedPoint(mantissa, 0).Mantissa16);

    [Fact]
    public void Forms_the_high_product_like_the_definition()
    {
        int[] values = [.. KernelSamples.BoundaryIntegers()];
        foreach (int a in values)
        {
            foreach (int b in values)
            {
                Assert.Equal(ExactArithmetic.HighProduct(a, b), FixedPoint.RoundingHighProduct(a, b));
            }
        }

        Assert.Equal(int.MaxValue, FixedPoint.RoundingHighProduct(int.MinValue, int.MinValue));
    }

    /// <summary>The words of the reference: a nudge by sign and a truncating division.</summary>
    [Fact]
    public void Forms_the_high_product_like_the_nudged_truncating_division()
    {
        const int Seed = 7;
        KernelSamples samples = new(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            int a = samples.Integer();
            int b = samples.Integer();
            Int128 product = (Int128)a * b;
            Int128 nudge = product >= 0 ? 1L << 30 : 1 - (1L << 30);
            Int128 expected = (product + nudge) / (1L << 31);
            Assert.True(
                (int)Int128.Min(expected, int.MaxValue) == FixedPoint.RoundingHighProduct(a, b),
                $"seed {Seed}, case {i}: {a} times {b}");
        }
    }

    [Theory]
    [InlineData(-32768, -32768, 32767)]
    [InlineData(-32768, 32767, -32767)]
    [InlineData(16384, 1, 1)]
    [InlineData(-16384, 1, 0)]
    [InlineData(-16385, 1, -1)]
    public void Forms_the_high_product_of_16_bits(short a, short b, short expected) =>
        Assert.Equal(expected, FixedPoint.RoundingHighProduct16(a, b));

    [Fact]
    public void Shifts_right_with_halves_away_from_zero()
    {
        foreach (int value in KernelSamples.BoundaryIntegers())
        {
            for (int bits = 0; bits <= 70; bits++)
            {
                int expected = ExactArithmetic.ShiftRight(value, bits);
                Assert.True(
                    expected == FixedPoint.RoundingShiftRight(value, bits), $"{value} shifted right by {bits}");
                Assert.Equal(expected, FixedPoint.ShiftRounding(value, -bits));
            }
        }
    }

    [Fact]
    public void Shifts_left_saturating_or_wrapping()
    {
        foreach (int value in KernelSamples.BoundaryIntegers())
        {
            for (int bits = 0; bits <= 70; bits++)
            {
                System.Numerics.BigInteger exact = value * ExactArithmetic.Power(bits);
                Assert.Equal(ExactArithmetic.Saturate(exact), FixedPoint.ShiftLeftSaturating(value, bits));
                Assert.Equal(ExactArithmetic.Saturate(exact), FixedPoint.ShiftRounding(value, bits));
                Assert.Equal(ExactArithmetic.Wrap(exact), FixedPoint.ShiftLeftWrapping(value, bits));
            }
        }
    }

    [Theory]
    [InlineData(-129, -128, -129)]
    [InlineData(128, 127, 128)]
    [InlineData(int.MinValue, -128, -32768)]
    [InlineData(int.MaxValue, 127, 32767)]
    [InlineData(-5, -5, -5)]
    public void Saturates_to_narrow_types(int value, sbyte narrow, short middle)
    {
        Assert.Equal(narrow, FixedPoint.SaturateToInt8(value));
        Assert.Equal(middle, FixedPoint.SaturateToInt16(value));
    }
}
