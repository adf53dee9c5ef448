using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>Values of a weight that are zero for good.</summary>
/// <param name="Pattern">How they were chosen, in words such as <c>elements</c>, <c>2:4</c>, <c>blocks 4x1</c>, <c>channels</c>.</param>
/// <param name="Kept">One entry for each value in row-major order: <see langword="false"/> where it is zero.</param>
public sealed record SparsityMask(string Pattern, ImmutableArray<bool> Kept)
{
    public int Zeros { get; } = Kept.Count(k => !k);

    /// <summary>How many of its zeros the values of a weight have.</summary>
    /// <param name="data">f32, f16, i8 or i16, dense, of as many elements.</param>
    public int HeldBy(TensorData data)
    {
        int held = 0;
        for (int i = 0; i < Kept.Length; i++)
        {
            held += !Kept[i] && IsZero(data, i) ? 1 : 0;
        }

        return held;
    }

    /// <summary>True for 0 and -0.</summary>
    internal static bool IsZero(TensorData data, int element) => data.DType switch
    {
        DType.F32 => data.Span<float>()[element] == 0,
        DType.F16 => data.Span<Half>()[element] == Half.Zero,
        DType.I8 => data.Span<sbyte>()[element] == 0,
        _ => data.Span<short>()[element] == 0,
    };
}
