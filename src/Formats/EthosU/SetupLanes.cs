using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Optc.Formats.EthosU;

/// <summary>A setup and the ways to code slices with it that a search considers, one in each lane of a vector of costs.</summary>
internal sealed class SetupLanes
{
    public const int Lanes = 16;

    /// <summary>More than any path can bear.</summary>
    private const short Impossible = 10000;

    /// <summary>Expected fill of the last step of a bit plane.</summary>
    private const int PlaneFill = 6;

    private const int RunPhases = 8;

    // With runs there are more ways than lanes: so many codings by the three best divisors of runs.
    private const int CodingsWithRuns = 5;

    private readonly Vector256<short>[] _costs = new Vector256<short>[WeightSymbol.Count];
    private readonly Vector256<short>[] _zeroCosts = new Vector256<short>[RunPhases];

    /// <param name="statistics">Of the weights for which the lanes are chosen.</param>
    public SetupLanes(PaletteSetup setup, bool hasRuns, SectionStatistics statistics)
    {
        (Setup, HasRuns) = (setup, hasRuns);
        ushort[] indices = new ushort[WeightSymbol.Count];
        setup.FillIndices(indices);
        Codings = Choose(statistics, indices);
        short[] costs = new short[WeightSymbol.Count * Lanes];
        short[] zeroCosts = new short[RunPhases * Lanes];
        Array.Fill(costs, Impossible);
        Vector256<short> slice = Vector256.Create(Impossible);
        Vector256<short> section = slice;
        for (int lane = 0; lane < Codings.Length; lane++)
        {
            (int coding, int runDivisor) = Codings[lane];
            int fill = (coding == DivisorSearch.UncompressedCoding ? 0 : PlaneFill) + (hasRuns ? PlaneFill : 0);
            slice = slice.WithElement(lane, (short)(SliceHeader.Bits + fill));
            section = section.WithElement(lane, (short)(SliceHeader.Bits + fill + setup.Bits + (hasRuns ? 1 + runDivisor : 0)));
            for (int symbol = 0; symbol < WeightSymbol.Count; symbol++)
            {
                int bits = CostOf(indices[symbol], coding) + (hasRuns ? 1 + runDivisor : 0);
                costs[(symbol * Lanes) + lane] = (short)Math.Min(bits, Impossible);
            }

            for (int phase = 0; phase < RunPhases; phase++)
            {
                bool isWhole = ((phase + 1) & ((1 << runDivisor) - 1)) == 0;
                zeroCosts[(phase * Lanes) + lane] = (short)(isWhole ? 1 : 0);
            }
        }

        MemoryMarshal.Cast<short, Vector256<short>>(costs).CopyTo(_costs);
        MemoryMarshal.Cast<short, Vector256<short>>(zeroCosts).CopyTo(_zeroCosts);
        (SlicePrice, SectionPrice) = (slice, section);
    }

    public PaletteSetup Setup { get; }

    public bool HasRuns { get; }

    /// <summary>Coding of the indices (a number of <see cref="DivisorSearch"/>) and divisor of the runs, by lane.</summary>
    public ImmutableArray<(int Coding, int RunDivisor)> Codings { get; }

    /// <summary>Bits of a slice that keeps the setup, without its numbers.</summary>
    public Vector256<short> SlicePrice { get; }

    /// <summary>Bits of a slice with the setup, without its numbers.</summary>
    public Vector256<short> SectionPrice { get; }

    /// <summary>Bits of one weight, with the end of the run behind it.</summary>
    /// <param name="zerosBefore">Zeros directly before it.</param>
    public Vector256<short> Cost(int symbol, int zerosBefore) =>
        HasRuns && symbol == 0 ? _zeroCosts[zerosBefore & (RunPhases - 1)] : _costs[symbol & (WeightSymbol.Count - 1)];

    public bool IsSameSetup(PaletteSetup setup, bool hasRuns) => HasRuns == hasRuns && Setup.DirectOffset == setup.DirectOffset
        && Setup.FieldBits == setup.FieldBits && Setup.Palette.AsSpan().SequenceEqual(setup.Palette.AsSpan());

    private ImmutableArray<(int Coding, int RunDivisor)> Choose(SectionStatistics statistics, ReadOnlySpan<ushort> indices)
    {
        long[] bits = new long[DivisorSearch.Codings];
        for (int symbol = HasRuns ? WeightSymbol.MinusZero + 1 : WeightSymbol.MinusZero; symbol < WeightSymbol.Count; symbol++)
        {
            int count = statistics.Counts[symbol];
            int index = indices[symbol == WeightSymbol.MinusZero ? 0 : symbol];
            for (int coding = 0; coding < bits.Length && count > 0; coding++)
            {
                bits[coding] += (long)count * CostOf(index, coding);
            }
        }

        if (!HasRuns)
        {
            return [.. Enumerable.Range(0, DivisorSearch.Codings).Select(c => (c, 0))];
        }

        int best = statistics.BestRunDivisor;
        int first = Math.Clamp(best - 1, 0, DivisorSearch.RunDivisors - 3);
        int[] order = [.. Enumerable.Range(0, DivisorSearch.Codings).OrderBy(c => bits[c]).ThenBy(c => c).Take(CodingsWithRuns)];
        return [.. from coding in order from divisor in Enumerable.Range(first, 3) select (coding, divisor)];
    }

    private int CostOf(int index, int coding)
    {
        if (coding != DivisorSearch.UncompressedCoding)
        {
            return DivisorSearch.Cost(index, coding);
        }

        bool fits = index < (Setup.Palette.IsEmpty ? 1 << Setup.FieldBits : Setup.Palette.Length);
        return fits ? Setup.UncompressedBits : Impossible;
    }
}
