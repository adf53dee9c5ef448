namespace Optc.Formats.EthosU;

/// <summary>A section with its slices, and its exact length.</summary>
internal sealed class EncodedSection
{
    private readonly CodedSection _section;
    private readonly List<DivisorStretch> _stretches;
    private readonly List<DivisorStretch> _runStretches;

    private EncodedSection(CodedSection section, List<DivisorStretch> stretches, List<DivisorStretch> runStretches, SetupLanes lanes, SectionStatistics statistics)
    {
        (_section, _stretches, _runStretches, Lanes, Statistics) = (section, stretches, runStretches, lanes, statistics);
        BitWriter trial = new();
        WriteTo(trial);
        Bits = trial.Position;
    }

    public SetupLanes Lanes { get; }

    public SectionStatistics Statistics { get; }

    public long Bits { get; }

    /// <summary>A section of this setup with the best slices.</summary>
    public static EncodedSection Of(ReadOnlySpan<ushort> symbols, SetupLanes lanes, SectionStatistics statistics)
    {
        CodedSection coded = CodedSection.Of(symbols, lanes.Setup, lanes.HasRuns);
        List<DivisorStretch> stretches = [];
        List<DivisorStretch> runStretches = [];
        int from = 0;
        int index = 0;
        foreach (PlannedSlice slice in new SectionPath([lanes]).FindSlices(symbols))
        {
            int before = index;
            index = slice.End == symbols.Length ? coded.Indices.Length
                : lanes.HasRuns ? index + slice.End - from - symbols[from..slice.End].Count((ushort)0)
                : slice.End;
            from = slice.End;
            if (index == before)
            {
                // Zeros before the first coded weight, which no slice can have alone.
                continue;
            }

            stretches.Add(new(slice.Coding, index));
            if (lanes.HasRuns)
            {
                runStretches.Add(new(slice.RunDivisor, index));
            }
        }

        return new(coded, stretches, runStretches, lanes, statistics);
    }

    public void WriteTo(BitWriter writer) => SliceWriter.WriteSection(writer, _section, _stretches, _runStretches, SliceHeader.MaxWeights);
}
