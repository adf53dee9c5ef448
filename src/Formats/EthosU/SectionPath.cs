using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Formats.EthosU;

/// <summary>Divides weights into sections and slices: the shortest path over all setups and codings at once, with what a change of each costs.</summary>
/// <remarks>
/// A state is a setup and a way to code. From one weight to the next a path stays in its state, begins a slice (from the best state of its setup),
/// or a section (from the best state of all). With runs a slice can only begin at a weight that is coded, and a section not inside of a run; the
/// last is no rule of the format, but without it the phase of a run would depend on the path.
/// </remarks>
internal sealed class SectionPath(IReadOnlyList<SetupLanes> setups)
{
    /// <summary>Marks of lanes in one number: low half for a new slice, high half for a new section.</summary>
    private const int SectionShift = 16;

    /// <summary>Plans a stretch of weights.</summary>
    /// <param name="symbols">At least one.</param>
    public ImmutableArray<PlannedSection> Find(ReadOnlySpan<ushort> symbols) => Find(symbols, hasSections: true);

    /// <summary>Plans a stretch of weights as one section with the only setup.</summary>
    /// <inheritdoc cref="Find(ReadOnlySpan{ushort})"/>
    public ImmutableArray<PlannedSlice> FindSlices(ReadOnlySpan<ushort> symbols) => Find(symbols, hasSections: false)[0].Slices;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ImmutableArray<PlannedSection> Find(ReadOnlySpan<ushort> symbols, bool hasSections)
    {
        int count = setups.Count;
        SetupLanes[] lanes = [.. setups];
        Vector256<short>[] own = [.. lanes.Select(s => s.SectionPrice)];
        uint[] begun = new uint[symbols.Length * count];
        byte[] bestLanes = new byte[symbols.Length * count];
        byte[] bestSetups = new byte[symbols.Length];
        short[] bests = new short[count];
        int zeros = 0;
        for (int i = 0; i < symbols.Length; i++)
        {
            int symbol = symbols[i];
            short least = short.MaxValue;
            for (int s = 0; s < count; s++)
            {
                bests[s] = DivisorSearch.MinAcross(own[s])[0];
                if (bests[s] < least)
                {
                    (least, bestSetups[i]) = (bests[s], (byte)s);
                }
            }

            bool isCoded = symbol != 0;
            bool isInsideRun = !isCoded && zeros > 0;
            for (int s = 0; s < count; s++)
            {
                SetupLanes setup = lanes[s];
                Vector256<short> stay = own[s] - Vector256.Create(least);
                bestLanes[(i * count) + s] = (byte)BitOperations.TrailingZeroCount(
                    Vector256.Equals(own[s], Vector256.Create(bests[s])).ExtractMostSignificantBits());
                uint marks = 0;
                if (isCoded || !setup.HasRuns)
                {
                    Vector256<short> slice = setup.SlicePrice + Vector256.Create((short)(bests[s] - least));
                    marks = Vector256.GreaterThan(stay, slice).ExtractMostSignificantBits();
                    stay = Vector256.Min(stay, slice);
                }

                if (hasSections && (!isInsideRun || !setup.HasRuns))
                {
                    uint sections = Vector256.GreaterThan(stay, setup.SectionPrice).ExtractMostSignificantBits();
                    marks = (marks & ~sections) | (sections << SectionShift);
                    stay = Vector256.Min(stay, setup.SectionPrice);
                }

                begun[(i * count) + s] = marks;
                own[s] = stay + setup.Cost(symbol, zeros);
            }

            zeros = isCoded ? 0 : zeros + 1;
        }

        return TraceBack(own, begun, bestLanes, bestSetups);
    }

    private ImmutableArray<PlannedSection> TraceBack(Vector256<short>[] own, uint[] begun, byte[] bestLanes, byte[] bestSetups)
    {
        int count = setups.Count;
        int current = 0;
        for (int s = 1; s < count; s++)
        {
            current = DivisorSearch.MinAcross(own[s])[0] < DivisorSearch.MinAcross(own[current])[0] ? s : current;
        }

        int lane = BitOperations.TrailingZeroCount(Vector256.Equals(own[current], DivisorSearch.MinAcross(own[current])).ExtractMostSignificantBits());
        List<PlannedSection> sections = [];
        List<PlannedSlice> slices = [];
        int sectionEnd = bestSetups.Length;
        int sliceEnd = sectionEnd;
        for (int i = bestSetups.Length - 1; i >= 0; i--)
        {
            uint marks = begun[(i * count) + current] >> lane;
            bool isSection = i == 0 || ((marks >> SectionShift) & 1) != 0;
            if (!isSection && (marks & 1) == 0)
            {
                continue;
            }

            (int coding, int runDivisor) = setups[current].Codings[lane];
            slices.Add(new(sliceEnd, coding, runDivisor));
            sliceEnd = i;
            if (isSection)
            {
                slices.Reverse();
                sections.Add(new(i, sectionEnd, setups[current], [.. slices]));
                slices.Clear();
                sectionEnd = i;
                current = bestSetups[i];
            }

            lane = bestLanes[(i * count) + current];
        }

        sections.Reverse();
        return [.. sections];
    }
}
