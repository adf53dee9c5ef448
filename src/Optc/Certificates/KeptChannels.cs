using System.Collections.Immutable;

namespace Optc.Certificates;

/// <summary>The channels of a value of the original that the result still has, in order.</summary>
/// <param name="Dropped">For each channel what the certificate says of it; null for one that stays.</param>
internal sealed record KeptChannels(int Axis, int Count, ImmutableArray<int> Kept, ImmutableArray<DroppedChannel?> Dropped)
{
    public bool IsWhole => Kept.Length == Count;

    public static KeptChannels Whole(int axis, int count) => new(axis, count, [.. Enumerable.Range(0, count)], [.. new DroppedChannel?[count]]);

    /// <summary>Same channels stay, on whatever axis.</summary>
    public bool StaysLike(KeptChannels other) => Count == other.Count && Kept.AsSpan().SequenceEqual(other.Kept.AsSpan());

    public bool Stays(int channel) => Dropped[channel] is null;
}
