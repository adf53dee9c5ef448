namespace Optc.Formats.WeightCoding;

/// <summary>Bits that a weight of each code takes among some weights: what it saves to choose another code.</summary>
/// <remarks>
/// An estimate that adds up to the bits of all weights, with <see cref="Fixed"/> for what does not depend on their number. A code that none of the
/// weights has costs what it would cost to be the first.
/// </remarks>
public sealed class CodeLengths
{
    /// <summary>Codes lie between this and its negative.</summary>
    public const int LargestCode = byte.MaxValue;

    // Of a weight, so that a code without any can be compared with those that have some.
    private const double UnseenCount = 0.3;

    private readonly double[] _bits;

    /// <param name="bits">One number for each code from -255 to 255, in this order.</param>
    /// <param name="fixedBits">Of everything that is there once: tables, headers.</param>
    /// <exception cref="ArgumentException">There are not 511 finite numbers.</exception>
    public CodeLengths(ReadOnlySpan<double> bits, double fixedBits = 0)
    {
        if (bits.Length != (2 * LargestCode) + 1 || !bits.ToArray().All(double.IsFinite))
        {
            throw new ArgumentException($"There is a finite number for each code from -{LargestCode} to {LargestCode}.", nameof(bits));
        }

        (_bits, Fixed) = (bits.ToArray(), fixedBits);
    }

    /// <summary>Bits of what is there once, however many weights there are.</summary>
    public double Fixed { get; }

    /// <summary>Bits of a weight of this code.</summary>
    public double this[int code] => _bits[code + LargestCode];

    /// <summary>By their frequencies: <c>-log2 p</c>, the length in an ideal coder of order 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A code is outside of -255 to 255.</exception>
    public static CodeLengths OrderZero(ReadOnlySpan<short> weights)
    {
        int[] counts = new int[(2 * LargestCode) + 1];
        foreach (short weight in weights)
        {
            if (weight is < -LargestCode or > LargestCode)
            {
                throw new ArgumentOutOfRangeException(nameof(weights), weight, $"Codes are from -{LargestCode} to {LargestCode}.");
            }

            counts[weight + LargestCode]++;
        }

        double total = Math.Max(weights.Length, 1);
        int distinct = counts.Length - counts.AsSpan().Count(0);
        return new([.. counts.Select(c => c == 0 ? Math.Log2(total / UnseenCount) : Math.Log2(total / c))], 8 * OrderZeroCoder.BytesPerCode * distinct);
    }

    /// <summary>Bits of some weights with what is there once.</summary>
    public double Sum(ReadOnlySpan<short> weights)
    {
        double sum = Fixed;
        foreach (short weight in weights)
        {
            sum += this[weight];
        }

        return sum;
    }
}
