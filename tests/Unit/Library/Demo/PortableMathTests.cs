using System.Numerics;
using MathNet.Numerics.IntegralTransforms;
using Optc.Demo;
using Optc.Numerics;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class PortableMathTests
{
    [Fact]
    public void Functions_agree_with_those_of_the_machine()
    {
        SplitMix64 random = new(1);
        for (int i = 0; i < 10_000; i++)
        {
            double turns = random.Between(-300, 300);
            double whole = turns - Math.Round(turns);
            Assert.Equal(Math.Sin(2 * Math.PI * whole), PortableMath.Sine(turns), 1e-11);
            Assert.Equal(Math.Cos(2 * Math.PI * whole), PortableMath.Cosine(turns), 1e-11);
            double exponent = random.Between(-40, 40);
            Assert.Equal(1, PortableMath.Exp(exponent) / Math.Exp(exponent), 1e-12);
            Assert.Equal(exponent, PortableMath.Log(Math.Exp(exponent)), 1e-12);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6.020599913279624)]
    [InlineData(-80)]
    public void An_amplitude_is_that_of_its_level(double decibel) =>
        Assert.Equal(1, PortableMath.Amplitude(decibel) / Math.Pow(10, decibel / 20), 1e-12);

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(512)]
    public void The_transform_is_that_of_MathNet(int points)
    {
        SplitMix64 random = new(2);
        double[] real = [.. Enumerable.Range(0, points).Select(_ => random.NextNormal())];
        double[] imaginary = [.. Enumerable.Range(0, points).Select(_ => random.NextNormal())];
        Complex[] expected = [.. real.Zip(imaginary, (re, im) => new Complex(re, im))];
        Fourier.Forward(expected, FourierOptions.Matlab);

        new FourierTransform(points).Forward(real, imaginary);

        for (int k = 0; k < points; k++)
        {
            Assert.Equal(expected[k].Real, real[k], 1e-10);
            Assert.Equal(expected[k].Imaginary, imaginary[k], 1e-10);
        }
    }

    [Fact]
    public void Streams_are_uniform_and_differ_by_key()
    {
        SplitMix64 a = new(0);
        SplitMix64 b = new(1);
        double[] units = [.. Enumerable.Range(0, 100_000).Select(_ => a.NextUnit())];
        double[] normals = [.. Enumerable.Range(0, 100_000).Select(_ => b.NextNormal())];

        Assert.Equal(0.5, units.Average(), 0.005);
        Assert.All(Enumerable.Range(0, 10), tenth => Assert.InRange(units.Count(u => (int)(u * 10) == tenth), 9_600, 10_400));
        Assert.Equal(0, normals.Average(), 0.015);
        Assert.Equal(1, normals.Average(x => x * x), 0.02);
        Assert.NotEqual(new SplitMix64(0).NextUInt64(), new SplitMix64(1).NextUInt64());
    }
}
