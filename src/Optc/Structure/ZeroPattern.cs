using System.Globalization;
using Optc.Passes.Prune;

namespace Optc.Structure;

/// <summary>Names the rule by which the zeros of a weight lie, as the methods of <see cref="PruningMask"/> choose them.</summary>
internal static class ZeroPattern
{
    // In fewer groups or blocks a pattern says nothing.
    private const int FewestGroups = 16;

    // Weights that are kept may be 0 by themselves, by rounding above all.
    private const double StrayZeros = 0.02;

    private static readonly (int Height, int Width)[] BlockSizes =
        [(16, 16), (8, 8), (16, 4), (4, 16), (4, 4), (1, 32), (32, 1), (1, 16), (16, 1), (1, 8), (8, 1), (2, 2), (1, 4), (4, 1), (1, 2), (2, 1)];

    /// <returns><c>channels</c>, <c>2:4</c> (two of four stay), <c>blocks 1x4</c> (outputs by inputs) or <c>elements</c>.</returns>
    /// <param name="kept">False for zeros, in the order of memory.</param>
    public static string Of(ReadOnlySpan<bool> kept, KernelShape kernel)
    {
        if (IsWholly(BlocksOf(kernel, 1, kernel.Count), kept, fewest: 1))
        {
            return "channels";
        }

        if (GroupsOf(kept, kernel) is { } groups)
        {
            return groups;
        }

        foreach ((int height, int width) in BlockSizes)
        {
            bool fits = kernel.Outputs >= height && (kernel.Inputs == 1 ? kernel.Height * kernel.Width : kernel.Inputs) >= width;
            if (fits && IsWholly(BlocksOf(kernel, height, width), kept, FewestGroups))
            {
                return string.Create(CultureInfo.InvariantCulture, $"blocks {height}x{width}");
            }
        }

        return "elements";
    }

    /// <summary>True when nearly all zeros fill blocks, some blocks being left.</summary>
    private static bool IsWholly((int[] BlockOf, int Count) blocks, ReadOnlySpan<bool> kept, int fewest)
    {
        int[] sizes = new int[blocks.Count];
        int[] zeros = new int[blocks.Count];
        for (int i = 0; i < kept.Length; i++)
        {
            sizes[blocks.BlockOf[i]]++;
            zeros[blocks.BlockOf[i]] += kept[i] ? 0 : 1;
        }

        int inside = 0;
        int stray = 0;
        int empty = 0;
        for (int b = 0; b < blocks.Count; b++)
        {
            bool isEmpty = zeros[b] == sizes[b];
            empty += isEmpty ? 1 : 0;
            (inside, stray) = isEmpty ? (inside + zeros[b], stray) : (inside, stray + zeros[b]);
        }

        return blocks.Count >= fewest && empty > 0 && empty < blocks.Count && stray <= StrayZeros * (kept.Length - inside);
    }

    /// <summary>Block of each element; <paramref name="width"/> of all elements makes blocks of whole outputs.</summary>
    private static (int[] BlockOf, int Count) BlocksOf(KernelShape kernel, int height, int width)
    {
        bool whole = width >= kernel.Count;
        (int taps, int inputs) = kernel.Inputs == 1 || whole ? (1, kernel.Height * kernel.Width * kernel.Inputs) : (kernel.Height * kernel.Width, kernel.Inputs);
        int across = (inputs + width - 1) / width;
        int[] blockOf = new int[kernel.Count];
        for (int i = 0; i < blockOf.Length; i++)
        {
            int place = kernel.OutputsInnermost ? i / kernel.Outputs : i % (taps * inputs);
            blockOf[i] = (((kernel.OutputOf(i) / height * taps) + (place / inputs)) * across) + (place % inputs / width);
        }

        return (blockOf, (kernel.Outputs + height - 1) / height * taps * across);
    }

    /// <summary>The tightest limit to the elements that stay in each group along the inputs, if most groups use it up.</summary>
    private static string? GroupsOf(ReadOnlySpan<bool> kept, KernelShape kernel)
    {
        if (kernel.Inputs == 1 || kernel.OutputsInnermost)
        {
            return null;
        }

        (int Most, int Group)? best = null;
        foreach (int group in (ReadOnlySpan<int>)[2, 4, 8, 16])
        {
            if (kernel.Inputs % group != 0 || kept.Length / group < FewestGroups)
            {
                break;
            }

            int[] sizes = new int[group + 1];
            for (int start = 0; start < kept.Length; start += group)
            {
                sizes[kept.Slice(start, group).Count(true)]++;
            }

            int most = Array.FindLastIndex(sizes, s => s > 0);
            bool isTight = most > 0 && most < group && 2 * sizes[most] > kept.Length / group;
            if (isTight && (best is not { } sofar || most * sofar.Group < sofar.Most * group))
            {
                best = (most, group);
            }
        }

        return best is { } pattern ? string.Create(CultureInfo.InvariantCulture, $"{pattern.Most}:{pattern.Group}") : null;
    }
}
