using Optc.Formats.WeightCoding;

namespace Optc.Formats.EthosU;

/// <summary>What each code costs in a stream of one section: the index by its palette and divisor, and the run before it.</summary>
/// <remarks>
/// With runs, a weight that is not zero pays the end of its run too (a bit, and the remainder), and a zero its part of the quotients of all runs. The
/// length of all weights together is that of one section of one stretch, which streams of a layer's size mostly are.
/// </remarks>
internal static class StreamLengths
{
    // Of a symbol that the palette leaves no index for: it would need a slice of its own.
    private const double Unreachable = 2 * SliceHeader.Bits;

    /// <param name="weights">At least one, from -255 to 255.</param>
    public static CodeLengths Of(ReadOnlySpan<short> weights, WeightCodecMode mode)
    {
        ushort[] symbols = WeightSymbol.Of(weights);
        SectionStatistics statistics = new(symbols);
        CodeLengths compatible = Of(statistics, Compatible(symbols, statistics));
        if (mode == WeightCodecMode.Compatible)
        {
            return compatible;
        }

        CodeLengths searched = Of(statistics, Smallest(statistics));
        return searched.Sum(weights) < compatible.Sum(weights) ? searched : compatible;
    }

    private static CodeLengths Of(SectionStatistics statistics, (PaletteSetup Setup, bool HasRuns, int Coding) plan)
    {
        (PaletteSetup setup, bool hasRuns, int coding) = plan;
        ushort[] indices = new ushort[WeightSymbol.Count];
        setup.FillIndices(indices);
        int zeros = statistics.Length - statistics.NonZeros;
        int perWeight = hasRuns ? 1 + statistics.BestRunDivisor : 0;
        double ofZero = hasRuns && zeros > 0 ? (statistics.RunBits - ((Math.Max(statistics.NonZeros, 1) + 1.0) * perWeight)) / zeros : 0;
        double[] bits = new double[(2 * CodeLengths.LargestCode) + 1];
        for (int code = -CodeLengths.LargestCode; code <= CodeLengths.LargestCode; code++)
        {
            int symbol = (2 * Math.Abs(code)) | (code >>> 31);
            bits[code + CodeLengths.LargestCode] = code == 0 && hasRuns ? ofZero
                : perWeight + (indices[symbol] == PaletteSetup.NoIndex ? Unreachable : LengthOf(indices[symbol], coding, setup));
        }

        return new(bits, SliceHeader.Bits + setup.Bits + perWeight);
    }

    private static (PaletteSetup Setup, bool HasRuns, int Coding) Smallest(SectionStatistics statistics)
    {
        SectionPlan plan = new SetupSearch().Best(statistics, isThorough: true);
        return (plan.Setup, plan.HasRuns, plan.Coding);
    }

    private static (PaletteSetup Setup, bool HasRuns, int Coding) Compatible(ReadOnlySpan<ushort> symbols, SectionStatistics statistics)
    {
        CompatiblePalette chosen = CompatiblePalette.Choose(symbols);
        ushort[] indices = new ushort[WeightSymbol.Count];
        chosen.Setup.FillIndices(indices);
        (double least, int best) = (double.PositiveInfinity, 0);
        for (int coding = 0; coding < DivisorSearch.Codings; coding++)
        {
            if (coding == DivisorSearch.UncompressedCoding && chosen.UncompressedBits is null)
            {
                continue;
            }

            double bits = 0;
            for (int symbol = chosen.HasRuns ? WeightSymbol.MinusZero + 1 : WeightSymbol.MinusZero; symbol < WeightSymbol.Count; symbol++)
            {
                // Zeros are counted as minus zero, and looked up as zero.
                int count = statistics.Counts[symbol];
                bits += count == 0 ? 0 : count * LengthOf(indices[symbol == WeightSymbol.MinusZero ? 0 : symbol], coding, chosen.Setup);
            }

            (least, best) = bits < least ? (bits, coding) : (least, best);
        }

        return (chosen.Setup, chosen.HasRuns, best);
    }

    private static double LengthOf(int index, int coding, PaletteSetup setup)
    {
        if (coding == DivisorSearch.UncompressedCoding)
        {
            bool isThere = setup.Palette.IsEmpty ? index < 1 << setup.FieldBits : index < setup.Palette.Length;
            return isThere ? setup.UncompressedBits : Unreachable;
        }

        int divisor = coding % DivisorSearch.Divisors;
        int quotient = index >> divisor;
        bool isTruncated = coding >= DivisorSearch.Divisors;
        return quotient > (isTruncated ? 2 : 31) ? Unreachable : (isTruncated ? Math.Min(quotient + 1, 2) : quotient + 1) + divisor;
    }
}
