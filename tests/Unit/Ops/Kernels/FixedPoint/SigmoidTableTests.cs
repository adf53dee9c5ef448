using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class SigmoidTableTests
{
    [Theory]
    [InlineData(0, 32768)]
    [InlineData(1, 33451)]
    [InlineData(2, 34133)]
    [InlineData(24, 47911)]
    [InlineData(100, 64536)]
    [InlineData(200, 65520)]
    [InlineData(254, 65534)]
    [InlineData(255, 65535)]
    public void Has_the_entries_of_the_reference(int index, int expected) =>
        Assert.Equal(expected, SigmoidTable.Values[index]);

    /// <summary>Two sums over the entries as the reference lists them; a single different entry changes both.</summary>
    [Fact]
    public void Has_all_entries_of_the_reference()
    {
        long sum = 0;
        long weighted = 0;
        for (int i = 0; i < 256; i++)
        {
            sum += SigmoidTable.Values[i];
            weighted += (i + 1L) * SigmoidTable.Values[i];
        }

        Assert.Equal(256, SigmoidTable.Values.Length);
        Assert.Equal((15670629, 2123733574), (sum, weighted));
    }

    [Fact]
    public void Rises_everywhere()
    {
        for (int i = 1; i < 256; i++)
        {
            Assert.True(SigmoidTable.Values[i] >= SigmoidTable.Values[i - 1], $"entry {i}");
        }
    }

    [Theory]
    [InlineData(0, 16384, 0)]
    [InlineData(32767, 32757, 32767)]
    [InlineData(-32768, 11, -32767)]
    public void Ends_where_the_reference_ends(short x, short logistic, short tanh)
    {
        Assert.Equal(logistic, SigmoidTable.Logistic(x, SigmoidInput.Gate));
        Assert.Equal(tanh, SigmoidTable.Tanh(x, SigmoidInput.Gate));
    }

    /// <summary>The whole input range: 3 and 6 units of 2^-15 from the real functions, monotone, symmetric.</summary>
    [Theory]
    [InlineData(3, 0)]
    [InlineData(24000, 14)]
    [InlineData(17000, 5)]
    public void Follows_the_real_functions(int multiplier, int shift)
    {
        SigmoidInput input = new(multiplier, shift);
        (short Logistic, short Tanh) previous = (short.MinValue, short.MinValue);
        for (int x = -32768; x <= 32767; x++)
        {
            double real = Math.ScaleB(x * (double)multiplier, -shift) / (3 * 4096);
            short logistic = SigmoidTable.Logistic((short)x, input);
            short tanh = SigmoidTable.Tanh((short)x, input);
            Assert.True(Math.Abs(logistic - (32768 / (1 + Math.Exp(-real)))) <= 3, $"logistic of {real} is {logistic}");
            Assert.True(Math.Abs(tanh - (32768 * Math.Tanh(real))) <= 6, $"tanh of {real} is {tanh}");
            Assert.True(logistic >= previous.Logistic && tanh >= previous.Tanh, $"falls at {x}");
            previous = (logistic, tanh);
        }
    }

    [Fact]
    public void Is_symmetric_to_the_last_bit()
    {
        for (int x = 1; x <= 32767; x++)
        {
            Assert.Equal(
                32768 - SigmoidTable.Logistic((short)x, SigmoidInput.Gate),
                SigmoidTable.Logistic((short)-x, SigmoidInput.Gate));
            short tanh = SigmoidTable.Tanh((short)x, SigmoidInput.Gate);
            Assert.Equal(-tanh, SigmoidTable.Tanh((short)-x, SigmoidInput.Gate));
        }
    }
}
