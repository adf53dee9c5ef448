namespace Optc.Formats.EthosU;

/// <summary>Finds sections from below: many short ones, of which the two neighbours that gain most are joined until none gain.</summary>
internal static class SectionMerger
{
    private const int ShortestAtom = 64;

    private const int MostAtoms = 256;

    /// <summary>The starts of all sections, ascending from 0; behind that each begins with a weight that is not zero.</summary>
    public static List<int> Split(ReadOnlySpan<ushort> symbols)
    {
        SetupSearch search = new();
        int length = Math.Max(ShortestAtom, (symbols.Length + MostAtoms - 1) / MostAtoms);
        List<Part> parts = [];
        for (int start = 0; start < symbols.Length;)
        {
            int end = Math.Min(start + length, symbols.Length);
            int next = symbols[end..].IndexOfAnyExcept((ushort)0);
            end = next < 0 ? symbols.Length : end + next;
            SectionStatistics statistics = new(symbols[start..end]);
            parts.Add(new(start, statistics, search.Best(statistics, isThorough: false).Bits));
            start = end;
        }

        for (int i = 0; i + 1 < parts.Count; i++)
        {
            Join(parts, i, search);
        }

        while (parts.Count > 1)
        {
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
            parts[best] = new(parts[best].Start, statistics, bits);
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

        return parts.Count == 0 ? [0] : [.. parts.Select(p => p.Start)];
    }

    private static void Join(List<Part> parts, int at, SetupSearch search)
    {
        (Part part, Part next) = (parts[at], parts[at + 1]);
        part.Joined = SectionStatistics.Join(part.Statistics, next.Statistics);
        part.JoinedBits = search.Best(part.Joined, isThorough: false).Bits;
        part.Gain = part.Bits + next.Bits - part.JoinedBits;
    }

    /// <summary>A section, and what it would be with the one behind it.</summary>
    private sealed class Part(int start, SectionStatistics statistics, long bits)
    {
        public int Start { get; } = start;

        public SectionStatistics Statistics { get; } = statistics;

        public long Bits { get; } = bits;

        public SectionStatistics? Joined { get; set; }

        public long JoinedBits { get; set; }

        /// <summary>Bits that joining saves; without meaning for the last section.</summary>
        public long Gain { get; set; } = long.MinValue;
    }
}
