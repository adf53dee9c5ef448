using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>Values of a weight that are zero for good.</summary>
/// <param name="Pattern">How they were chosen, in words such as <c>elements</c>, <c>2:4</c>, <c>blocks 4x1</c>, <c>channels</c>.</param>
/// <param name="Kept">One entry for each value in row-major order: <see langword="false"/> where it is zero.</param>
public sealed record SparsityMask(string Pattern, ImmutableArray<bool> Kept)
{
    public int Zeros { get; } = Kept.Count(k => !k);
}
