using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class LookupTableTests
{
    private static readonly LookupTable513 SoftmaxExponential = new(
        v => (float)Math.Exp(v), 10f / 65535, short.MaxValue, 2f / 65535, 0);

    private static readonly LookupTable513 SoftmaxReciprocal = new(
        v => 1 / (1 + v), 1f / 65535, short.MinValue, 2f / 65535, 0);

    [Fact]
    public void Starts_and_ends_with_the_function()
    {
        Assert.Equal(LookupTable513.Length, SoftmaxExponential.Values.Length);
        Assert.Equal(32767, SoftmaxExponential.Values[512]);

        // 1.488 becomes 1; the interpolated middle is 1, the real one 1.502 becomes 2: half of that error is added.
        Assert.Equal(2, SoftmaxExponential.Values[0]);
        Assert.Equal(32767, SoftmaxReciprocal.Values[0]);
        Assert.Equal(16384, SoftmaxReciprocal.Values[512]);
    }

    /// <summary>Sums over the entries, as a second implementation of the rule makes them.</summary>
    [Fact]
    public void Has_the_entries_of_the_softmax_tables()
    {
        Assert.Equal((1694030, 783178612), Sums(SoftmaxExponential));
        Assert.Equal((11653643, 2651685971), Sums(SoftmaxReciprocal));

        static (long Plain, long Weighted) Sums(LookupTable513 table)
        {
            (long plain, long weighted) = (0, 0);
            for (int i = 0; i < LookupTable513.Length; i++)
            {
                plain += table.Values[i];
                weighted += (i + 1L) * table.Values[i];
            }

            return (plain, weighted);
        }
    }

    /// <summary>The steepest end of the exponential, between its last two nodes, is lowered most.</summary>
    [Fact]
    public void Interpolates_within_a_few_units()
    {
        for (int raw = short.MinValue; raw <= short.MaxValue; raw++)
        {
            double exponential = 32768 * Math.Exp((raw - 32767) * 10.0 / 65535);
            double reciprocal = 32768 / (1 + ((raw + 32768) / 65535.0));
            Assert.InRange(SoftmaxExponential.Lookup((short)raw) - exponential, -7, 2);
            Assert.InRange(SoftmaxReciprocal.Lookup((short)raw) - reciprocal, -2, 2);
        }
    }

    [Fact]
    public void Hits_its_nodes()
    {
        for (int segment = 0; segment < 512; segment++)
        {
            Assert.Equal(
                SoftmaxExponential.Values[segment], SoftmaxExponential.Lookup((short)((segment - 256) << 7)));
        }
    }

    [Fact]
    public void Lowers_a_node_by_half_of_the_error_in_the_middle()
    {
        LookupTable513 table = new(v => v * v, 1, 0, 1f / 64, 0);

        // At 0: value 0, next (128^2 * 64), interpolated half of it, middle a quarter: lowered by an eighth of it, saturated.
        Assert.Equal(short.MinValue, table.Values[256]);

        LookupTable513 line = new(v => v / 4, 1, 0, 1, 0);
        Assert.Equal(-32, line.Values[255]);
        Assert.Equal(0, line.Values[256]);
        Assert.Equal(25, line.Lookup(100));
    }

    [Fact]
    public void Saturates_beyond_the_output_range()
    {
        LookupTable513 table = new(v => 2 * v, 1, 0, 1, 0);
        Assert.Equal(short.MinValue, table.Values[0]);
        Assert.Equal(short.MaxValue, table.Values[512]);
    }

    [Fact]
    public void Tabulates_a_real_function_of_int8()
    {
        Int8Table table = Int8Table.OfReal(v => v < 0 ? MathF.Exp(v) - 1 : v, 0.05f, 3, 0.04f, -7);

        Assert.Equal(-7, table.Lookup(3));
        Assert.Equal((sbyte)(-7 + 5), table.Lookup(7));
        Assert.Equal((sbyte)Math.Round(-7 - (25 * (1 - Math.Exp(-6.55)))), table.Lookup(-128));
        Assert.Equal(127, table.Lookup(127));
    }

    [Fact]
    public void Sends_halves_away_from_zero_in_int8()
    {
        Int8Table table = Int8Table.OfReal(v => v / 2, 1, 0, 1, 0);
        Assert.Equal(1, table.Lookup(1));
        Assert.Equal(-1, table.Lookup(-1));
        Assert.Equal(3, table.Lookup(5));
    }

    [Fact]
    public void Applies_a_raw_kernel_to_every_int8()
    {
        Int8Table table = Int8Table.OfRaw(q => 2 * q);
        sbyte[] x = [-128, -64, -1, 0, 1, 63, 64, 127];
        sbyte[] y = new sbyte[x.Length];
        table.Apply(x, y);

        Assert.Equal([-128, -128, -2, 0, 2, 126, 127, 127], y);
        Assert.Throws<ArgumentException>(() => table.Apply(x, new sbyte[7]));
    }
}
