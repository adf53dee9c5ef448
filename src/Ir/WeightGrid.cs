using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>A symmetric integer grid: <c>value = scale * code</c>.</summary>
/// <param name="Scales">One, or one for each index of <paramref name="Axis"/>; real units for one step.</param>
/// <param name="Bits">Codes are -(2^(Bits-1) - 1) to 2^(Bits-1) - 1.</param>
public sealed record WeightGrid(ImmutableArray<float> Scales, int Axis, int Bits = 8)
{
    public int Largest => (1 << (Bits - 1)) - 1;

    /// <summary>Notes why this cannot belong to a weight of a shape.</summary>
    internal void CheckFit(Shape shape, List<StructureBreach> breaches)
    {
        if (Bits is < 2 or > 16)
        {
            breaches.Add(new("bits of a grid", "2 to 16", $"{Bits}"));
        }

        if (Scales.IsDefaultOrEmpty || Scales.AsSpan().ContainsAnyExceptInRange(float.Epsilon, float.MaxValue))
        {
            breaches.Add(new("scales of a grid", "positive numbers", Scales.IsDefaultOrEmpty ? "none" : "others"));
        }
        else if (ChannelsOf(shape, Axis) is not { } channels)
        {
            breaches.Add(new("axis of the grid", $"one of {shape}", $"{Axis}"));
        }
        else if (Scales.Length != 1 && Scales.Length != channels)
        {
            breaches.Add(new("a scale for each channel", $"{channels}", $"{Scales.Length}"));
        }
    }

    /// <summary>Channels along an axis; <see langword="null"/> where there is no such axis.</summary>
    internal static int? ChannelsOf(Shape shape, int axis) =>
        shape.Rank == 0 && axis == 0 ? 1 : axis >= 0 && axis < shape.Rank ? shape[axis] : null;
}
