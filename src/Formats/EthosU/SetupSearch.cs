using System.Collections.Immutable;
using System.Numerics;

namespace Optc.Formats.EthosU;

/// <summary>Looks for the palette, offset and divisor that make a section shortest, from its statistics alone.</summary>
/// <remarks>
/// A palette of p entries moves every other symbol up by p, and the direct offset d moves it down again, where d is at most the least symbol outside
/// of the palette. So the search is over p and the number f of least symbols that are in the palette to make room for d; the other
/// p - f entries are those that gain most: rare symbols far away that few bits can reach, or frequent ones. For given f, p and divisor that
/// choice is exact as long as all entries have quotient 0.
/// </remarks>
internal sealed class SetupSearch
{
    /// <summary>Expected fill of the last step of a bit plane.</summary>
    private const int PlaneFill = 6;

    private const long Impossible = 1L << 50;

    private static readonly (int Size, int Forced)[] Neighbours =
    [
        (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (2, 0), (-2, 0), (0, 2), (0, -2), (2, 2), (-2, -2), (4, 4), (-4, -4), (1, -1), (-1, 1),
    ];

    private readonly int[] _symbols = new int[WeightSymbol.Count];
    private readonly long[] _counts = new long[WeightSymbol.Count];
    private readonly long[] _gains = new long[PaletteSetup.MaxPalette];
    private readonly int[] _chosen = new int[PaletteSetup.MaxPalette];
    private int _used;
    private long _total;
    private Candidate _best;

    private static ReadOnlySpan<int> CoarseSizes => [2, 4, 8, 16, 24, 32];

    private static ReadOnlySpan<int> FineSizes => [2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 31, 32];

    /// <summary>The shortest plan that is found, with or without runs.</summary>
    /// <param name="isThorough">Try more sizes, and go on from the best of them.</param>
    public SectionPlan Best(SectionStatistics statistics, bool isThorough)
    {
        SectionPlan? direct = BestWithoutRuns(statistics, isThorough);
        if (direct is not null && (statistics.NonZeros == statistics.Length || statistics.NonZeros + statistics.RunBits + SliceHeader.Bits > direct.Bits))
        {
            return direct;
        }

        SectionPlan runs = BestWithRuns(statistics, isThorough);
        return direct is null || runs.Bits < direct.Bits ? runs : direct;
    }

    /// <returns><see langword="null"/> for zeros alone, which are shorter as a run.</returns>
    /// <inheritdoc cref="Best"/>
    public SectionPlan? BestWithoutRuns(SectionStatistics statistics, bool isThorough)
    {
        if (statistics.NonZeros == 0)
        {
            return null;
        }

        Search(statistics, hasRuns: false, isThorough);
        return new(SetupOf(_best), false, _best.Coding, _best.Bits);
    }

    /// <inheritdoc cref="Best"/>
    public SectionPlan BestWithRuns(SectionStatistics statistics, bool isThorough)
    {
        Search(statistics, hasRuns: true, isThorough);
        return new(SetupOf(_best), true, _best.Coding, _best.Bits + statistics.RunBits + PlaneFill);
    }

    private void Load(SectionStatistics statistics, bool hasRuns)
    {
        _used = 0;
        _total = hasRuns ? statistics.NonZeros : statistics.Length;
        for (int symbol = hasRuns ? WeightSymbol.MinusZero + 1 : WeightSymbol.MinusZero; symbol < WeightSymbol.Count; symbol++)
        {
            if (statistics.Counts[symbol] > 0)
            {
                _symbols[_used] = symbol;
                _counts[_used++] = statistics.Counts[symbol];
            }
        }

        if (_used == 0)
        {
            // All zero, and a slice needs one coded weight.
            _symbols[0] = WeightSymbol.MinusZero;
            _counts[0] = 1;
            _used = 1;
            _total = 1;
        }
    }

    private void Search(SectionStatistics statistics, bool hasRuns, bool isThorough)
    {
        Load(statistics, hasRuns);
        _best = new(DivisorSearch.UncompressedCoding, 0, 0, Impossible);
        TryUncompressed();
        int nearest = 0;
        long least = Impossible;
        for (int divisor = 0; divisor < DivisorSearch.Divisors; divisor++)
        {
            long bits = Try(divisor, 0, 0);
            if (bits < least)
            {
                (least, nearest) = (bits, divisor);
            }
        }

        int reach = isThorough ? 2 : 1;
        for (int divisor = Math.Max(nearest - reach, 0); divisor <= Math.Min(nearest + reach, DivisorSearch.Divisors - 1); divisor++)
        {
            for (int coding = divisor; coding < DivisorSearch.UncompressedCoding; coding += DivisorSearch.Divisors)
            {
                TryPalettes(coding, isThorough);
            }
        }
    }

    private void TryPalettes(int coding, bool isThorough)
    {
        int most = Math.Min(PaletteSetup.MaxPalette, Math.Max(_used, 2));
        Candidate best = new(coding, 0, 0, Try(coding, 0, 0));
        foreach (int coarse in isThorough ? FineSizes : CoarseSizes)
        {
            int size = Math.Min(coarse, most);
            Improve(ref best, size, 0);
            Improve(ref best, size, size);
            if (isThorough)
            {
                Improve(ref best, size, size / 2);
            }
        }

        while (isThorough)
        {
            Candidate center = best;
            foreach ((int bySize, int byForced) in Neighbours)
            {
                int size = center.Size + bySize;
                int forced = center.Forced + byForced;
                if (size >= 2 && size <= most && forced >= 0 && forced <= size)
                {
                    Improve(ref best, size, forced);
                }
            }

            isThorough = best != center;
        }
    }

    private void Improve(ref Candidate best, int size, int forced)
    {
        long bits = Try(best.Coding, size, forced);
        best = bits < best.Bits ? new(best.Coding, size, forced, bits) : best;
    }

    private void TryUncompressed()
    {
        int largest = _symbols[_used - 1];
        int width = PaletteSetup.FieldBitsFor(largest - Math.Min(_symbols[0], PaletteSetup.MaxDirectOffset));
        Keep(new(DivisorSearch.UncompressedCoding, 0, 0, SliceHeader.Bits + PaletteSetup.FixedBits + (_total * width)));
        if (_used <= PaletteSetup.MaxPalette)
        {
            int size = Math.Max(_used, 2);
            width = BitOperations.Log2((uint)size - 1) + 1;
            long setup = PaletteSetup.FixedBits + ((long)size * PaletteSetup.FieldBitsFor(largest));
            Keep(new(DivisorSearch.UncompressedCoding, size, size, SliceHeader.Bits + setup + (_total * width)));
        }
    }

    /// <returns>Bits of the section without its runs; <see cref="Impossible"/> and more if weights cannot be coded so.</returns>
    private long Try(int coding, int size, int forced)
    {
        int divisor = coding % DivisorSearch.Divisors;
        if (size > 3 << divisor && coding >= DivisorSearch.Divisors)
        {
            return Impossible;
        }

        forced = Math.Min(forced, _used);
        (long extra, int entries) = Choose(coding, size, forced);
        if (extra >= Impossible)
        {
            return extra;
        }

        long setup = PaletteSetup.FixedBits;
        if (size > 0)
        {
            int largest = 0;
            foreach (int entry in _chosen.AsSpan(0, entries))
            {
                largest = Math.Max(largest, _symbols[entry]);
            }

            setup += (long)size * PaletteSetup.FieldBitsFor(largest);
            if (size > 1 << divisor)
            {
                extra += SlotExtra(coding, entries);
            }
        }

        long bits = SliceHeader.Bits + setup + (_total * (1 + divisor)) + extra + PlaneFill;
        Keep(new(coding, size, forced, bits));
        return bits;
    }

    private void Keep(Candidate candidate)
    {
        if (candidate.Bits < _best.Bits)
        {
            _best = candidate;
        }
    }

    /// <summary>Fills <see cref="_chosen"/> with the palette.</summary>
    /// <returns>Bits of the symbols outside of it beyond those of quotient 0, and the number of entries.</returns>
    private (long Extra, int Entries) Choose(int coding, int size, int forced)
    {
        int divisor = coding % DivisorSearch.Divisors;
        bool isTruncated = coding >= DivisorSearch.Divisors;
        int largestQuotient = isTruncated ? 2 : 31;
        int shift = size - OffsetFor(forced);
        int free = size - forced;
        Span<long> gains = _gains;
        Span<int> chosen = _chosen.AsSpan(forced, free);
        int filled = 0;
        long extra = 0;
        for (int i = forced; i < _used; i++)
        {
            int index = _symbols[i] + shift;
            int quotient = index >> divisor;
            long gain = quotient > largestQuotient || index >= WeightSymbol.Count ? Impossible
                : _counts[i] * (isTruncated ? Math.Min(quotient, 1) : quotient);
            extra += gain;
            if (filled == free && (free == 0 || gain <= gains[free - 1]))
            {
                continue;
            }

            // Sorted by falling gain; of equal ones the lower symbol stays, since its entry is not wider.
            int at = filled < free ? filled++ : free - 1;
            for (; at > 0 && gains[at - 1] < gain; at--)
            {
                gains[at] = gains[at - 1];
                chosen[at] = chosen[at - 1];
            }

            gains[at] = gain;
            chosen[at] = i;
        }

        foreach (long gain in gains[..filled])
        {
            extra -= gain;
        }

        for (int i = 0; i < forced; i++)
        {
            _chosen[i] = i;
        }

        return (extra, forced + filled);
    }

    private int OffsetFor(int forced) =>
        forced < _used ? Math.Min(_symbols[forced], PaletteSetup.MaxDirectOffset) : PaletteSetup.MaxDirectOffset;

    /// <summary>Bits of palette indices beyond those of quotient 0, with the most frequent symbols first.</summary>
    private long SlotExtra(int coding, int entries)
    {
        SortChosen(entries);
        int divisor = coding % DivisorSearch.Divisors;
        long extra = 0;
        for (int i = 1 << divisor; i < entries; i++)
        {
            extra += _counts[_chosen[i]] * (coding >= DivisorSearch.Divisors ? 1 : i >> divisor);
        }

        return extra;
    }

    private void SortChosen(int entries) =>
        _chosen.AsSpan(0, entries).Sort((a, b) => _counts[a] != _counts[b] ? _counts[b].CompareTo(_counts[a]) : a.CompareTo(b));

    private PaletteSetup SetupOf(Candidate candidate)
    {
        if (candidate.Size == 0)
        {
            int offset = OffsetFor(0);
            int fieldBits = PaletteSetup.FieldBitsFor(_symbols[_used - 1] - offset);
            return new([], offset, fieldBits);
        }

        int entries = candidate.Forced;
        if (candidate.Coding == DivisorSearch.UncompressedCoding)
        {
            entries = _used;
            for (int i = 0; i < entries; i++)
            {
                _chosen[i] = i;
            }
        }
        else
        {
            (_, entries) = Choose(candidate.Coding, candidate.Size, candidate.Forced);
        }

        SortChosen(entries);
        ImmutableArray<ushort>.Builder palette = ImmutableArray.CreateBuilder<ushort>(candidate.Size);
        int largest = 0;
        foreach (int entry in _chosen.AsSpan(0, entries))
        {
            int symbol = _symbols[entry] == WeightSymbol.MinusZero ? 0 : _symbols[entry];
            palette.Add((ushort)symbol);
            largest = Math.Max(largest, symbol);
        }

        while (palette.Count < candidate.Size)
        {
            // Filler: an index that no weight has.
            palette.Add(0);
        }

        return new(palette.MoveToImmutable(), OffsetFor(Math.Min(candidate.Forced, _used)), PaletteSetup.FieldBitsFor(largest));
    }

    /// <param name="Size">Entries of the palette.</param>
    /// <param name="Forced">Least symbols that are in the palette whatever they gain.</param>
    /// <param name="Bits">Length of the section without its runs.</param>
    private readonly record struct Candidate(int Coding, int Size, int Forced, long Bits);
}
