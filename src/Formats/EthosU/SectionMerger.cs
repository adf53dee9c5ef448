namespace Optc.Formats.EthosU;

/// <summary>Finds sections from below: many short ones, of which the two neighbours that gain most are joined until none gain.</summary>
internal static class SectionMerger
{
    private const int ShortestAtom = 64;

    private const int MostAtoms = 256;

    /// <summary>The sections that are left, long ones first, then those that were there when few enough were left.</summary>
    /// <param name="most">Number of sections that are few enough.</param>
    public static List<SectionStatistics> Parts(ReadOnlySpan<ushort> symbols, int most)
    {
        List<SectionStatistics> early = [];
        SetupSearch search = new();
        int length = Math.Max(ShortestAtom, (symbols.Length + MostAtoms - 1) / MostAtoms);
        List<Part> parts = [];
        for (int start = 0; start < symbols.Length;)
        {
            int end = Math.Min(start + length, symbols.Length);
            int next = symbols[end..].IndexOfAnyExcept((ushort)0);
            end = next < 0 ? symbols.Length : end + next;
            SectionStatistics statistics = new(symbols[start..end]);
            parts.Add(new(statistics, search.Best(statistics, isThorough: false).Bits));
            start = end;
        }

        for (int i = 0; i + 1 < parts.Count; i++)
        {
            Join(parts, i, search);
        }

        while (parts.Count > 1)
        {
            if (parts.Count == most)
            {
                early.AddRange(parts.Select(p => p.Statistics));
            }

            int best = 0;
            for (int i = 1; i + 1 < parts.Count; i++)
            {
                best = parts[i].Gain > parts[best].Gain ? i : best;
            }

            if (parts[best].Gain <= 0)
            {
                break;
            }

            (SectionStatistics statistics, long bits) = (parts[best].Joined!, parts[best].JoinedBits);
            parts[best] = new(statistics, bits);
            parts.RemoveAt(best + 1);
            if (best > 0)
            {
                Join(parts, best - 1, search);
            }

            if (best + 1 < parts.Count)
            {
                Join(parts, best, search);
            }
        }

        return [.. parts.Select(p => p.Statistics).OrderByDescending(s => s.Length), .. early];
    }

    private static void Join(List<Part> parts, int at, SetupSearch search)
    {
        (Part part, Part next) = (parts[at], parts[at + 1]);
        part.Joined = SectionStatistics.Join(part.Statistics, next.Statistics);
        part.JoinedBits = search.Best(part.Joined, isThorough: false).Bits;
        part.Gain = part.Bits + next.Bits - part.JoinedBits;
    }

    /// <summary>A section, and what it would be with the one behind it.</summary>
    private sealed class Part(SectionStatistics statistics, long bits)
    {
        public SectionStatistics Statistics { get; } = statistics;

        public long Bits { get; } = bits;

        public SectionStatistics? Joined { get; set; }

        public long JoinedBits { get; set; }

        /// <summary>Bits that joining saves; without meaning for the last section.</summary>
        public long Gain { get; set; } = long.MinValue;
    }
}
