using System.Collections.Immutable;

namespace Optc.Formats.EthosU;

/// <summary>What Arm's encoder chooses for a section: greedy, by the counts of its weights.</summary>
/// <param name="HasRuns">Zeros are coded as runs: zero is more than four times as frequent as any other weight.</param>
/// <param name="UncompressedBits">Bits of an index that is not compressed; null where that is not allowed.</param>
internal sealed record CompatiblePalette(PaletteSetup Setup, bool HasRuns, int? UncompressedBits)
{
    public static CompatiblePalette Choose(ReadOnlySpan<ushort> symbols)
    {
        Span<int> counts = stackalloc int[WeightSymbol.Count];
        WeightSymbol.CountInto(symbols, counts);

        int others = 0;
        foreach (int count in counts[1..])
        {
            others = Math.Max(others, count);
        }

        bool hasRuns = counts[0] > 4L * others;
        int total = symbols.Length;
        if (hasRuns)
        {
            total -= counts[0];
            counts[0] = 0;
        }

        Span<(int Count, int Symbol)> used = stackalloc (int, int)[WeightSymbol.Count];
        int usedCount = 0;
        for (int symbol = 0; symbol < counts.Length; symbol++)
        {
            if (counts[symbol] > 0)
            {
                used[usedCount++] = (counts[symbol], symbol);
            }
        }

        used = used[..usedCount];
        int directOffset = used.IsEmpty ? 0 : Math.Min(used[0].Symbol, PaletteSetup.MaxDirectOffset);
        int largest = used.IsEmpty ? 0 : used[^1].Symbol;
        used.Sort(static (a, b) => b.CompareTo(a));

        bool isComplete = used.Length is >= 1 and <= PaletteSetup.MaxPalette;
        int room = isComplete ? PaletteSetup.MaxPalette : Math.Min(PaletteSetup.MaxPalette, WeightSymbol.Count - 1 - largest);
        ReadOnlySpan<(int Count, int Symbol)> entries = used[..Math.Min(used.Length, room == 1 ? 0 : room)];
        long covered = 0;
        int largestEntry = 0;
        foreach ((int count, int symbol) in entries)
        {
            covered += count;
            largestEntry = Math.Max(largestEntry, symbol);
        }

        if (covered <= total / 2)
        {
            PaletteSetup direct = new([], directOffset, PaletteSetup.FieldBitsFor(largest));
            return new(direct, hasRuns, isComplete ? null : direct.FieldBits);
        }

        ImmutableArray<ushort>.Builder palette = ImmutableArray.CreateBuilder<ushort>(PaletteSetup.MaxPalette);
        foreach ((_, int symbol) in entries)
        {
            palette.Add((ushort)symbol);
        }

        if (palette.Count == 1)
        {
            // The format has no palette of one entry.
            palette.Add(0);
        }

        PaletteSetup setup = new(palette.ToImmutable(), directOffset, PaletteSetup.FieldBitsFor(largestEntry));
        return new(setup, hasRuns, isComplete ? setup.UncompressedBits : null);
    }
}
