using System.Runtime.InteropServices;

namespace Optc.Formats.EthosU;

/// <summary>The choices of Arm's encoder, so that the bytes are equal.</summary>
internal static class CompatibleEncoder
{
    /// <summary>Longest slice, one less than the format allows.</summary>
    private const int LongestSlice = 32767;

    /// <summary>Bits that a change of the divisor is taken to cost.</summary>
    private const int ChangePrice = 40;

    public static byte[] Encode(ReadOnlySpan<short> weights)
    {
        BitWriter writer = new(weights.Length + 64);
        DivisorSearch search = new(ChangePrice);
        ReadOnlySpan<ushort> symbols = WeightSymbol.Of(weights);
        ReadOnlySpan<int> starts = CollectionsMarshal.AsSpan(SectionSplitter.Split(symbols));
        for (int i = 0; i < starts.Length && !weights.IsEmpty; i++)
        {
            int end = i + 1 < starts.Length ? starts[i + 1] : weights.Length;
            WriteSection(writer, search, symbols[starts[i]..end]);
        }

        writer.Write(SliceHeader.EndMark, 3);
        return writer.FinishWithOnes(WeightCodec.Alignment);
    }

    private static void WriteSection(BitWriter writer, DivisorSearch search, ReadOnlySpan<ushort> symbols)
    {
        CompatiblePalette palette = CompatiblePalette.Choose(symbols);
        CodedSection section = CodedSection.Of(symbols, palette.Setup, palette.HasRuns);
        List<DivisorStretch> stretches = search.OfIndices(section.Indices.Span, palette.UncompressedBits);
        List<DivisorStretch> runStretches = section.HasRuns ? search.OfRuns(section.Runs.Span, stretches) : [];
        SliceWriter.WriteSection(writer, section, stretches, runStretches, LongestSlice);
    }
}
