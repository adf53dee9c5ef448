using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Ir;

/// <summary>Affine quantization: <c>real = scale * (q - zero point)</c>, per tensor or per slice along one axis.</summary>
/// <param name="Scales">One scale, or one for each index of <paramref name="Axis"/>; real units for one step.</param>
/// <param name="ZeroPoints">As many as scales, or a single one that stands for all.</param>
/// <param name="Axis">The dimension that the scales run along; without meaning for a single scale.</param>
public sealed record QuantParams(ImmutableArray<float> Scales, ImmutableArray<long> ZeroPoints, int Axis = 0)
{
    public QuantParams(float scale, long zeroPoint)
        : this([scale], [zeroPoint])
    {
    }

    /// <summary>Range that the producer recorded, informative only: real minimum per scale; empty when none was given.</summary>
    public ImmutableArray<float> Min { get; init; } = [];

    /// <summary>Real maximum per scale; empty when none was given.</summary>
    public ImmutableArray<float> Max { get; init; } = [];

    public bool IsPerAxis => Scales.Length > 1;

    public float Scale => Scales[0];

    public long ZeroPoint => ZeroPoints[0];

    public long ZeroPointAt(int index) => ZeroPoints.Length == 1 ? ZeroPoints[0] : ZeroPoints[index];

    /// <summary>Equality of scales, zero points and (for per-axis parameters) axis; recorded ranges do not count.</summary>
    public bool Equals(QuantParams? other) =>
        other is not null
        && Scales.AsSpan().SequenceEqual(other.Scales.AsSpan())
        && ZeroPoints.AsSpan().SequenceEqual(other.ZeroPoints.AsSpan())
        && (!IsPerAxis || Axis == other.Axis);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (float scale in Scales)
        {
            hash.Add(scale);
        }

        foreach (long zero in ZeroPoints)
        {
            hash.Add(zero);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => IsPerAxis
        ? string.Create(CultureInfo.InvariantCulture, $"per-axis({Axis}) x {Scales.Length}")
        : string.Create(CultureInfo.InvariantCulture, $"scale={Scale:R} zero={ZeroPoint}");
}
