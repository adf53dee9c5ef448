namespace Optc.Formats.EthosU;

/// <summary>Looks for the shortest stream.</summary>
internal static class SmallestEncoder
{
    /// <summary>Bits that a change of the divisor costs: the header, and the fill of one plane.</summary>
    private const int ChangePrice = SliceHeader.Bits + 6;

    public static byte[] Encode(ReadOnlySpan<short> weights)
    {
        ReadOnlySpan<ushort> symbols = WeightSymbol.Of(weights);
        byte[] one = Encode(symbols, [0]);
        byte[] merged = Encode(symbols, SectionMerger.Split(symbols));
        byte[] shortest = merged.Length < one.Length ? merged : one;
        byte[] compatible = Encode(symbols, SectionSplitter.Split(symbols));
        return compatible.Length < shortest.Length ? compatible : shortest;
    }

    private static byte[] Encode(ReadOnlySpan<ushort> symbols, List<int> starts)
    {
        BitWriter writer = new(symbols.Length + 64);
        DivisorSearch search = new(ChangePrice);
        SetupSearch setups = new();
        for (int i = 0; i < starts.Count && !symbols.IsEmpty; i++)
        {
            ReadOnlySpan<ushort> section = symbols[starts[i]..(i + 1 < starts.Count ? starts[i + 1] : symbols.Length)];
            WriteSection(writer, search, section, setups.Best(new(section), isThorough: true));
        }

        writer.Write(SliceHeader.EndMark, 3);
        return writer.FinishWithOnes(WeightCodec.Alignment);
    }

    private static void WriteSection(BitWriter writer, DivisorSearch search, ReadOnlySpan<ushort> symbols, SectionPlan plan)
    {
        CodedSection section = CodedSection.Of(symbols, plan.Setup, plan.HasRuns);
        int? uncompressed = plan.Coding == DivisorSearch.UncompressedCoding ? plan.Setup.UncompressedBits : null;
        List<DivisorStretch> stretches = search.OfIndices(section.Indices.Span, uncompressed);
        List<DivisorStretch> runStretches = section.HasRuns ? search.OfRuns(section.Runs.Span, stretches) : [];
        BitWriter trial = new();
        SliceWriter.WriteSection(trial, section, stretches, runStretches, SliceHeader.MaxWeights);
        List<DivisorStretch> whole = [new(plan.Coding, section.Indices.Length)];
        List<DivisorStretch> wholeRuns = section.HasRuns ? search.OfRuns(section.Runs.Span, whole) : [];
        BitWriter other = new();
        SliceWriter.WriteSection(other, section, whole, wholeRuns, SliceHeader.MaxWeights);
        if (other.Position <= trial.Position)
        {
            (stretches, runStretches) = (whole, wholeRuns);
        }

        SliceWriter.WriteSection(writer, section, stretches, runStretches, SliceHeader.MaxWeights);
    }
}
