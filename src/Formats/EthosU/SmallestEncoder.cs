namespace Optc.Formats.EthosU;

/// <summary>Looks for the shortest stream: setups from statistics, then sections and slices as a shortest path over them, and again.</summary>
internal sealed class SmallestEncoder
{
    /// <summary>Setups among which a path may change.</summary>
    private const int MostSetups = 16;

    private const int MostRounds = 4;

    /// <summary>Weights that are planned at once, which bounds memory; at their ends a section ends.</summary>
    private const int Window = 1 << 17;

    private readonly SetupSearch _search = new();
    private readonly BitWriter _writer;

    private SmallestEncoder(int weights) => _writer = new(weights + 64);

    public static byte[] Encode(ReadOnlySpan<short> weights)
    {
        ReadOnlySpan<ushort> symbols = WeightSymbol.Of(weights);
        SmallestEncoder encoder = new(weights.Length);
        for (int at = 0; at < symbols.Length; at += Window)
        {
            encoder.WriteWindow(symbols[at..Math.Min(at + Window, symbols.Length)]);
        }

        encoder._writer.Write(SliceHeader.EndMark, 3);
        return encoder._writer.FinishWithOnes(WeightCodec.Alignment);
    }

    private void WriteWindow(ReadOnlySpan<ushort> symbols)
    {
        List<SetupLanes> setups = FirstSetups(symbols);
        List<EncodedSection>? best = null;
        for (int round = 0; round < MostRounds; round++)
        {
            List<EncodedSection> sections = [];
            foreach (PlannedSection section in new SectionPath(setups).Find(symbols))
            {
                sections.Add(Improve(symbols[section.Start..section.End], section));
            }

            if (best is not null && sections.Sum(s => s.Bits) >= best.Sum(s => s.Bits))
            {
                break;
            }

            best = sections;
            setups = NextSetups(setups, sections);
        }

        foreach (EncodedSection section in best!)
        {
            section.WriteTo(_writer);
        }
    }

    /// <summary>Setups of the whole, of which the first can code everything, and of the sections that joining neighbours finds.</summary>
    private List<SetupLanes> FirstSetups(ReadOnlySpan<ushort> symbols)
    {
        SectionStatistics whole = new(symbols);
        List<SetupLanes> setups = [];
        AddBoth(setups, whole);
        foreach (SectionStatistics part in SectionMerger.Parts(symbols, MostSetups - setups.Count))
        {
            Add(setups, _search.Best(part, isThorough: false), part);
        }

        return setups;
    }

    /// <summary>
    /// One that can code everything, those that were made for the sections of a path, long sections first, and those that it chose from.
    /// </summary>
    private static List<SetupLanes> NextSetups(List<SetupLanes> setups, List<EncodedSection> sections)
    {
        List<SetupLanes> next = [setups[0]];
        foreach (EncodedSection section in sections.OrderByDescending(s => s.Statistics.Length).Take(MostSetups))
        {
            Add(next, section.Lanes);
        }

        foreach (SetupLanes setup in setups)
        {
            Add(next, setup);
        }

        return next;
    }

    private static void Add(List<SetupLanes> setups, SetupLanes lanes)
    {
        if (setups.Count < MostSetups && !setups.Exists(s => s.IsSameSetup(lanes.Setup, lanes.HasRuns)))
        {
            setups.Add(lanes);
        }
    }

    private static void Add(List<SetupLanes> setups, SectionPlan plan, SectionStatistics statistics)
    {
        if (setups.Count < MostSetups && !setups.Exists(s => s.IsSameSetup(plan.Setup, plan.HasRuns)))
        {
            setups.Add(new(plan.Setup, plan.HasRuns, statistics));
        }
    }

    private void AddBoth(List<SetupLanes> setups, SectionStatistics statistics)
    {
        if (_search.BestWithoutRuns(statistics, isThorough: false) is { } direct)
        {
            Add(setups, direct, statistics);
        }

        if (statistics.NonZeros < statistics.Length)
        {
            Add(setups, _search.BestWithRuns(statistics, isThorough: false), statistics);
        }
    }

    /// <summary>The shorter of a section as it is planned, and with a setup made for it.</summary>
    private EncodedSection Improve(ReadOnlySpan<ushort> symbols, PlannedSection section)
    {
        SectionStatistics statistics = new(symbols);
        SectionPlan plan = _search.Best(statistics, isThorough: true);
        EncodedSection own = EncodedSection.Of(symbols, new(plan.Setup, plan.HasRuns, statistics), statistics);
        if (statistics.NonZeros == 0)
        {
            // One of the zeros is coded, for which the planned setup need not have an index.
            return own;
        }

        EncodedSection planned = EncodedSection.Of(symbols, section.Lanes, statistics);
        return own.Bits < planned.Bits ? own : planned;
    }
}
