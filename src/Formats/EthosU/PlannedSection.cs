using System.Collections.Immutable;

namespace Optc.Formats.EthosU;

/// <summary>A section with the slices in it.</summary>
internal sealed record PlannedSection(int Start, int End, SetupLanes Lanes, ImmutableArray<PlannedSlice> Slices);
