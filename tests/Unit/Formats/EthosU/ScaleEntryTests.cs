using Optc.Formats;
using Optc.Formats.EthosU;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

public sealed class ScaleEntryTests
{
    [Fact]
    public void Multiplies_like_the_integer_kernels()
    {
        Random random = new(3);
        for (int i = 0; i < 20_000; i++)
        {
            double factor = Math.ScaleB(1 + random.NextDouble(), random.Next(-31, 20));
            FixedPoint kernel = FixedPoint.FromReal(factor);

            ScaleEntry entry = ScaleEntry.Of(0, factor);

            Assert.Equal(Math.ScaleB(kernel.Mantissa, kernel.Exponent - 31), Math.ScaleB(entry.Scale, -entry.Shift));
        }
    }

    [Fact]
    public void The_multiplier_of_16_bits_is_that_of_the_integer_kernels()
    {
        Random random = new(4);
        for (int i = 0; i < 20_000; i++)
        {
            double factor = Math.ScaleB(1 + random.NextDouble(), random.Next(-31, 0));
            FixedPoint kernel = FixedPoint.FromReal(factor);

            ScaleEntry entry = ScaleEntry.Of(0, factor).Reduced()!.Value;

            Assert.Equal(Math.ScaleB(kernel.Mantissa16, kernel.Exponent - 15), Math.ScaleB(entry.Scale, -entry.Shift));
        }
    }

    [Theory]
    [InlineData(1.0, 1u << 30, 30)]
    [InlineData(0.5, 1u << 30, 31)]
    [InlineData(0.99999999999999, 1u << 31, 31)]
    [InlineData(0.0, 0u, 31)]
    [InlineData(1e-15, 0u, 16)]
    [InlineData(1e12, 0u, 16)]
    public void Has_31_bits_of_the_multiplier(double multiplier, uint scale, int shift) =>
        Assert.Equal(new(7, scale, shift), ScaleEntry.Of(7, multiplier));

    [Fact]
    public void Stores_everything_it_holds()
    {
        Random random = new(5);
        byte[] bytes = new byte[ScaleEntry.Length];
        for (int i = 0; i < 5_000; i++)
        {
            long bias = i switch { 0 => ScaleEntry.LargestBias, 1 => -ScaleEntry.LargestBias - 1, _ => random.NextInt64(-ScaleEntry.LargestBias - 1, ScaleEntry.LargestBias) };
            ScaleEntry entry = new(bias, i == 2 ? 1u << 31 : (uint)random.NextInt64(1L << 31), random.Next(64));

            entry.Write(bytes);

            Assert.Equal(entry, ScaleEntry.Read(bytes, 0));
        }
    }

    [Fact]
    public void Stores_little_endian()
    {
        byte[] bytes = new byte[ScaleEntry.Length];

        new ScaleEntry(-2, 0x4030_2010, 33).Write(bytes);

        Assert.Equal("FEFFFFFFFF1020304021", Convert.ToHexString(bytes));
    }

    [Fact]
    public void Refuses_what_the_hardware_cannot_hold()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ScaleEntry.Of(1L << 39, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => ScaleEntry.Of(0, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => ScaleEntry.Of(0, -1));
        Assert.Null(ScaleEntry.Of(0, 100_000).Reduced());
        Assert.Throws<MalformedDataException>(() => ScaleEntry.Read(Convert.FromHexString("00000000000000004040"), 0));
        Assert.Throws<MalformedDataException>(() => ScaleEntry.Read(Convert.FromHexString("00000000000000008180"), 0));
    }
}
