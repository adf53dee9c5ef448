using Optc.Formats;
using Optc.Formats.Wav;
using Xunit;

namespace Optc.Tests.Unit.Formats.Wav;

public sealed class WavFileTests
{
    [Fact]
    public void Reads_back_16_bit_samples_exactly()
    {
        short[] samples = [0, 1, -1, short.MaxValue, short.MinValue, 1234];

        WavAudio audio = WavFile.Read(WavFile.WritePcm16(samples, sampleRate: 16000, channels: 2));

        Assert.Equal((16000, 2, 3), (audio.SampleRate, audio.Channels, audio.Frames));
        Assert.Equal(samples, audio.Samples.ToArray().Select(sample => (short)(sample * 32768)));
        Assert.Equal([0, 1 / 32768f, -1 / 32768f, 32767 / 32768f, -1, 1234 / 32768f], audio.Samples.ToArray());
    }

    [Fact]
    public void Writes_the_canonical_header() => Assert.Equal(
        "52494646260000005741564566" + "6d74201000000001000100401f0000803e000002001000" + "6461746102000000ff7f",
        Convert.ToHexStringLower(WavFile.WritePcm16([32767], sampleRate: 8000, channels: 1)));

    [Fact]
    public void Bytes_are_unsigned() => Assert.Equal([-1, 0, 127 / 128f], Read(1, 8, [0, 128, 255]));

    [Fact]
    public void Three_bytes_are_signed() => Assert.Equal(
        [1 / 8388608f, -1 / 8388608f, 8388607 / 8388608f, -1],
        Read(1, 24, [1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0x80]));

    [Fact]
    public void Four_bytes_are_signed() =>
        Assert.Equal([0.5f, -1], Read(1, 32, [0, 0, 0, 0x40, 0, 0, 0, 0x80]));

    [Fact]
    public void Floats_are_taken_as_they_are() =>
        Assert.Equal([1.5f, -0.25f], Read(3, 32, [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-0.25f)]));

    [Fact]
    public void Extensible_format_names_the_format_inside()
    {
        byte[] extension =
            [22, 0, 24, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

        byte[] file = Riff(Chunk("fmt ", [.. Format(0xFFFE, 24, 1), .. extension]), Chunk("data", [0, 0, 0x40]));

        Assert.Equal([0.5f], WavFile.Read(file).Samples.ToArray());
        file[12 + 8 + 26] ^= 1;
        Assert.Throws<MalformedDataException>(() => WavFile.Read(file));
    }

    [Fact]
    public void Other_chunks_and_their_padding_are_passed_over()
    {
        byte[] file = Riff(
            Chunk("LIST", [1, 2, 3]), Chunk("fmt ", Format(1, 16, 1)), Chunk("fact", []), Chunk("data", [0, 0x40]));

        Assert.Equal([0.5f], WavFile.Read(file).Samples.ToArray());
    }

    [Theory]
    [InlineData(6, 8, "format 0x0006 (A-law) with 8 bits")]
    [InlineData(7, 8, "format 0x0007 (mu-law) with 8 bits")]
    [InlineData(2, 4, "format 0x0002 (ADPCM) with 4 bits")]
    [InlineData(0x55, 0, "format 0x0055 (MP3) with 0 bits")]
    [InlineData(3, 64, "format 0x0003 (floats) with 64 bits")]
    [InlineData(1, 12, "format 0x0001 (integers) with 12 bits")]
    public void Other_codings_are_refused_by_name(ushort tag, ushort bits, string found) =>
        Assert.Equal(found, Assert.Throws<MalformedDataException>(() => Read(tag, bits, [])).Found);

    [Fact]
    public void Says_where_a_file_is_wrong()
    {
        Assert.Equal(("RIFF", 0), Refusal([]));
        Assert.Equal(("RIFF", 0), Refusal([.. "RIFX"u8, 4, 0, 0, 0, .. "WAVE"u8]));
        Assert.Equal(("RIFF", 8), Refusal([.. "RIFF"u8, 4, 0, 0, 0, .. "AVI "u8]));
        Assert.Equal(("RIFF", 4), Refusal([.. "RIFF"u8, 5, 0, 0, 0, .. "WAVE"u8]));
        Assert.Equal(("RIFF", 12), Refusal(Riff()));
        Assert.Equal(("chunk 'data'", 12), Refusal(Riff(Chunk("data", [0, 0]))));
        Assert.Equal(("chunk 'fmt '", 20), Refusal(Riff(Chunk("fmt ", [1, 0]))));
        Assert.Equal(("chunk 'fmt '", 32), Refusal(Riff(Chunk("fmt ", Format(1, 16, 0)))));
        Assert.Equal(("chunk 'data'", 44), Refusal(Riff(Chunk("fmt ", Format(1, 16, 1)), Chunk("data", [0]))));

        byte[] streamed = Riff(Chunk("fmt ", Format(1, 16, 1)), Chunk("data", [0, 0]));
        streamed.AsSpan(40, 4).Fill(0xff);
        Assert.Equal(("chunk 'data'", 40), Refusal(streamed));
    }

    [Fact]
    public void Samples_that_are_no_whole_frames_cannot_be_written() =>
        Assert.Throws<ArgumentException>(() => WavFile.WritePcm16([1, 2, 3], 8000, 2));

    [Fact]
    public void Damage_is_malformed_data_and_nothing_else()
    {
        byte[] file = Riff(
            Chunk("LIST", [1, 2, 3]),
            Chunk("fmt ", Format(1, 24, 2)),
            Chunk("data", new byte[6 * 50]),
            Chunk("id3 ", [1]));

        int refused = Mutations.Refused(file, 5000, static damaged => WavFile.Read(damaged));

        Assert.InRange(refused, 1250, 5000);
    }

    private static (string Path, long Offset) Refusal(byte[] file)
    {
        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => WavFile.Read(file));
        return (refusal.Path, refusal.Offset);
    }

    private static float[] Read(ushort tag, ushort bits, byte[] data) =>
        WavFile.Read(Riff(Chunk("fmt ", Format(tag, bits, 1)), Chunk("data", data))).Samples.ToArray();

    private static byte[] Riff(params byte[][] chunks)
    {
        byte[] body = [.. "WAVE"u8, .. chunks.SelectMany(chunk => chunk)];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    private static byte[] Chunk(string id, byte[] content) =>
    [
        .. id.Select(character => (byte)character),
        .. BitConverter.GetBytes(content.Length),
        .. content,
        .. new byte[content.Length % 2],
    ];

    private static byte[] Format(ushort tag, ushort bits, ushort channels) =>
    [
        .. BitConverter.GetBytes(tag),
        .. BitConverter.GetBytes(channels),
        .. BitConverter.GetBytes(8000),
        .. BitConverter.GetBytes(8000 * channels * bits / 8),
        .. BitConverter.GetBytes((ushort)(channels * bits / 8)),
        .. BitConverter.GetBytes(bits),
    ];
}
