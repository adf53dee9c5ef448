using Optc.Formats;
using Optc.Formats.EthosU;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

public sealed class WeightCodecTests
{
    // Worked by hand from the definition of the format; the rest of the 16 bytes is 0xFF.
    public static TheoryData<short[], string> WorkedExamples => new()
    {
        { [5, 5, 5], "16004015A40000FF" },
        { [0], "00004000100000E0" },
        { [0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 0], "0A00DC12268B05A8FE" },
        { [], "" },
    };

    [Theory]
    [MemberData(nameof(WorkedExamples))]
    public void Worked_examples_have_their_bytes(short[] weights, string start)
    {
        string whole = start.PadRight(32, 'F');

        Assert.Equal(whole, Convert.ToHexString(WeightCodec.Encode(weights)));
        Assert.Equal(weights, WeightCodec.Decode(Convert.FromHexString(whole)));
    }

    [Fact]
    public void Streams_one_after_the_other_are_read_as_one()
    {
        byte[] streams = [.. WeightCodec.Encode([1, 2, 3]), .. WeightCodec.Encode([]), .. WeightCodec.Encode([0, -255])];

        Assert.Equal([1, 2, 3, 0, -255], WeightCodec.Decode(streams));
    }

    [Theory]
    [InlineData("", "the end after 0 bytes")]
    [InlineData("16004015A40000", "the end after 7 bytes")]
    [InlineData("16004015A4", "the end after 5 bytes")]
    [InlineData("14004015A40000FF", "ZDIV")]
    [InlineData("15004015A40000FF", "ZDIV")]
    [InlineData("16005815A40000FF", "WDIV")]
    [InlineData("16000015A40000FF", "NEWPAL")]
    public void Damage_is_named(string stream, string named)
    {
        MalformedDataException problem = Assert.Throws<MalformedDataException>(() => WeightCodec.Decode(Convert.FromHexString(stream)));

        Assert.Contains(named, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_outside_of_the_palette_is_refused_where_only_palette_indices_can_be()
    {
        // Three entries need two bits: the fourth value stands for nothing.
        BitWriter writer = new();
        new SliceHeader(SliceHeader.NoRuns, 1, SliceHeader.Uncompressed, IsTruncated: false, HasSetup: true).Write(writer);
        new PaletteSetup([2, 4, 6], DirectOffset: 0, FieldBits: 3).Write(writer);
        writer.Write(3, 2);
        writer.Write(7, 3);

        MalformedDataException problem = Assert.Throws<MalformedDataException>(() => WeightCodec.Decode(writer.FinishWithOnes(16)));

        Assert.Contains("index", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_cannot_start_or_stop_without_a_palette_setup()
    {
        BitWriter writer = new();
        new SliceHeader(SliceHeader.NoRuns, 1, 0, IsTruncated: false, HasSetup: true).Write(writer);
        new PaletteSetup([], DirectOffset: 2, FieldBits: 2).Write(writer);
        writer.Write(0, 12);
        new SliceHeader(RunDivisor: 0, 1, 0, IsTruncated: false, HasSetup: false).Write(writer);
        writer.Write(0, 24);
        writer.Write(7, 3);

        MalformedDataException problem = Assert.Throws<MalformedDataException>(() => WeightCodec.Decode(writer.FinishWithOnes(16)));

        Assert.Contains("NEWPAL", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_slice_of_the_format_is_read()
    {
        BitWriter writer = new();
        new SliceHeader(SliceHeader.NoRuns, 32768, SliceHeader.Uncompressed, IsTruncated: false, HasSetup: true).Write(writer);
        new PaletteSetup([], DirectOffset: 2, FieldBits: 2).Write(writer);
        for (int i = 0; i < 32768; i++)
        {
            writer.Write((ulong)(i & 3), 2);
        }

        writer.Write(7, 3);

        Assert.Equal(Enumerable.Range(0, 32768).Select(i => (short)((i & 3) switch { 0 => 1, 1 => -1, 2 => 2, _ => -2 })), WeightCodec.Decode(writer.FinishWithOnes(16)));
    }

    [Fact]
    public void More_weights_than_allowed_are_refused_before_memory_is_taken()
    {
        byte[] zeros = WeightCodec.Encode(new short[40000]);

        Assert.Equal(40000, WeightCodec.Decode(zeros, 40000).Length);
        MalformedDataException problem = Assert.Throws<MalformedDataException>(() => WeightCodec.Decode(zeros, 39999));
        Assert.Contains("40000 weights", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(-256)]
    [InlineData(short.MinValue)]
    public void Weights_of_more_than_nine_bits_are_refused(short weight) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WeightCodec.Encode([0, weight]));

    [Theory]
    [InlineData(WeightCodecMode.Compatible, 400)]
    [InlineData(WeightCodecMode.Smallest, 120)]
    public void What_is_encoded_is_decoded(WeightCodecMode mode, int seeds)
    {
        for (int seed = 0; seed < seeds; seed++)
        {
            short[] weights = RandomWeights.Make(seed, longest: seed % 100 == 0 ? 70000 : 1200);

            byte[] stream = WeightCodec.Encode(weights, mode);

            Assert.True(weights.AsSpan().SequenceEqual(WeightCodec.Decode(stream, weights.Length)), $"seed {seed}");
            Assert.Equal(0, stream.Length % WeightCodec.Alignment);
        }
    }

    [Fact]
    public void Smallest_is_never_larger_and_always_the_same()
    {
        for (int seed = 1000; seed < 1030; seed++)
        {
            short[] weights = RandomWeights.Make(seed, longest: 3000);

            byte[] smallest = WeightCodec.Encode(weights, WeightCodecMode.Smallest);

            Assert.InRange(smallest.Length, 0, WeightCodec.Encode(weights).Length);
            Assert.Equal(smallest, WeightCodec.Encode(weights, WeightCodecMode.Smallest));
        }
    }

    [Fact]
    public void Weights_are_decoded_into_memory_that_is_there()
    {
        byte[] stream = WeightCodec.Encode([3, 0, -7]);
        short[] room = [9, 9, 9, 9];

        Assert.Equal(3, WeightCodec.Decode(stream, room));
        Assert.Equal([3, 0, -7, 0], room);
        Assert.Throws<MalformedDataException>(() => WeightCodec.Decode(stream, room.AsSpan(0, 2)));
    }

    [Fact]
    public void A_section_may_be_zeros_alone_between_others()
    {
        short[] weights = [.. Enumerable.Range(0, 600).Select(i => (short)((i % 200) + 50)), .. new short[3000], .. Enumerable.Range(0, 600).Select(i => (short)(-50 - (i % 200)))];

        byte[] stream = WeightCodec.Encode(weights, WeightCodecMode.Smallest);

        Assert.Equal(weights, WeightCodec.Decode(stream));
        Assert.InRange(stream.Length, 1, (1200 * 9 / 8) + (3000 / 64) + 64);
    }

    [Fact]
    public void Damaged_streams_are_refused_or_read()
    {
        int refused = 0;
        for (int seed = 0; seed < 8; seed++)
        {
            byte[] stream = WeightCodec.Encode(RandomWeights.Make(seed, longest: 900), (WeightCodecMode)(seed % 2));
            refused += Mutations.Refused(stream, seeds: 60, damaged => WeightCodec.Decode(damaged, 1 << 20));
        }

        Assert.InRange(refused, 100, 480);
    }
}
