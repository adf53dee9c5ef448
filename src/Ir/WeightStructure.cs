using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Optc.Ir;

/// <summary>
/// What holds of the values of a weight and must go on to hold: which are zero, how many different ones there are, and the
/// integer grid that they lie on.
/// </summary>
/// <remarks>
/// A part of the constant, not of its values: passes that compute new values hand the structure on, and the verifier checks it.
/// Codes are the integers of the values on the grid, or the values themselves where there is no grid.
/// </remarks>
public sealed record WeightStructure
{
    // A float32 value is scale * code rounded a few times; half a step would be 0.5.
    private const double OffGrid = 1e-3;

    /// <summary>Values that are zero for good.</summary>
    public SparsityMask? Mask { get; init; }

    /// <summary>How many different codes there may be.</summary>
    public Codebook? Codebook { get; init; }

    /// <summary>The grid of float values; integers have theirs in their type.</summary>
    public WeightGrid? Grid { get; init; }

    public bool IsEmpty => Mask is null && Codebook is null && Grid is null;

    /// <summary>What does not hold of some values; empty when all does.</summary>
    /// <param name="data">f32, i8 or i16.</param>
    public ImmutableArray<StructureBreach> Check(TensorData data)
    {
        List<StructureBreach> breaches = [];
        TensorData dense = data.ToDense();
        long[] codes;
        if (dense.DType is DType.F32)
        {
            codes = CodesOf(dense, breaches);
        }
        else if (dense.DType is DType.I8 or DType.I16)
        {
            codes = IntegersOf(dense);
        }
        else
        {
            return [new("an element type that can have a structure", "f32, i8 or i16", dense.DType.Name)];
        }

        if (Mask is not null)
        {
            CheckMask(Mask, codes, breaches);
        }

        if (Codebook is not null)
        {
            CheckCodebook(Codebook, dense.Shape, codes, breaches);
        }

        return [.. breaches];
    }

    /// <summary>The code of every value: its integer on the grid, or its bits where there is no grid (-0 as 0).</summary>
    /// <param name="data">f32, dense.</param>
    public ImmutableArray<long> Codes(TensorData data) =>
        ImmutableCollectionsMarshal.AsImmutableArray(data.DType is DType.F32 ? CodesOf(data, []) : IntegersOf(data));

    /// <summary>The structure after every slice along an axis was multiplied by a number.</summary>
    /// <param name="axis">Output channels of the weight.</param>
    /// <param name="factors">One for each index of the axis.</param>
    /// <remarks>
    /// On a grid the scales take the factors and the codes stay as they are, negated where a factor is negative. Without
    /// a grid, values that were shared by channels of different factors become different: the codebook is then one for each channel.
    /// </remarks>
    public WeightStructure Scaled(int axis, int channels, ReadOnlySpan<double> factors)
    {
        WeightStructure result = this;
        bool alike = factors.IndexOfAnyExcept(factors[0]) < 0;
        if (Grid is { } grid)
        {
            float[] scales = new float[alike && grid.Scales.Length == 1 ? 1 : channels];
            for (int c = 0; c < scales.Length; c++)
            {
                scales[c] = (float)(grid.Scales[grid.Scales.Length == 1 ? 0 : c] * Math.Abs(factors[c]));
            }

            result = result with { Grid = grid with { Scales = ImmutableCollectionsMarshal.AsImmutableArray(scales), Axis = axis } };
        }

        if (Codebook is { } book && Grid is null && !alike && book.Groups < channels)
        {
            result = result with { Codebook = book with { Groups = channels, Axis = axis } };
        }
        else if (Codebook is { } signed && factors.ContainsAnyInRange(double.NegativeInfinity, -double.Epsilon) && signed.Groups < channels)
        {
            // Some channels change sign: a group then holds codes and their opposites.
            result = result with { Codebook = signed with { Codes = (2 * signed.Codes) - (signed.PinsZero ? 1 : 0) } };
        }

        return result;
    }

    /// <summary>The structure after values were multiplied by numbers that are not alike along the input channels: only zeros stay.</summary>
    public WeightStructure? ZerosOnly => Mask is null ? null : new() { Mask = Mask };

    private long[] CodesOf(TensorData data, List<StructureBreach> breaches)
    {
        ReadOnlySpan<float> values = data.AsFloats();
        long[] codes = new long[values.Length];
        if (Grid is not { } grid)
        {
            for (int i = 0; i < codes.Length; i++)
            {
                codes[i] = values[i] == 0 ? 0 : BitConverter.SingleToInt32Bits(values[i]);
            }

            return codes;
        }

        int channels = grid.Scales.Length == 1 ? 1 : data.Shape[grid.Axis];
        if (channels != grid.Scales.Length)
        {
            breaches.Add(new("a scale for each channel", $"{channels}", $"{grid.Scales.Length}"));
            return codes;
        }

        ChannelMap map = new(data.Shape, grid.Axis);
        double worst = 0;
        long largest = 0;
        for (int i = 0; i < codes.Length; i++)
        {
            double scale = grid.Scales[channels == 1 ? 0 : map.ChannelOf(i)];
            double code = values[i] == 0 ? 0 : values[i] / scale;
            codes[i] = (long)Math.Clamp(Math.Round(code), long.MinValue / 2, long.MaxValue / 2);
            worst = Math.Max(worst, double.IsNaN(code) ? double.PositiveInfinity : Math.Abs(code - codes[i]));
            largest = Math.Max(largest, Math.Abs(codes[i]));
        }

        if (worst > OffGrid)
        {
            breaches.Add(new("values on their grid", "whole steps", string.Create(CultureInfo.InvariantCulture, $"a value {worst:0.000} of a step beside it")));
        }

        if (largest > grid.Largest)
        {
            breaches.Add(new($"codes of {grid.Bits} bits", $"-{grid.Largest} to {grid.Largest}", $"{largest}"));
        }

        return codes;
    }

    private static long[] IntegersOf(TensorData data)
    {
        long[] codes = new long[data.Shape.ElementCount];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = data.DType is DType.I8 ? data.Span<sbyte>()[i] : data.Span<short>()[i];
        }

        return codes;
    }

    private static void CheckMask(SparsityMask mask, long[] codes, List<StructureBreach> breaches)
    {
        if (mask.Kept.Length != codes.Length)
        {
            breaches.Add(new("a mask of the weight's size", $"{codes.Length}", $"{mask.Kept.Length}"));
            return;
        }

        int lost = 0;
        for (int i = 0; i < codes.Length; i++)
        {
            lost += !mask.Kept[i] && codes[i] != 0 ? 1 : 0;
        }

        if (lost > 0)
        {
            breaches.Add(new("zeros of the mask", $"{mask.Zeros} of {mask.Zeros}", $"{mask.Zeros - lost} of {mask.Zeros}"));
        }
    }

    private static void CheckCodebook(Codebook book, Shape shape, long[] codes, List<StructureBreach> breaches)
    {
        int most = DistinctCodes(book, shape, codes);
        if (most > book.Codes)
        {
            breaches.Add(new(book.Groups == 1 ? "distinct codes" : "distinct codes of each group", $"{book.Codes} at most", $"{most}"));
        }
    }

    /// <summary>Distinct codes of the group that has most.</summary>
    /// <param name="codes">As <see cref="Codes"/> gives them.</param>
    public static int DistinctCodes(Codebook book, Shape shape, ReadOnlySpan<long> codes)
    {
        ChannelMap map = new(shape, book.Axis);
        int size = Math.Max(1, map.Channels / book.Groups);
        HashSet<long>[] seen = [.. Enumerable.Range(0, book.Groups).Select(_ => new HashSet<long>())];
        for (int i = 0; i < codes.Length; i++)
        {
            seen[book.Groups == 1 ? 0 : map.ChannelOf(i) / size].Add(codes[i]);
        }

        return seen.Max(s => s.Count);
    }
}

/// <summary>Something of a weight's structure that does not hold.</summary>
public sealed record StructureBreach(string What, string Expected, string Found);

/// <summary>Values of a weight that are zero for good.</summary>
/// <param name="Pattern">How they were chosen, in words such as <c>elements</c>, <c>2:4</c>, <c>blocks 4x1</c>, <c>channels</c>.</param>
/// <param name="Kept">One entry for each value in row-major order: <see langword="false"/> where it is zero.</param>
public sealed record SparsityMask(string Pattern, ImmutableArray<bool> Kept)
{
    public int Zeros { get; } = Kept.Count(k => !k);
}

/// <summary>A limit to the number of different codes.</summary>
/// <param name="Codes">Codes of a group, the zero included.</param>
/// <param name="Groups">1 for the whole tensor, the number of output channels, or one that divides it.</param>
/// <param name="Axis">The dimension that runs over output channels.</param>
/// <param name="PinsZero">Zero is one of the codes, whether it is used or not.</param>
public sealed record Codebook(int Codes, int Groups = 1, int Axis = 0, bool PinsZero = true);

/// <summary>A symmetric integer grid: <c>value = scale * code</c>.</summary>
/// <param name="Scales">One, or one for each index of <paramref name="Axis"/>; real units for one step.</param>
/// <param name="Bits">Codes are -(2^(Bits-1) - 1) to 2^(Bits-1) - 1.</param>
public sealed record WeightGrid(ImmutableArray<float> Scales, int Axis, int Bits = 8)
{
    public int Largest => (1 << (Bits - 1)) - 1;
}

/// <summary>Index along an axis of each element of a tensor.</summary>
public readonly struct ChannelMap
{
    private readonly int _inner;

    public ChannelMap(Shape shape, int axis)
    {
        Channels = shape.Rank == 0 ? 1 : shape[axis];
        long inner = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            inner *= shape[i];
        }

        _inner = checked((int)Math.Max(1, inner));
    }

    public int Channels { get; }

    public int ChannelOf(int element) => element / _inner % Channels;
}
