using System.Collections.Immutable;

namespace Optc.Formats.EthosU;

/// <summary>The bytes that the hardware reads for the weights, biases and scales of one layer.</summary>
/// <param name="Bytes">All ranges, one behind the other.</param>
/// <param name="Ranges">Offsets are from the start of <paramref name="Bytes"/>.</param>
/// <param name="ReorderedWeights">Weights in the streams, with the padding of blocks that are not full.</param>
public sealed record PackedTensor(ReadOnlyMemory<byte> Bytes, ImmutableArray<WeightRange> Ranges, int ReorderedWeights)
{
    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="weights">OHWI, zero point taken off, from -255 to 255.</param>
    /// <param name="entries">One for each OFM channel.</param>
    /// <exception cref="ArgumentException">The layout is impossible, or numbers of weights or entries are not those of its shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A weight is outside of what a stream can hold.</exception>
    public static PackedTensor Of(
        TensorLayout layout, ReadOnlySpan<short> weights, ReadOnlySpan<ScaleEntry> entries, WeightCodecMode mode = WeightCodecMode.Compatible)
    {
        if (layout.Problem() is { } problem)
        {
            throw new ArgumentException($"{problem.Found}, expected {problem.Expected}", nameof(layout));
        }

        WeightShape shape = layout.Shape;
        if (weights.Length != shape.Count || entries.Length != shape.OutputChannels)
        {
            throw new ArgumentException($"{weights.Length} weights and {entries.Length} entries do not fill {shape}.", nameof(weights));
        }

        using MemoryStream bytes = new();
        ImmutableArray<WeightRange>.Builder ranges = ImmutableArray.CreateBuilder<WeightRange>();
        int reordered = 0;
        int filter = shape.Count / shape.OutputChannels;
        foreach (TensorLayout.RangePart part in layout.Parts())
        {
            byte[] scales = new byte[Align(part.Channels * ScaleEntry.Length)];
            short[] own = new short[part.Channels * filter];
            for (int i = 0; i < part.Channels; i++)
            {
                int channel = part.First + (i * part.Step);
                entries[channel].Write(scales.AsSpan(i * ScaleEntry.Length));
                weights.Slice(channel * filter, filter).CopyTo(own.AsSpan(i * filter));
            }

            short[] ordered = part.Channels == 0 ? [] : WeightReordering.Reorder(own, part.Shape, part.Options);
            byte[] stream = part.Channels == 0 ? [] : WeightCodec.Encode(ordered, mode);
            ranges.Add(new(part.Slice, part.Core, (int)bytes.Length, part.Channels * ScaleEntry.Length, scales.Length, stream.Length));
            reordered = checked(reordered + ordered.Length);
            bytes.Write(scales);
            bytes.Write(stream);
        }

        return new(bytes.ToArray(), ranges.ToImmutable(), reordered);
    }

    /// <summary>Reads the weights of a layer back.</summary>
    /// <param name="layout">One without <see cref="TensorLayout.Problem"/>.</param>
    /// <param name="blob">What offsets of <paramref name="ranges"/> count in.</param>
    /// <returns>Weights in OHWI, and an entry for each OFM channel.</returns>
    /// <exception cref="MalformedDataException">The ranges are not those of the layout, or their bytes break a rule of the format.</exception>
    public static (short[] Weights, ImmutableArray<ScaleEntry> Entries) Read(TensorLayout layout, ReadOnlySpan<byte> blob, ReadOnlySpan<WeightRange> ranges)
    {
        WeightShape shape = layout.Shape;
        RequireRoom(shape, ranges, blob.Length);
        int filter = shape.Count / shape.OutputChannels;
        short[] weights = new short[shape.Count];
        ScaleEntry[] entries = new ScaleEntry[shape.OutputChannels];
        int at = 0;
        foreach (TensorLayout.RangePart part in layout.Parts())
        {
            string place = $"range {at}";
            if (at >= ranges.Length)
            {
                throw new MalformedDataException(-1, "ranges", $"{ranges.Length}", "one for each slice and core");
            }

            WeightRange range = ranges[at];
            Require(range, part, at == 0 ? range.Offset : ranges[at - 1].End, blob.Length, place);
            at++;
            ReadOnlySpan<byte> bytes = blob[range.Offset..range.End];
            for (int i = 0; i < part.Channels; i++)
            {
                entries[part.First + (i * part.Step)] = ScaleEntry.Read(bytes[(i * ScaleEntry.Length)..], range.Offset + (i * ScaleEntry.Length));
            }

            if (bytes[range.ScaleBytes..range.WeightOffset].ContainsAnyExcept((byte)0))
            {
                throw new MalformedDataException(range.Offset + range.ScaleBytes, $"{place}, behind the scales", "a byte that is not 0", "zeros up to 16 bytes");
            }

            if (part.Channels == 0)
            {
                continue;
            }

            short[] own = ReadStream(bytes[range.WeightOffset..], part, range.Offset + range.WeightOffset, place);
            for (int i = 0; i < part.Channels; i++)
            {
                own.AsSpan(i * filter, filter).CopyTo(weights.AsSpan((part.First + (i * part.Step)) * filter));
            }
        }

        return at == ranges.Length
            ? (weights, [.. entries])
            : throw new MalformedDataException(-1, "ranges", $"{ranges.Length}", $"{at}, one for each slice and core");
    }

    /// <summary>Refuses a shape whose weights cannot be in the bytes, before memory is taken for it.</summary>
    private static void RequireRoom(WeightShape shape, ReadOnlySpan<WeightRange> ranges, int length)
    {
        long bytes = 0;
        foreach (WeightRange range in ranges)
        {
            bytes += Math.Max(0, range.WeightBytes);
        }

        bytes = Math.Min(bytes, length);
        Int128 count = (Int128)shape.OutputChannels * shape.KernelHeight * shape.KernelWidth * shape.InputChannels;
        if (shape is not { OutputChannels: > 0, KernelHeight: > 0, KernelWidth: > 0, InputChannels: > 0 } || count > WeightCodec.MostWeightsPerByte * bytes
            || (long)shape.OutputChannels * ScaleEntry.Length > length)
        {
            throw new MalformedDataException(
                -1, "shape", $"{shape}", $"weights of {bytes} bytes, of which each holds at most {WeightCodec.MostWeightsPerByte}, and scales within {length} bytes");
        }
    }

    private static void Require(WeightRange range, TensorLayout.RangePart part, int start, int length, string place)
    {
        WeightRange expected = range with
        {
            Slice = part.Slice,
            Core = part.Core,
            Offset = start,
            ScaleBytes = part.Channels * ScaleEntry.Length,
            WeightOffset = Align(part.Channels * ScaleEntry.Length),
        };
        if (range != expected)
        {
            throw new MalformedDataException(-1, place, $"{range}", $"{expected}");
        }

        bool isStream = part.Channels == 0 ? range.WeightBytes == 0 : range.WeightBytes > 0;
        if (!isStream || range.WeightBytes % WeightCodec.Alignment != 0 || range.Offset % WeightCodec.Alignment != 0)
        {
            throw new MalformedDataException(-1, place, $"{range}", "a stream and an offset in units of 16 bytes");
        }

        if (range.Offset < 0 || (long)range.Offset + range.WeightOffset + range.WeightBytes > length)
        {
            throw new MalformedDataException(-1, place, $"{range}", $"bytes within the {length} of the blob");
        }
    }

    private static short[] ReadStream(ReadOnlySpan<byte> stream, TensorLayout.RangePart part, long offset, string place)
    {
        int count;
        try
        {
            count = WeightReordering.CountReordered(part.Shape, part.Options);
        }
        catch (ArgumentException problem)
        {
            throw new MalformedDataException(offset, place, problem.Message, "weights that can be reordered", problem);
        }

        if (count > (long)WeightCodec.MostWeightsPerByte * stream.Length)
        {
            throw new MalformedDataException(offset, place, $"{stream.Length} bytes", $"a stream of {count} weights");
        }

        short[] reordered;
        try
        {
            reordered = WeightCodec.Decode(stream, count);
        }
        catch (MalformedDataException damage)
        {
            throw new MalformedDataException(offset + Math.Max(0, damage.Offset), $"{place}, {damage.Path}", damage.Found, damage.Expected, damage);
        }

        if (reordered.Length != count)
        {
            throw new MalformedDataException(offset, place, $"{reordered.Length} weights", $"{count}, with the padding");
        }

        short[] weights = new short[part.Shape.Count];
        int stray = WeightReordering.Restore(reordered, part.Shape, part.Options, weights);
        return stray < 0 ? weights : throw new MalformedDataException(offset, $"{place}, weight {stray}", $"{reordered[stray]}", "0, for it is padding");
    }

    private static int Align(int bytes) => (bytes + WeightCodec.Alignment - 1) / WeightCodec.Alignment * WeightCodec.Alignment;
}
