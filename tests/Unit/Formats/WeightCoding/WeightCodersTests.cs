using System.IO.Compression;
using Optc.Formats.EthosU;
using Optc.Formats.WeightCoding;
using Optc.Tests.Unit.Formats.EthosU;
using Xunit;

namespace Optc.Tests.Unit.Formats.WeightCoding;

public sealed class WeightCodersTests
{
    [Fact]
    public void Order_zero_is_the_entropy_in_whole_bytes_and_two_bytes_for_each_code()
    {
        // Half zeros, quarters of 1 and -1: 1.5 bits each.
        short[] weights = [.. Enumerable.Repeat<short[]>([0, 1, 0, -1], 5).SelectMany(w => w)];

        Assert.Equal(1.5, OrderZeroCoder.Entropy(weights), 12);
        Assert.Equal(8 * (4 + (2 * 3)), WeightCoders.OrderZero.CountBits(weights));
        Assert.Equal(8 * 2, WeightCoders.OrderZero.CountBits([7, 7, 7]));
    }

    [Fact]
    public void Order_zero_of_a_model_is_the_sum_over_its_tensors() => Assert.Equal(
        2 * WeightCoders.OrderZero.CountBits([1, 2, 3, 4]),
        WeightCost.Of(WeightCoders.OrderZero, [new short[] { 1, 2, 3, 4 }, new short[] { 8, 9, 10, 11 }]).Bits);

    [Fact]
    public void Ethos_u_is_the_length_of_the_stream()
    {
        short[] weights = RandomWeights.Make(5, 900);

        Assert.Equal(8 * WeightCodec.Encode(weights).Length, WeightCoders.EthosU.CountBits(weights));
        Assert.Equal(8 * WeightCodec.Encode(weights, WeightCodecMode.Smallest).Length, WeightCoders.EthosUSmallest.CountBits(weights));
    }

    [Fact]
    public void Gzip_compresses_the_tensors_as_one()
    {
        short[] weights = [.. Enumerable.Range(0, 100).Select(i => (short)((i * i % 201) - 100))];

        long alone = WeightCoders.Gzip.CountBits(weights);
        WeightCost twice = WeightCost.Of(WeightCoders.Gzip, [weights, weights]);

        Assert.InRange(twice.Bits, alone + 1, (3 * alone / 2) - 1);
        Assert.Equal((200, (double)twice.Bits / 200), (twice.Weights, twice.BitsPerWeight));
    }

    [Fact]
    public void Zlib_is_gzip_with_a_frame_of_12_bytes_less()
    {
        short[] weights = RandomWeights.Make(5, 900);

        Assert.Equal(WeightCoders.Gzip.CountBits(weights) - (8 * 12), WeightCoders.Zlib.CountBits(weights));
    }

    [Fact]
    public void Codes_of_nine_bits_take_two_bytes_before_compression()
    {
        short[] weights = [.. Enumerable.Range(-255, 511).Select(i => (short)i)];
        using MemoryStream sink = new();
        using (GZipStream gzip = new(sink, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<short>(weights));
        }

        Assert.Equal(8 * sink.Length, WeightCoders.Gzip.CountBits(weights));
    }

    [Fact]
    public void Nothing_takes_nothing_where_there_is_no_frame()
    {
        Assert.Equal(0, WeightCoders.OrderZero.CountBits([]));
        Assert.Equal(0, WeightCoders.EthosU.CountBits([]));
        Assert.Equal(0, WeightCost.Of(WeightCoders.EthosU, ReadOnlySpan<short>.Empty).BitsPerWeight);
    }

    [Fact]
    public void Coders_are_found_by_their_names()
    {
        Assert.All(WeightCoders.All, c => Assert.Same(c, WeightCoders.Find(c.Name)));
        Assert.Null(WeightCoders.Find("zip"));
    }
}
