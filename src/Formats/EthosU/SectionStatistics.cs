using System.Numerics;

namespace Optc.Formats.EthosU;

/// <summary>What the length of a section depends on, whatever its palette: counts of its weights, and its runs.</summary>
internal sealed class SectionStatistics
{
    private readonly int[] _counts = new int[WeightSymbol.Count];
    private readonly long[] _runQuotients = new long[DivisorSearch.RunDivisors];

    public SectionStatistics(ReadOnlySpan<ushort> symbols)
    {
        Length = symbols.Length;
        WeightSymbol.CountInto(symbols, _counts);
        int zeros = _counts[0];
        (_counts[0], _counts[WeightSymbol.MinusZero]) = (0, zeros);
        NonZeros = Length - zeros;
        if (zeros == 0)
        {
            return;
        }

        int last = -1;
        for (int i = 0; i < symbols.Length; i++)
        {
            if (symbols[i] != 0)
            {
                AddRun(i - last - 1);
                last = i;
            }
        }

        AddRun(Length - last - 1);
    }

    private SectionStatistics(SectionStatistics first, SectionStatistics second)
    {
        Length = first.Length + second.Length;
        NonZeros = first.NonZeros + second.NonZeros;
        for (int at = 0; at < _counts.Length; at += Vector<int>.Count)
        {
            (new Vector<int>(first._counts, at) + new Vector<int>(second._counts, at)).CopyTo(_counts, at);
        }

        for (int divisor = 0; divisor < _runQuotients.Length; divisor++)
        {
            _runQuotients[divisor] = first._runQuotients[divisor] + second._runQuotients[divisor];
        }
    }

    /// <summary>Weights.</summary>
    public int Length { get; }

    public int NonZeros { get; }

    /// <summary>Weights of each symbol; zeros count as minus zero, so that no weight has symbol 0.</summary>
    public ReadOnlySpan<int> Counts => _counts;

    /// <summary>Bits of all runs with their best divisor.</summary>
    public long RunBits => RunBitsWith(BestRunDivisor);

    public int BestRunDivisor
    {
        get
        {
            int best = 0;
            for (int divisor = 1; divisor < _runQuotients.Length; divisor++)
            {
                best = RunBitsWith(divisor) < RunBitsWith(best) ? divisor : best;
            }

            return best;
        }
    }

    /// <summary>Of a section and the one behind it, which begins with a weight that is not zero.</summary>
    public static SectionStatistics Join(SectionStatistics first, SectionStatistics second) => new(first, second);

    // A slice has at least one coded weight, and there is a run before it and one behind each.
    private long RunBitsWith(int divisor) => _runQuotients[divisor] + ((Math.Max(NonZeros, 1) + 1L) * (1 + divisor));

    private void AddRun(int run)
    {
        for (int divisor = 0; divisor < _runQuotients.Length; divisor++)
        {
            _runQuotients[divisor] += run >> divisor;
        }
    }
}
