using System.Buffers;
using System.Globalization;

namespace Optc.Formats.EthosU;

/// <summary>
/// The compressed weight stream of Arm's Ethos-U55 and Ethos-U65: palettes, Golomb-Rice codes and zero runs, in slices.
/// </summary>
/// <remarks>
/// Source of the format: Arm's open compiler for these processors (Vela, module <c>mlw_codec</c>), whose streams this encoder
/// reproduces byte for byte in <see cref="WeightCodecMode.Compatible"/>. Weights are in the order of the hardware's traversal
/// (<see cref="WeightReordering"/>), with the zero point taken off. The stream is a whole number of 16-byte units, filled with ones.
/// </remarks>
public static class WeightCodec
{
    /// <summary>Bytes of one unit; a stream is a whole number of them.</summary>
    public const int Alignment = 16;

    /// <summary>Weights lie between this and its negative: an 8-bit code with its zero point taken off.</summary>
    public const int LargestWeight = WeightSymbol.LargestWeight;

    /// <summary>Limit of <see cref="Decode(ReadOnlySpan{byte}, int)"/> unless the caller knows better.</summary>
    public const int DefaultMaxWeights = 1 << 28;

    /// <summary>Longest stream in bytes: places are counted in bits, which have to fit 31 bits.</summary>
    public const int MaxStreamBytes = int.MaxValue / 8;

    /// <summary>Most weights that a byte of a stream can stand for: a bit of a run is up to eight zeros.</summary>
    internal const int MostWeightsPerByte = 64;

    // Its buffers are large.
    [ThreadStatic]
    private static SliceReader? t_slices;

    /// <summary>Encodes weights. No weights give a stream of the end mark alone.</summary>
    /// <param name="weights">In the order of the stream, each from -255 to 255.</param>
    /// <exception cref="ArgumentOutOfRangeException">A weight is outside of that.</exception>
    public static byte[] Encode(ReadOnlySpan<short> weights, WeightCodecMode mode = WeightCodecMode.Compatible)
    {
        int outside = weights.IndexOfAnyExceptInRange((short)-LargestWeight, (short)LargestWeight);
        if (outside >= 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(weights),
                string.Create(CultureInfo.InvariantCulture, $"Weight {outside} is {weights[outside]}, but has to be from -255 to 255."));
        }

        byte[] compatible = CompatibleEncoder.Encode(weights);
        if (mode == WeightCodecMode.Compatible)
        {
            return compatible;
        }

        byte[] smallest = SmallestEncoder.Encode(weights);
        if (smallest.Length >= compatible.Length)
        {
            return compatible;
        }

        // No reference confirms these bytes, so they are read back; that costs little beside the search.
        return Decode(smallest, weights.Length).AsSpan().SequenceEqual(weights)
            ? smallest
            : throw new InvalidOperationException("A stream of the search does not decode to its weights.");
    }

    /// <summary>Decodes all streams that stand one after the other in <paramref name="stream"/>.</summary>
    /// <param name="maxWeights">
    /// Most weights that are accepted: a damaged stream of few bytes may ask for a lot (64 weights a byte).
    /// </param>
    /// <returns>Weights from -255 to 255.</returns>
    /// <exception cref="MalformedDataException">
    /// The stream breaks a rule of the format, ends early, or holds more than <paramref name="maxWeights"/> weights.
    /// </exception>
    public static short[] Decode(ReadOnlySpan<byte> stream, int maxWeights = DefaultMaxWeights)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxWeights);
        short[]? weights = new short[(int)Math.Min(2L * stream.Length, maxWeights)];
        int length = Decode(stream, weights, ref weights, maxWeights);
        return length == weights!.Length ? weights : weights[..length];
    }

    /// <summary>Decodes into memory that is there.</summary>
    /// <param name="weights">Room for all weights; what is behind them becomes zero.</param>
    /// <returns>Number of weights.</returns>
    /// <exception cref="MalformedDataException">
    /// The stream breaks a rule of the format, ends early, or holds more weights than there is room for.
    /// </exception>
    public static int Decode(ReadOnlySpan<byte> stream, Span<short> weights)
    {
        weights.Clear();
        short[]? none = null;
        return Decode(stream, weights, ref none, weights.Length);
    }

    /// <param name="weights">Zeros.</param>
    /// <param name="growing">The same memory if it may be replaced by more, else <see langword="null"/>.</param>
    private static int Decode(ReadOnlySpan<byte> stream, Span<short> weights, ref short[]? growing, int maxWeights)
    {
        if (stream.Length > MaxStreamBytes)
        {
            throw new MalformedDataException(
                0,
                "weight stream",
                string.Create(CultureInfo.InvariantCulture, $"{stream.Length} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"at most {MaxStreamBytes} bytes"));
        }

        byte[] padded = ArrayPool<byte>.Shared.Rent(stream.Length + BitReader.Slack);
        stream.CopyTo(padded);
        BitReader bits = new(padded.AsSpan(0, stream.Length + BitReader.Slack));
        SliceReader slices = t_slices ??= new();
        int length = 0;
        bool isFirst = true;
        while (true)
        {
            int first = (int)bits.Read(3);
            if (first == SliceHeader.EndMark)
            {
                bits.Align();
                isFirst = true;
                if (bits.IsAtEnd)
                {
                    ArrayPool<byte>.Shared.Return(padded);
                    return length;
                }

                continue;
            }

            long start = bits.Position - 3;
            slices.Read(ref bits, first, isFirst);
            isFirst = false;
            long needed = length + slices.Length;
            if (needed > maxWeights)
            {
                throw new MalformedDataException(
                    start >> 3,
                    string.Create(CultureInfo.InvariantCulture, $"slice at bit {start}"),
                    string.Create(CultureInfo.InvariantCulture, $"{needed} weights up to its end"),
                    string.Create(CultureInfo.InvariantCulture, $"at most {maxWeights}"));
            }

            if (needed > weights.Length)
            {
                long most = Math.Min((long)MostWeightsPerByte * stream.Length, maxWeights);
                Array.Resize(ref growing, (int)Math.Max(needed, Math.Min(2L * weights.Length, most)));
                weights = growing;
            }

            slices.CopyWeights(weights.Slice(length, (int)slices.Length));
            length = (int)needed;
        }
    }
}
