using Optc.Ir;
using Optc.Report;
using Xunit;

namespace Optc.Tests.Unit.Library.Report;

/// <summary>Distributions of weights against plain LINQ.</summary>
public sealed class WeightStatisticsTests
{
    [Theory]
    [InlineData(DType.I8, 0)]
    [InlineData(DType.I8, 3)]
    [InlineData(DType.U8, 1)]
    [InlineData(DType.I16, 0)]
    [InlineData(DType.I32, 2)]
    [InlineData(DType.I64, 3)]
    public void Integers_are_counted_as_linq_counts_them(DType type, int axis)
    {
        Shape shape = [5, 3, 2, 7];
        Random random = new(axis + ((int)type * 10));
        int[] values = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => Math.Max(0, random.Next(-6, 9)))];
        int zeroPoint = type is DType.U8 ? 4 : 0;

        WeightStatistics statistics = WeightStatistics.Of(Data(type, shape, values), new QuantParams(0.5f, zeroPoint), axis);

        Compare(values, shape, axis, zeroPoint, statistics);
    }

    [Fact]
    public void Signed_codes_of_packed_types_are_unpacked()
    {
        int[] values = [1, -8, 7, 0, 0, -1];
        byte[] packed = [0x81, 0x07, 0xf0];

        WeightStatistics statistics = WeightStatistics.Of(new(DType.I4, [2, 3], packed), new QuantParams(1, 0), axis: 0);

        Compare(values, [2, 3], 0, 0, statistics);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.F64)]
    public void Negative_zero_is_zero(DType type)
    {
        double[] values = [0.0, -0.0, 1, -1, 1, -0.0];
        TensorData data = type switch
        {
            DType.F32 => TensorData.FromFloats([2, 3], [.. values.Select(v => (float)v)]),
            DType.F16 => TensorData.From<Half>(type, [2, 3], [.. values.Select(v => (Half)v)]),
            _ => TensorData.From<double>(type, [2, 3], values),
        };

        WeightStatistics statistics = WeightStatistics.Of(data, quant: null, axis: 0);

        Assert.Equal(3, statistics.Zeros);
        Assert.Equal(3, statistics.Distinct);
        Assert.Equal(3, statistics.DistinctPerChannel);
        Assert.Equal((0.5 * 1) + (1.0 / 3 * Math.Log2(3)) + (1.0 / 6 * Math.Log2(6)), statistics.Entropy, 12);
    }

    [Fact]
    public void Zero_points_per_channel_say_what_zero_is()
    {
        TensorData data = Data(DType.I8, [2, 3], [1, 1, 0, 2, 2, 2]);

        WeightStatistics statistics = WeightStatistics.Of(data, new QuantParams([1, 1], [1, 2]), axis: 0);

        Assert.Equal(5, statistics.Zeros);
        Assert.Equal(1, statistics.ZeroChannels);
    }

    [Theory]
    [InlineData("1100 0110 1010 0011", "2:4")]
    [InlineData("1000 0100 0010 0001", "1:4")]
    [InlineData("1010 0101 1001 0110", "1:2")]
    [InlineData("1111 0000 1100 0011", "4:8")]
    [InlineData("1110 0000 0000 1000", "4:16")]
    [InlineData("1111 1000 0110 0101", null)]
    [InlineData("1100 0100 0010 0001", "5:16")]
    [InlineData("0000 0000 0000 0000", null)]
    [InlineData("1111 1111 1111 1111", null)]
    public void Finds_the_strictest_pattern(string row, string? pattern)
    {
        int[] values = [.. row.Where(c => c != ' ').Select(c => c - '0')];

        int[] rows = [.. Enumerable.Repeat(values, 16).SelectMany(v => v)];

        WeightStatistics statistics = WeightStatistics.Of(Data(DType.I8, [16, 16], rows), quant: null, axis: 0);

        Assert.Equal(pattern, statistics.Pattern);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(0.5)]
    public void Zeros_at_random_places_are_no_pattern(double density)
    {
        Random random = new(5);
        int[] values = [.. Enumerable.Range(0, 64 * 64).Select(_ => random.NextDouble() < density ? 1 : 0)];

        Assert.Null(WeightStatistics.Of(Data(DType.I8, [64, 64], values), quant: null, axis: 0).Pattern);
    }

    [Fact]
    public void A_pattern_with_some_weights_that_are_zero_by_chance_is_a_pattern()
    {
        Random random = new(6);
        int[] values = [.. Enumerable.Range(0, 64 * 64).Select(i => i % 4 is 0 or 1 && random.NextDouble() < 0.9 ? 1 : 0)];

        Assert.Equal("2:4", WeightStatistics.Of(Data(DType.I8, [64, 64], values), quant: null, axis: 0).Pattern);
    }

    [Fact]
    public void Equal_elements_have_no_entropy_and_all_codes_have_eight_bits()
    {
        WeightStatistics equal = WeightStatistics.Of(Data(DType.I8, [4, 4], [.. Enumerable.Repeat(3, 16)]), quant: null, axis: 0);
        WeightStatistics all = WeightStatistics.Of(Data(DType.I8, [256], [.. Enumerable.Range(-128, 256)]), quant: null, axis: 0);

        Assert.Equal(0, equal.Entropy);
        Assert.Equal(8, all.Entropy, 12);
        Assert.Equal((256, 1), (all.Distinct, all.DistinctPerChannel));
    }

    [Fact]
    public void Empty_tensors_have_nothing()
    {
        WeightStatistics statistics = WeightStatistics.Of(Data(DType.F32, [0, 3], []), quant: null, axis: 0);

        Assert.Equal(new WeightStatistics(0, 0, 0, 0, 0, 0, null), statistics);
    }

    private static void Compare(int[] values, Shape shape, int axis, int zeroPoint, WeightStatistics actual)
    {
        int inner = shape.Skip(axis + 1).Aggregate(1, (a, b) => a * b);
        IGrouping<int, int>[] channels = [.. values.Select((v, i) => (v, i)).GroupBy(p => p.i / inner % shape[axis], p => p.v)];
        Assert.Equal(values.Count(v => v == zeroPoint), actual.Zeros);
        Assert.Equal(values.Distinct().Count(), actual.Distinct);
        Assert.Equal(channels.Max(c => c.Distinct().Count()), actual.DistinctPerChannel);
        Assert.Equal(channels.Length, actual.Channels);
        Assert.Equal(channels.Count(c => c.All(v => v == zeroPoint)), actual.ZeroChannels);
        double entropy = values.GroupBy(v => v).Sum(g => -(double)g.Count() / values.Length * Math.Log2((double)g.Count() / values.Length));
        Assert.Equal(entropy, actual.Entropy, 12);
    }

    private static TensorData Data(DType type, Shape shape, int[] values) => type switch
    {
        DType.I8 => TensorData.From<sbyte>(type, shape, [.. values.Select(v => (sbyte)v)]),
        DType.U8 => TensorData.From<byte>(type, shape, [.. values.Select(v => (byte)v)]),
        DType.I16 => TensorData.From<short>(type, shape, [.. values.Select(v => (short)v)]),
        DType.I32 => TensorData.FromInts(shape, values),
        DType.I64 => TensorData.From<long>(type, shape, [.. values.Select(v => (long)v)]),
        _ => TensorData.FromFloats(shape, [.. values.Select(v => (float)v)]),
    };
}
