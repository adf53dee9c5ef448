using System.Buffers.Binary;

namespace Optc.Formats.EthosU;

/// <summary>Bias and requantization of one output channel: <c>round((sum + bias) * scale / 2^shift)</c>.</summary>
/// <param name="Bias">40 bits, signed, in steps of the sum.</param>
/// <param name="Scale">Up to 2^31.</param>
/// <param name="Shift">0 to 63.</param>
/// <remarks>Stored in 10 bytes, little endian: bias (5), scale (4), shift (1). Source: Arm's open compiler Vela, module <c>weight_compressor</c>.</remarks>
public readonly record struct ScaleEntry(long Bias, uint Scale, int Shift)
{
    /// <summary>Bytes of one entry.</summary>
    public const int Length = 10;

    /// <summary>Largest bias; the smallest is its negative less one.</summary>
    public const long LargestBias = (1L << 39) - 1;

    private const int LargestShift = 63;
    private const int Fraction = 31;
    private const int ReducedBits = 16;

    /// <summary>The entry of a real multiplier, with 31 bits of it: halves away from zero.</summary>
    /// <param name="multiplier">Input scale times weight scale, divided by output scale: finite, 0 or more.</param>
    /// <remarks>A multiplier that no shift of the hardware reaches becomes 0, as in the reference.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The bias has more than 40 bits, or the multiplier is negative or not finite.</exception>
    public static ScaleEntry Of(long bias, double multiplier)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bias, LargestBias);
        ArgumentOutOfRangeException.ThrowIfLessThan(bias, -LargestBias - 1);
        if (multiplier is not (>= 0 and < double.PositiveInfinity))
        {
            throw new ArgumentOutOfRangeException(nameof(multiplier), multiplier, "A multiplier is finite and not negative.");
        }

        if (multiplier == 0)
        {
            return new(bias, 0, Fraction);
        }

        int exponent = Math.ILogB(multiplier) + 1;
        double fraction = Math.ScaleB(multiplier, -exponent);
        uint scale = (uint)Math.Round(Math.ScaleB(fraction, Fraction), MidpointRounding.AwayFromZero);
        int shift = Fraction - exponent;
        return shift is >= 0 and <= LargestShift ? new(bias, scale, shift) : new(bias, 0, ReducedBits);
    }

    /// <summary>The same with a multiplier of 16 bits, as 16-bit inputs with a 64-bit bias are computed; <see langword="null"/> if the shift does not allow it.</summary>
    public ScaleEntry? Reduced() => Shift < ReducedBits
        ? null
        : this with { Scale = Scale >= short.MaxValue << ReducedBits ? (uint)short.MaxValue : (Scale + (1u << (ReducedBits - 1))) >> ReducedBits, Shift = Shift - ReducedBits };

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, unchecked((uint)Bias));
        bytes[4] = unchecked((byte)(Bias >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[5..], Scale);
        bytes[9] = (byte)Shift;
    }

    /// <summary>Reads <see cref="Length"/> bytes.</summary>
    /// <param name="offset">Place of the bytes, for the message.</param>
    /// <exception cref="MalformedDataException">The two bits above the shift are not zero, or the scale is above 2^31.</exception>
    public static ScaleEntry Read(ReadOnlySpan<byte> bytes, long offset)
    {
        long bias = ((long)unchecked((sbyte)bytes[4]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        uint scale = BinaryPrimitives.ReadUInt32LittleEndian(bytes[5..]);
        if (scale > 1u << Fraction)
        {
            throw new MalformedDataException(offset + 5, "scale", $"{scale}", "at most 2^31");
        }

        return bytes[9] <= LargestShift ? new(bias, scale, bytes[9]) : throw new MalformedDataException(offset + 9, "shift", $"{bytes[9]}", "0 to 63");
    }
}
