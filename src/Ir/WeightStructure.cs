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
    private const double MostOffGrid = 0.25;

    // A step below is nothing beside any bias, and near the end of float32.
    private const float Nothing = 1e-30f;
    private const float LeastStep = 1e-24f;

    /// <summary>Values that are zero for good.</summary>
    public SparsityMask? Mask { get; init; }

    /// <summary>How many different codes there may be.</summary>
    public Codebook? Codebook { get; init; }

    /// <summary>The grid of float values; integers have theirs in their type.</summary>
    public WeightGrid? Grid { get; init; }

    public bool IsEmpty => Mask is null && Codebook is null && Grid is null;

    /// <summary>What does not hold of some values; empty when all does.</summary>
    /// <param name="data">f32, f16, i8 or i16.</param>
    public ImmutableArray<StructureBreach> Check(TensorData data)
    {
        if (data.DType is not (DType.F32 or DType.F16 or DType.I8 or DType.I16))
        {
            return [new("an element type that can have a structure", "f32, f16, i8 or i16", data.DType.Name)];
        }

        List<StructureBreach> breaches = [];
        TensorData dense = data.ToDense();
        Grid?.CheckFit(dense.Shape, breaches);
        Codebook?.CheckFit(dense.Shape, breaches);
        if (breaches.Count > 0)
        {
            return [.. breaches];
        }

        long[] codes = CodesOf(dense, breaches);
        if (Mask is not null)
        {
            CheckMask(Mask, dense, breaches);
        }

        if (Codebook is not null)
        {
            CheckCodebook(Codebook, dense.Shape, codes, breaches);
        }

        return [.. breaches];
    }

    /// <summary>The code of every value: its integer on the grid, or its bits where there is no grid (-0 as 0).</summary>
    /// <param name="data">f32, f16, i8 or i16, dense.</param>
    public ImmutableArray<long> Codes(TensorData data) => ImmutableCollectionsMarshal.AsImmutableArray(CodesOf(data, []));

    /// <summary>The structure after every slice along an axis was multiplied by a number.</summary>
    /// <param name="axis">Output channels of the weight.</param>
    /// <param name="factors">One for each index of the axis.</param>
    /// <remarks>
    /// On a grid the scales take the factors and the codes stay as they are, negated where a factor is negative, and 0 where hardly
    /// anything is left. Without a grid, values that were shared by channels of different factors become different: the codebook is then
    /// one for each channel.
    /// </remarks>
    /// <returns><see langword="null"/> when grid or codebooks run along another axis, so that nothing would hold but the zeros.</returns>
    public WeightStructure? Scaled(int axis, ReadOnlySpan<double> factors)
    {
        bool alike = factors.IndexOfAnyExcept(factors[0]) < 0;
        if (!alike && (Grid is { Scales.Length: > 1 } other && other.Axis != axis || Codebook is { Groups: > 1 } along && along.Axis != axis))
        {
            return null;
        }

        WeightStructure result = this;
        if (Grid is { } grid)
        {
            float[] scales = new float[alike ? grid.Scales.Length : factors.Length];
            for (int c = 0; c < scales.Length; c++)
            {
                float before = grid.Scales[grid.Scales.Length == 1 ? 0 : c];
                double scaled = before * Math.Abs(factors[alike ? 0 : c]);
                scales[c] = Vanishes(before, factors[alike ? 0 : c]) ? Math.Max(before, LeastStep) : (float)Math.Min(scaled, float.MaxValue);
            }

            result = result with { Grid = grid with { Scales = ImmutableCollectionsMarshal.AsImmutableArray(scales), Axis = alike ? grid.Axis : axis } };
        }

        return Codebook is { } book && !alike ? result with { Codebook = ScaledBook(book, axis, factors) } : result;
    }

    /// <summary>
    /// What holds of values that were rounded or moved: all of it, or without the grid with codebooks of channels, or the zeros alone.
    /// </summary>
    /// <param name="axis">Output channels, for codebooks that hold for each alone.</param>
    /// <returns><see langword="null"/> when nothing holds.</returns>
    public WeightStructure? HeldBy(TensorData data, int axis)
    {
        WeightStructure loose = this with
        {
            Grid = null,
            Codebook = Codebook is { } book && Grid is not null && data.Shape.Rank > 0 ? book with { Groups = data.Shape[axis], Axis = axis } : Codebook,
        };
        WeightStructure[] candidates = [this, loose, new() { Mask = Mask }];
        return Array.Find(candidates, c => !c.IsEmpty && c.Check(data).IsEmpty);
    }

    /// <summary>What holds of the same values in the same order under another shape.</summary>
    public WeightStructure? Reshaped(Shape before, Shape after)
    {
        int? AxisIn(int axis) => axis < before.Rank
            ? Enumerable.Range(0, after.Rank).Where(a => after[a] == before[axis] && ChannelMap.InnerOf(after, a) == ChannelMap.InnerOf(before, axis)).Cast<int?>().FirstOrDefault()
            : null;
        return MovedTo(AxisIn, Mask);
    }

    /// <summary>What holds of the values after their dimensions were put into another order.</summary>
    /// <param name="permutation">For each dimension of the result the one of the values.</param>
    public WeightStructure? Transposed(Shape before, ReadOnlySpan<int> permutation)
    {
        int[] order = permutation.ToArray();
        return MovedTo(axis => Array.IndexOf(order, axis) is >= 0 and var found ? found : null, Mask is null ? null : new(Mask.Pattern, Permuted(Mask.Kept, before, order)));
    }

    private WeightStructure? MovedTo(Func<int, int?> axisOf, SparsityMask? mask)
    {
        bool loses = (Grid is { Scales.Length: > 1 } scaled && axisOf(scaled.Axis) is null) || (Codebook is { Groups: > 1 } grouped && axisOf(grouped.Axis) is null);
        WeightStructure result = loses
            ? new() { Mask = mask }
            : new()
            {
                Mask = mask,
                Grid = Grid is { } grid ? grid with { Axis = axisOf(grid.Axis) ?? 0 } : null,
                Codebook = Codebook is { } book ? book with { Axis = axisOf(book.Axis) ?? 0 } : null,
            };
        return result.IsEmpty ? null : result;
    }

    private static ImmutableArray<bool> Permuted(ImmutableArray<bool> kept, Shape before, int[] order)
    {
        bool[] result = new bool[kept.Length];
        int[] at = new int[order.Length];
        for (int i = 0; i < result.Length; i++)
        {
            long source = 0;
            for (int d = 0; d < order.Length; d++)
            {
                source += (long)at[d] * ChannelMap.InnerOf(before, order[d]);
            }

            result[i] = kept[(int)source];
            for (int d = order.Length - 1; d >= 0 && ++at[d] == before[order[d]]; d--)
            {
                at[d] = 0;
            }
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(result);
    }

    private static bool Vanishes(float scale, double factor) => scale * Math.Abs(factor) < Nothing;

    private Codebook ScaledBook(Codebook book, int axis, ReadOnlySpan<double> factors)
    {
        int size = factors.Length / book.Groups;
        int most = 0;
        for (int group = 0; group < book.Groups; group++)
        {
            ReadOnlySpan<double> own = factors.Slice(group * size, size);
            if (Grid is not { } grid)
            {
                if (own.IndexOfAnyExcept(own[0]) >= 0)
                {
                    return book with { Groups = factors.Length, Axis = axis };
                }

                most = book.Codes;
                continue;
            }

            // Some channels change sign: a group then holds codes and their opposites.
            (bool stays, bool turns, bool vanishes) = (false, false, false);
            for (int c = 0; c < size; c++)
            {
                bool gone = Vanishes(grid.Scales[grid.Scales.Length == 1 ? 0 : (group * size) + c], own[c]);
                vanishes |= gone;
                stays |= !gone && own[c] > 0;
                turns |= !gone && own[c] < 0;
            }

            int shared = book.PinsZero ? 1 : 0;
            int others = ((stays ? 1 : 0) + (turns ? 1 : 0)) * (book.Codes - shared);
            most = Math.Max(most, others + (book.PinsZero || vanishes ? 1 : 0));
        }

        return book with { Codes = Math.Max(book.Codes, most) };
    }

    private long[] CodesOf(TensorData data, List<StructureBreach> breaches)
    {
        if (data.DType is DType.I8 or DType.I16)
        {
            return IntegersOf(data);
        }

        ReadOnlySpan<float> values = data.DType is DType.F16 ? Widened(data) : data.AsFloats();
        long[] codes = new long[values.Length];
        if (Grid is not { } grid)
        {
            for (int i = 0; i < codes.Length; i++)
            {
                codes[i] = values[i] == 0 ? 0 : BitConverter.SingleToInt32Bits(values[i]);
            }

            return codes;
        }

        ChannelMap map = new(data.Shape, grid.Axis);
        double worst = 0;
        long largest = 0;
        for (int i = 0; i < codes.Length; i++)
        {
            double scale = grid.Scales[grid.Scales.Length == 1 ? 0 : map.ChannelOf(i)];
            double code = values[i] == 0 ? 0 : values[i] / scale;
            codes[i] = (long)Math.Clamp(Math.Round(code), long.MinValue / 2, long.MaxValue / 2);
            worst = Math.Max(worst, double.IsNaN(code) ? double.PositiveInfinity : Math.Abs(code - codes[i]));
            largest = Math.Max(largest, Math.Abs(codes[i]));
        }

        // The largest code of 8 bits is off by 0.06 steps in half precision, and one of 16 bits by 0.01 in single.
        double tolerance = Math.Max(OffGrid, grid.Largest * (data.DType is DType.F16 ? 5e-4 : 5e-7));
        if (worst > Math.Min(tolerance, MostOffGrid))
        {
            breaches.Add(new("values on their grid", "whole steps", string.Create(CultureInfo.InvariantCulture, $"a value {worst:0.000} of a step beside it")));
        }

        if (largest > grid.Largest)
        {
            breaches.Add(new($"codes of {grid.Bits} bits", $"-{grid.Largest} to {grid.Largest}", $"{largest}"));
        }

        return codes;
    }

    private static float[] Widened(TensorData data)
    {
        float[] wide = new float[data.Shape.ElementCount];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = (float)data.Span<Half>()[i];
        }

        return wide;
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

    private static void CheckMask(SparsityMask mask, TensorData data, List<StructureBreach> breaches)
    {
        if (mask.Kept.Length != data.Shape.ElementCount)
        {
            breaches.Add(new("a mask of the weight's size", $"{data.Shape.ElementCount}", $"{mask.Kept.Length}"));
        }
        else if (mask.HeldBy(data) is var held && held < mask.Zeros)
        {
            breaches.Add(new("zeros of the mask", $"{mask.Zeros} of {mask.Zeros}", $"{held} of {mask.Zeros}"));
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
