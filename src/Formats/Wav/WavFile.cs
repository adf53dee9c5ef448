using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Optc.Formats.Wav;

/// <summary>Reads <c>.wav</c> files with uncompressed samples: 8, 16, 24 or 32-bit integers, or float32.</summary>
/// <remarks>
/// Source: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, WAVE), and
/// Microsoft's WAVEFORMATEXTENSIBLE. 8-bit samples are unsigned with 128 as zero, wider ones are signed.
/// </remarks>
public static class WavFile
{
    private const ushort PcmTag = 0x0001;
    private const ushort FloatTag = 0x0003;
    private const ushort ExtensibleTag = 0xFFFE;
    private const int ChunkHeaderLength = 8;
    private const int FirstChunk = 12;
    private const int FormatLength = 16;
    private const int ExtensibleLength = 40;

    /// <summary>
    /// What follows the format tag in the sub-format of an extensible file (KSDATAFORMAT_SUBTYPE_WAVEFORMATEX).
    /// </summary>
    private static ReadOnlySpan<byte> SubFormatTail =>
        [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    /// <param name="file">The whole file. Chunks other than the format and the samples are passed over.</param>
    /// <exception cref="MalformedDataException">
    /// The bytes are no such file, a chunk leaves the file, or the samples are coded in another way (A-law, ADPCM, MP3,
    /// float64, big endian, RF64 ...).
    /// </exception>
    public static WavAudio Read(ReadOnlySpan<byte> file)
    {
        int end = CheckRiff(file);
        SampleFormat? format = null;
        int at = FirstChunk;
        while (end - at >= ChunkHeaderLength)
        {
            ReadOnlySpan<byte> id = file.Slice(at, 4);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            int body = at + ChunkHeaderLength;
            if (length > end - body)
            {
                throw new MalformedDataException(
                    at + 4,
                    $"chunk '{Printable(id)}'",
                    Invariant($"a length of {length}"),
                    Invariant($"at most {end - body}"));
            }

            ReadOnlySpan<byte> content = file.Slice(body, (int)length);
            if (id.SequenceEqual("fmt "u8))
            {
                format = ReadFormat(content, body);
            }
            else if (id.SequenceEqual("data"u8))
            {
                return format is null
                    ? throw new MalformedDataException(
                        at,
                        "chunk 'data'",
                        "samples before their format",
                        "the chunk 'fmt ' first")
                    : ReadSamples(content, body, format);
            }

            // Chunks begin at even bytes; a file may end without the padding of its last one.
            at = (int)Math.Min(end, body + (long)length + (length & 1));
        }

        throw new MalformedDataException(
            at,
            "RIFF",
            "the end of the file",
            format is null ? "the chunk 'fmt '" : "the chunk 'data'");
    }

    /// <summary>The bytes of a 16-bit file.</summary>
    /// <param name="samples"><c>[frames, channels]</c>.</param>
    /// <param name="sampleRate">Frames per second, in hertz.</param>
    /// <param name="channels">Samples per frame, 1 to 32767.</param>
    /// <exception cref="ArgumentException">The samples are not whole frames.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Rate or number of channels cannot be written.</exception>
    public static byte[] WritePcm16(ReadOnlySpan<short> samples, int sampleRate, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, ushort.MaxValue / 2);
        if (samples.Length % channels != 0)
        {
            throw new ArgumentException(
                $"{samples.Length} samples are no whole frames of {channels}.", nameof(samples));
        }

        const int Start = FirstChunk + ChunkHeaderLength + FormatLength + ChunkHeaderLength;
        int bytes = checked(samples.Length * 2);
        byte[] file = new byte[checked(Start + bytes)];
        Span<byte> rest = file;
        "RIFF"u8.CopyTo(rest);
        BinaryPrimitives.WriteInt32LittleEndian(rest[4..], file.Length - ChunkHeaderLength);
        "WAVEfmt "u8.CopyTo(rest[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(rest[16..], FormatLength);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[20..], PcmTag);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[22..], (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(rest[24..], sampleRate);
        long byteRate = (long)sampleRate * channels * 2;
        BinaryPrimitives.WriteUInt32LittleEndian(rest[28..], (uint)Math.Min(byteRate, uint.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(rest[32..], (ushort)(channels * 2));
        BinaryPrimitives.WriteUInt16LittleEndian(rest[34..], 16);
        "data"u8.CopyTo(rest[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(rest[40..], bytes);
        for (int i = 0; i < samples.Length; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(rest[(Start + (2 * i))..], samples[i]);
        }

        return file;
    }

    private static int CheckRiff(ReadOnlySpan<byte> file)
    {
        if (file.Length < FirstChunk || !file.StartsWith("RIFF"u8))
        {
            string kind = file.StartsWith("RIFX"u8) ? " (big endian)"
                : file.StartsWith("RF64"u8) ? " (64-bit sizes)"
                : "";
            throw new MalformedDataException(
                0,
                "RIFF",
                $"'{Printable(file[..Math.Min(4, file.Length)])}'{kind} in a file of {file.Length} bytes",
                "'RIFF', a length and 'WAVE'");
        }

        if (!file[8..].StartsWith("WAVE"u8))
        {
            throw new MalformedDataException(8, "RIFF", $"'{Printable(file.Slice(8, 4))}'", "'WAVE'");
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
        if (length < FirstChunk - ChunkHeaderLength || length > file.Length - ChunkHeaderLength)
        {
            throw new MalformedDataException(
                4, "RIFF", Invariant($"a length of {length}"), Invariant($"4 to {file.Length - ChunkHeaderLength}"));
        }

        return (int)length + ChunkHeaderLength;
    }

    private static SampleFormat ReadFormat(ReadOnlySpan<byte> content, int offset)
    {
        const string Path = "chunk 'fmt '";
        if (content.Length < FormatLength)
        {
            throw new MalformedDataException(
                offset,
                Path,
                Invariant($"{content.Length} bytes"),
                Invariant($"at least {FormatLength}"));
        }

        ushort tag = BinaryPrimitives.ReadUInt16LittleEndian(content);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(content[2..]);
        uint rate = BinaryPrimitives.ReadUInt32LittleEndian(content[4..]);
        int frameBytes = BinaryPrimitives.ReadUInt16LittleEndian(content[12..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(content[14..]);
        if (tag == ExtensibleTag)
        {
            if (content.Length < ExtensibleLength || !content[26..].StartsWith(SubFormatTail))
            {
                throw new MalformedDataException(
                    offset,
                    Path,
                    "an extensible format without a known sub-format",
                    "integer or float samples");
            }

            tag = BinaryPrimitives.ReadUInt16LittleEndian(content[24..]);
        }

        bool known = tag switch
        {
            PcmTag => bits is 8 or 16 or 24 or 32,
            FloatTag => bits == 32,
            _ => false,
        };
        if (!known)
        {
            throw new MalformedDataException(
                offset,
                Path,
                Invariant($"format 0x{tag:x4}{NameOf(tag)} with {bits} bits"),
                "format 0x0001 (integers) with 8, 16, 24 or 32 bits, or 0x0003 (floats) with 32 bits");
        }

        if (channels == 0 || frameBytes != channels * bits / 8)
        {
            throw new MalformedDataException(
                offset + 12,
                Path,
                Invariant($"frames of {frameBytes} bytes for {channels} channels of {bits} bits"),
                "as many bytes as the channels take");
        }

        if (rate is 0 or > int.MaxValue)
        {
            throw new MalformedDataException(
                offset + 4,
                Path,
                Invariant($"a sample rate of {rate}"),
                "1 to 2147483647 hertz");
        }

        return new(tag == FloatTag, bits, channels, (int)rate);
    }

    private static WavAudio ReadSamples(ReadOnlySpan<byte> content, int offset, SampleFormat format)
    {
        int size = format.Bits / 8;
        if (content.Length % (size * format.Channels) != 0)
        {
            throw new MalformedDataException(
                offset,
                "chunk 'data'",
                Invariant($"{content.Length} bytes"),
                Invariant($"whole frames of {size * format.Channels} bytes"));
        }

        float[] samples = new float[content.Length / size];
        for (int i = 0; i < samples.Length; i++)
        {
            ReadOnlySpan<byte> sample = content.Slice(i * size, size);
            samples[i] = (format.IsFloat, format.Bits) switch
            {
                (true, _) => BinaryPrimitives.ReadSingleLittleEndian(sample),
                (_, 8) => (sample[0] - 128) / 128f,
                (_, 16) => BinaryPrimitives.ReadInt16LittleEndian(sample) / 32768f,
                (_, 24) => ((sample[0] << 8 | sample[1] << 16 | sample[2] << 24) >> 8) / 8388608f,
                _ => BinaryPrimitives.ReadInt32LittleEndian(sample) / 2147483648f,
            };
        }

        return new(format.SampleRate, format.Channels, samples);
    }

    private static string NameOf(ushort tag) => tag switch
    {
        PcmTag => " (integers)",
        0x0002 or 0x0011 => " (ADPCM)",
        FloatTag => " (floats)",
        0x0006 => " (A-law)",
        0x0007 => " (mu-law)",
        0x0055 => " (MP3)",
        _ => "",
    };

    private static string Printable(ReadOnlySpan<byte> id)
    {
        StringBuilder text = new();
        foreach (byte character in id)
        {
            text.Append(character is >= (byte)' ' and <= (byte)'~' ? (char)character : '?');
        }

        return text.ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record SampleFormat(bool IsFloat, int Bits, int Channels, int SampleRate);
}
