using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class RequantizerTests
{
    private const int Seed = 4711;

    private static readonly float[] WeightScales = [0.011f, 0.25f, 3.1f, 0.0007f, 1f, 0.02f, 0.9f, 12f, 0.4f, 0.03f, 5e-9f];

    [Fact]
    public void Derives_the_factor_of_a_convolution_in_double()
    {
        Requantizer requantizer = Requantizer.ForConvolution(
            RoundingProfile.Tflm, 0.1f, WeightScales, 0.3f, -4, ActivationRange.Int8);

        Assert.Equal(
            WeightScales.Select(scale => ExactArithmetic.Normalize((double)0.1f * scale / 0.3f)),
            requantizer.Factors.ToArray());
    }

    /// <summary>The product is rounded to float32 first; the scales are chosen so that it shows.</summary>
    [Fact]
    public void Derives_the_factor_of_a_dense_layer_from_a_product_in_float()
    {
        Requantizer dense = Requantizer.ForFullyConnected(
            RoundingProfile.Tflm, 0.1f, [0.7f], 0.3f, 0, ActivationRange.Int8);
        Requantizer convolution = Requantizer.ForConvolution(
            RoundingProfile.Tflm, 0.1f, [0.7f], 0.3f, 0, ActivationRange.Int8);

        Assert.Equal(ExactArithmetic.Normalize((float)(0.1f * 0.7f) / (double)0.3f), dense.Factors[0]);
        Assert.NotEqual(convolution.Factors[0], dense.Factors[0]);
    }

    [Fact]
    public void Derives_the_factors_of_a_dense_layer_with_many_scales_like_a_convolution() =>
        Assert.Equal(
            Requantizer.ForConvolution(RoundingProfile.Tflm, 0.1f, WeightScales, 0.3f, 0, ActivationRange.Int8)
                .Factors.ToArray(),
            Requantizer.ForFullyConnected(RoundingProfile.Tflm, 0.1f, WeightScales, 0.3f, 0, ActivationRange.Int8)
                .Factors.ToArray());

    [Fact]
    public void Scales_adds_the_zero_point_and_limits()
    {
        Requantizer requantizer = new([FixedPoint.FromReal(0.5)], 10, new(10, 100));

        Assert.Equal(10 + 21, requantizer.Requantize(42, 0));
        Assert.Equal(10, requantizer.Requantize(-42, 0));
        Assert.Equal(100, requantizer.Requantize(1000, 0));
    }

    [Theory]
    [InlineData(RoundingProfile.Tflm)]
    [InlineData(RoundingProfile.Xnnpack)]
    public void Agrees_on_vectors_and_on_single_values(RoundingProfile profile)
    {
        KernelSamples samples = new(Seed);
        int[] boundaries = [.. KernelSamples.BoundaryIntegers()];
        foreach (int channels in (int[])[1, 2, 7, 8, 9, 15, 16, 17, 31, 64])
        {
            float[] scales = [.. Enumerable.Range(0, channels).Select(_ => samples.Scale())];
            Requantizer requantizer = Requantizer.ForConvolution(
                profile, samples.Scale(), scales, samples.Scale(), samples.Next(-128, 128), new(-120, 101));
            for (int round = 0; round < 40; round++)
            {
                int[] acc = [.. Enumerable.Range(0, channels).Select(
                    _ => samples.Next(0, 2) == 0 ? samples.Integer() : boundaries[samples.Next(0, boundaries.Length)])];
                AssertSpansAgree(requantizer, acc, $"seed {Seed}, {channels} channels, round {round}");
            }
        }
    }

    [Fact]
    public void Agrees_on_vectors_for_every_exponent()
    {
        KernelSamples samples = new(Seed);
        for (int exponent = -34; exponent <= 40; exponent++)
        {
            FixedPoint[] factors = [.. Enumerable.Range(0, 11).Select(c => new FixedPoint(samples.Mantissa(), exponent))];
            factors[3] = default;
            Requantizer requantizer = new(factors, 3, ActivationRange.Int8);
            Requantizer wide = new(factors, -17, ActivationRange.Int16);
            foreach (int value in KernelSamples.BoundaryIntegers())
            {
                int[] acc = [.. Enumerable.Range(0, 11).Select(c => c % 2 == 0 ? value : value ^ samples.Integer())];
                AssertSpansAgree(requantizer, acc, $"seed {Seed}, exponent {exponent}, value {value}");
                AssertSpansAgree(wide, acc, $"seed {Seed}, exponent {exponent}, value {value}");
                for (int c = 0; c < acc.Length; c++)
                {
                    int exact = ExactArithmetic.Scale(factors[c], acc[c]);
                    int expected = Math.Clamp(ExactArithmetic.Wrap((System.Numerics.BigInteger)exact + 3), -128, 127);
                    Assert.True(expected == requantizer.Requantize(acc[c], c), $"{factors[c]} times {acc[c]}");
                }
            }
        }
    }

    [Fact]
    public void Agrees_on_vectors_of_64_bit_accumulators()
    {
        KernelSamples samples = new(Seed);
        foreach ((int low, int high) in ((int, int)[])[(-31, 7), (-3, 14), (10, 20), (-50, -40)])
        {
            FixedPoint[] factors = [.. Enumerable.Range(0, 21).Select(_ => samples.Factor(low, high))];
            Requantizer requantizer = new(factors, -5, ActivationRange.Int16);
            for (int round = 0; round < 200; round++)
            {
                long[] acc = [.. Enumerable.Range(0, 13).Select(_ => samples.Accumulator())];
                acc[0] = round % 2 == 0 ? (1L << 47) - 1 : -(1L << 47) + 1;
                int first = samples.Next(0, 9);
                short[] y = new short[13];
                requantizer.Apply(acc, y, first);
                for (int i = 0; i < acc.Length; i++)
                {
                    int exact = ExactArithmetic.ScaleLong(factors[first + i], acc[i]);
                    int expected = Math.Clamp(
                        ExactArithmetic.Wrap((System.Numerics.BigInteger)exact - 5), short.MinValue, short.MaxValue);
                    Assert.True(
                        expected == y[i] && expected == requantizer.RequantizeLong(acc[i], first + i),
                        $"seed {Seed}, round {round}, {factors[first + i]} times {acc[i]}: {expected}, not {y[i]}");
                }
            }
        }
    }

    /// <summary>The product of two float32 numbers is exact in double, so one conversion gives its float32 rounding.</summary>
    [Fact]
    public void Rounds_once_in_float_like_its_definition()
    {
        KernelSamples samples = new(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            (float input, float weight, float output) = (samples.Scale(), samples.Scale(), samples.Scale());
            int zeroPoint = samples.Next(-128, 128);
            int acc = samples.Next(0, 4) == 0 ? samples.Integer() : samples.Next(-3000, 3000);
            float factor = (float)((double)(float)((double)input * weight) / output);
            float scaled = (float)((double)(float)acc * factor);
            double expected = Math.Clamp(Math.Round((double)scaled, MidpointRounding.ToEven) + zeroPoint, -128, 127);

            Requantizer requantizer = Requantizer.ForConvolution(
                RoundingProfile.Xnnpack, input, [weight], output, zeroPoint, ActivationRange.Int8);

            Assert.True(
                (int)expected == requantizer.Requantize(acc, 0),
                $"seed {Seed}, case {i}: {acc} times {factor:R} plus {zeroPoint} is not {expected}");
        }
    }

    [Theory]
    [InlineData(0.5f, 1, 0)]
    [InlineData(0.5f, 3, 2)]
    [InlineData(0.5f, -1, 0)]
    [InlineData(0.5f, -5, -2)]
    [InlineData(1f, int.MaxValue, 127)]
    [InlineData(1f, int.MinValue, -128)]
    public void Sends_halves_to_even_in_float(float factor, int accumulator, int expected) =>
        Assert.Equal(expected, new FloatRequantizer(factor).Requantize(accumulator, 0, ActivationRange.Int8));

    [Fact]
    public void Rounds_16_bit_outputs_alike_in_both_profiles()
    {
        int[] acc = [.. Enumerable.Range(0, WeightScales.Length).Select(c => (c * 977) - 4000)];
        short[] tflm = new short[acc.Length];
        short[] xnnpack = new short[acc.Length];
        Of(RoundingProfile.Tflm).Apply(acc, tflm);
        Of(RoundingProfile.Xnnpack).Apply(acc, xnnpack);

        Assert.Equal(tflm, xnnpack);

        static Requantizer Of(RoundingProfile profile) =>
            Requantizer.ForConvolution(profile, 0.1f, WeightScales, 0.3f, 0, ActivationRange.Int16);
    }

    [Fact]
    public void Serves_any_number_of_channels_with_one_factor()
    {
        Requantizer requantizer = new([FixedPoint.FromReal(0.25)], -1, ActivationRange.Int8);
        int[] acc = [.. Enumerable.Range(-50, 101)];
        AssertSpansAgree(requantizer, acc, "one factor");
        Assert.True(requantizer.IsUniform);
        Assert.Equal(1, requantizer.Factors.Length);
    }

    [Fact]
    public void Does_not_write_beyond_the_accumulators()
    {
        Requantizer requantizer = new([FixedPoint.FromReal(0.25)], 0, ActivationRange.Int8);
        sbyte[] y = new sbyte[32];
        y.AsSpan().Fill(77);
        requantizer.Apply(new int[13], y);

        Assert.All(y[..13], value => Assert.Equal(0, value));
        Assert.All(y[13..], value => Assert.Equal(77, value));
    }

    [Fact]
    public void Refuses_spans_that_do_not_fit()
    {
        Requantizer requantizer = new(new FixedPoint[9], 0, ActivationRange.Int8);
        Assert.Throws<ArgumentException>(() => requantizer.Apply(new int[9], new sbyte[8]));
        Assert.Throws<ArgumentException>(() => requantizer.Apply(new int[9], new sbyte[9], 1));
        Assert.Throws<ArgumentException>(() => requantizer.Apply(new int[10], new sbyte[10]));
        Assert.Throws<ArgumentException>(() => requantizer.Apply(new int[1], new sbyte[1], -1));
        requantizer.Apply(new int[1], new sbyte[1], 8);
    }

    [Fact]
    public void Refuses_factors_that_are_none()
    {
        Assert.Throws<ArgumentException>(() => new Requantizer([], 0, ActivationRange.Int8));
        Assert.Throws<ArgumentException>(() => new Requantizer([new FixedPoint(-1, 0)], 0, ActivationRange.Int8));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Requantizer.ForConvolution(RoundingProfile.Tflm, 1, [1f], 0, 0, ActivationRange.Int8));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Requantizer.ForConvolution(RoundingProfile.Xnnpack, 1e30f, [1f], 1e-30f, 0, ActivationRange.Int8));
    }

    private static void AssertSpansAgree(Requantizer requantizer, int[] acc, string place)
    {
        sbyte[] bytes = new sbyte[acc.Length];
        short[] words = new short[acc.Length];
        requantizer.Apply(acc, bytes);
        requantizer.Apply(acc, words);
        for (int c = 0; c < acc.Length; c++)
        {
            int expected = FixedPoint.SaturateToInt8(requantizer.Requantize(acc[c], c));
            Assert.True(expected == bytes[c], $"{place}, channel {c}, {acc[c]}: {expected}, not {bytes[c]}");
            int wide = requantizer.Requantize16(acc[c], c);
            Assert.True(wide == words[c], $"{place}, channel {c}, {acc[c]}: {wide}, not {words[c]}");
        }
    }
}
