using System.Numerics.Tensors;

namespace Optc.Passes.Quantize;

/// <summary>
/// How many values fall into bins whose width is a power of two and whose borders are multiples of it. The width grows
/// with the values: two neighbours become one.
/// </summary>
/// <remarks>
/// A bin of width 2^e is exactly two bins of width 2^(e-1), so the counts depend on the values and the largest magnitude
/// alone: not on the order of the values, and not on how they were split among histograms that are merged.
/// </remarks>
public sealed class ValueHistogram
{
    private const int HalfBits = 12;
    private const int Half = 1 << HalfBits;

    // Below this, values are so small that a bin of its own for them serves no purpose; 2^-e must be a finite double.
    private const int SmallestExponent = -140;

    private readonly long[] _counts = new long[2 * Half];
    private int _exponent = SmallestExponent;

    /// <summary>Values that are exactly 0; they are in no bin, since every grid holds 0.</summary>
    public long Zeros { get; private set; }

    /// <summary>All values, zeros included.</summary>
    public long Total { get; private set; }

    /// <summary>Width of a bin.</summary>
    public double Width => Math.ScaleB(1, _exponent);

    /// <summary>Counts from the most negative bin to the most positive one.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>Lower border of a bin.</summary>
    public double Border(int bin) => (bin - Half) * Width;

    /// <summary>Middle of a bin.</summary>
    public double Center(int bin) => (bin - Half + 0.5) * Width;

    /// <param name="values">Finite numbers.</param>
    public void Add(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
        {
            return;
        }

        Widen(ExponentFor(Math.Abs(TensorPrimitives.MaxMagnitude(values))));
        double bins = Math.ScaleB(1, -_exponent);
        long[] counts = _counts;
        long zeros = 0;
        foreach (float value in values)
        {
            if (value == 0)
            {
                zeros++;
                continue;
            }

            counts[(int)Math.Floor(value * bins) + Half]++;
        }

        Zeros += zeros;
        Total += values.Length;
    }

    /// <summary>Takes in the counts of another histogram.</summary>
    public void Merge(ValueHistogram other)
    {
        Widen(other._exponent);
        int shift = _exponent - other._exponent;
        for (int bin = 0; bin < _counts.Length; bin++)
        {
            if (other._counts[bin] != 0)
            {
                _counts[Wider(bin, shift)] += other._counts[bin];
            }
        }

        Zeros += other.Zeros;
        Total += other.Total;
    }

    private static int ExponentFor(float magnitude) =>
        magnitude == 0 ? SmallestExponent : Math.Max(SmallestExponent, Math.ILogB(magnitude) + 1 - HalfBits);

    private static int Wider(int bin, int shift) => ((bin - Half) >> Math.Min(shift, 31)) + Half;

    private void Widen(int exponent)
    {
        if (exponent <= _exponent)
        {
            return;
        }

        int shift = exponent - _exponent;
        _exponent = exponent;
        Span<long> wider = new long[_counts.Length];
        for (int bin = 0; bin < _counts.Length; bin++)
        {
            wider[Wider(bin, shift)] += _counts[bin];
        }

        wider.CopyTo(_counts);
    }
}
