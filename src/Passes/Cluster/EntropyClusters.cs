using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;

namespace Optc.Passes.Cluster;

/// <summary>Entries of a codebook chosen for what they cost in a coder as well as for how near they are.</summary>
/// <remarks>
/// <para>
/// Assignment, codebook and lengths of the codes follow one another, each the best for the other two: every weight takes the entry with the least
/// squared distance plus price times length, every entry the mean of its weights, and the coder says anew what codes cost. A round that does not
/// lower the sum ends it.
/// </para>
/// <para>
/// Such a descent ends in the nearest valley, so several begin: from codebooks of all sizes up to the one asked for, nearest and even ones, each up a ladder of prices. What
/// they come to is the same whatever the price; the coder itself measures those that may win, and the least distance plus price times bits is taken.
/// So a higher price never takes more bits, and no price more than none.
/// </para>
/// <para>Source: Chou, Lookabaugh and Gray, "Entropy-constrained vector quantization", 1989, with the lengths of a real coder.</para>
/// </remarks>
public static class EntropyClusters
{
    // Each is twice the one below.
    private const int Rungs = 13;
    private const double LowestPrice = 1.0 / 1024;
    private const int MostRounds = 50;
    private const double LeastProgress = 1e-9;

    private static readonly ImmutableArray<int> Sizes = [2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];

    /// <summary>Codes with a price on their bits, from the ones that are nearest.</summary>
    /// <param name="price">Of a bit, in units of the squared deviation of a weight of mean square 1; 0 leaves everything as it is.</param>
    /// <inheritdoc cref="Frontier"/>
    public static EntropyClustering Refine(CodebookStart start, Shape shape, CodebookPlan plan, double price, IWeightCoder coder, ReadOnlySpan<bool> kept = default) =>
        Frontier(start, shape, plan, coder, kept).At(price);

    /// <summary>What can be had for any price.</summary>
    /// <param name="start">Where it begins, as <see cref="CodebookStart.Of"/> gives it: without a price.</param>
    /// <param name="shape">Of the weight.</param>
    /// <param name="plan">What <paramref name="start"/> was made for.</param>
    /// <param name="coder">Says what codes cost: integers where there is a grid, else entries counted from the one that is zero, in ascending order.</param>
    /// <param name="kept">False where a mask makes a weight zero; empty without one. With a pinned zero all zeros stay zero.</param>
    public static EntropyFrontier Frontier(CodebookStart start, Shape shape, CodebookPlan plan, IWeightCoder coder, ReadOnlySpan<bool> kept = default)
    {
        EntropySearch search = new(start, shape, plan, coder, kept);
        List<EntropyState> reached = [search.First];
        foreach ((int size, bool isEven) in Sizes.Where(s => s < plan.Codes).Append(plan.Codes).SelectMany(s => new[] { (s, false), (s, true) }))
        {
            EntropyState state = search.Begin(size, isEven);
            reached.Add(state);
            for (int rung = 0; rung < Rungs && state.Codes.AsSpan().ContainsAnyExcept(state.Codes[0]); rung++)
            {
                state = search.Descend(state, LowestPrice * Math.Pow(2, rung), MostRounds, LeastProgress);
                reached.Add(state);
            }
        }

        return new(search, [.. Hull(reached).Select(search.Measured).Where(c => c.Bits <= search.First.Bits)]);
    }

    /// <summary>The states that some price makes the best by their estimates.</summary>
    private static List<EntropyState> Hull(List<EntropyState> states)
    {
        List<EntropyState> hull = [];
        foreach (EntropyState state in states.OrderBy(s => s.Estimate).ThenBy(s => s.FittedDistortion))
        {
            if (hull.Count > 0 && state.FittedDistortion >= hull[^1].FittedDistortion)
            {
                continue;
            }

            while (hull.Count > 1 && Slope(hull[^2], hull[^1]) <= Slope(hull[^1], state))
            {
                hull.RemoveAt(hull.Count - 1);
            }

            hull.Add(state);
        }

        return hull;

        static double Slope(EntropyState cheap, EntropyState near) => (cheap.FittedDistortion - near.FittedDistortion) / (near.Estimate - cheap.Estimate);
    }

    /// <summary>The integers that entries stand for in a coder.</summary>
    /// <param name="values">Entries [groups, codes].</param>
    /// <param name="steps">Step of the grid [groups].</param>
    /// <param name="codes">Entries of a group.</param>
    /// <param name="largest">Largest integer of the grid; 0 without one: then entries are counted from zero outwards, those above it up and those below it down.</param>
    public static short[] CodesOf(ReadOnlySpan<float> values, ReadOnlySpan<float> steps, int codes, int largest)
    {
        short[] integers = new short[values.Length];
        for (int start = 0; start < values.Length; start += codes)
        {
            ReadOnlySpan<float> own = values.Slice(start, codes);
            if (largest > 0)
            {
                for (int j = 0; j < codes; j++)
                {
                    integers[start + j] = (short)Math.Clamp(MathF.Round(own[j] / steps[start / codes]), -largest, largest);
                }

                continue;
            }

            float[] sorted = [.. new SortedSet<float>(own.ToArray()) { 0 }];
            int zero = Array.BinarySearch(sorted, 0f);
            for (int j = 0; j < codes; j++)
            {
                integers[start + j] = (short)(Array.BinarySearch(sorted, own[j]) - zero);
            }
        }

        return integers;
    }
}

/// <summary>The codebooks of a weight that some price makes the best.</summary>
public sealed class EntropyFrontier
{
    private readonly EntropySearch _search;
    private readonly ImmutableArray<EntropyState> _states;

    internal EntropyFrontier(EntropySearch search, ImmutableArray<EntropyState> states) => (_search, _states) = (search, states);

    /// <summary>The least squared distance plus price times bits, as the coder measures them.</summary>
    /// <param name="price">See <see cref="EntropyClusters.Refine"/>.</param>
    public EntropyClustering At(double price)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(price);
        EntropyState best = _search.First;
        foreach (EntropyState candidate in price > 0 ? _states : [])
        {
            (double sum, double least) = (candidate.FittedDistortion + (price * candidate.Bits), best.FittedDistortion + (price * best.Bits));
            best = sum < least || (sum == least && candidate.Bits < best.Bits) ? candidate : best;
        }

        return new(
            best == _search.First ? _search.Start : _search.Fitted(best), best.FittedDistortion, best.Bits, _search.First.Bits, best.Objectives);
    }
}

/// <summary>What a price on bits came to.</summary>
/// <param name="Start">Codebooks and the entries of all weights.</param>
/// <param name="Distortion">Sum of squared distances in units of the scales.</param>
/// <param name="Bits">What the codes take in the coder.</param>
/// <param name="BitsWithout">What the nearest codes take, without a price.</param>
/// <param name="Objectives">Of the descent that led there, distance plus price times estimated bits: at its beginning and after each round. Empty where none was better.</param>
public sealed record EntropyClustering(CodebookStart Start, double Distortion, long Bits, long BitsWithout, ImmutableArray<double> Objectives);
