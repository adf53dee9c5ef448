using System.Collections.Immutable;
using Optc.Formats.WeightCoding;

namespace Optc.Passes.Cluster;

/// <summary>How many codes each weight of a model needs, for a given error or a given size.</summary>
/// <remarks>
/// Errors are those of the exact codebook with a pinned zero, relative to the squared weights of the tensor; sizes are entropies of
/// its indices, or what a coder makes of them. Both are measured on the weights as they are, before any training.
/// </remarks>
public static class CodebookBudget
{
    private const int Most = 256;

    private static readonly ImmutableArray<int> Candidates = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, Most];

    /// <summary>The fewest codes, of those that are tried, whose error is within a budget.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="relativeError">Squared error as part of the squared weights, above 0 and below 1.</param>
    /// <returns>2 to 256; the most where even these are not enough.</returns>
    public static int ForError(ReadOnlySpan<float> values, double relativeError)
    {
        if (relativeError is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(relativeError), relativeError, "A relative error is above 0 and below 1.");
        }

        float[] all = values.ToArray();
        (int low, int high) = (0, Candidates.Length - 1);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Measure(all, Candidates[middle]).Error <= relativeError ? (low, middle) : (middle + 1, high);
        }

        return Candidates[low];
    }

    /// <summary>Codes for every weight with the least sum of errors within a mean number of bits.</summary>
    /// <param name="weights">One array for each weight tensor.</param>
    /// <param name="bitsPerWeight">Mean bits of all weights together, above 1.</param>
    /// <param name="coder">What the bits of indices, counted from zero outwards, are asked of; when left out the entropy.</param>
    /// <remarks>
    /// Every tensor begins with two codes; the step to more codes that takes away most error for each bit is taken, as long as it
    /// fits: the greedy solution of this knapsack, exact on the convex hull of each tensor's errors.
    /// </remarks>
    public static ImmutableArray<int> ForBits(IReadOnlyList<float[]> weights, double bitsPerWeight, IWeightCoder? coder = null)
    {
        if (bitsPerWeight is not (> 1 and <= 8))
        {
            throw new ArgumentOutOfRangeException(nameof(bitsPerWeight), bitsPerWeight, "Bits of a weight are above 1 and up to 8.");
        }

        (double Error, double Bits)[][] costs = [.. weights.Select(w => Candidates.Select(n => Absolute(w, n, coder)).ToArray())];
        int[] chosen = new int[weights.Count];
        double budget = bitsPerWeight * weights.Sum(w => (double)w.Length);
        double spent = costs.Sum(c => c[0].Bits);
        while (true)
        {
            (double best, int layer, int next) = (0, -1, 0);
            for (int i = 0; i < chosen.Length; i++)
            {
                for (int to = chosen[i] + 1; to < Candidates.Length; to++)
                {
                    double bits = costs[i][to].Bits - costs[i][chosen[i]].Bits;
                    double gain = (costs[i][chosen[i]].Error - costs[i][to].Error) / Math.Max(bits, 1e-9);
                    if (gain > best && spent + bits <= budget)
                    {
                        (best, layer, next) = (gain, i, to);
                    }
                }
            }

            if (layer < 0)
            {
                return [.. chosen.Select(c => Candidates[c])];
            }

            spent += costs[layer][next].Bits - costs[layer][chosen[layer]].Bits;
            chosen[layer] = next;
        }
    }

    /// <summary>Relative error and bits of a weight for the exact codebook of some codes.</summary>
    /// <param name="coder">What the bits are asked of; when left out the entropy.</param>
    public static (double Error, double BitsPerWeight) Measure(ReadOnlySpan<float> values, int codes, IWeightCoder? coder = null)
    {
        float[] all = values.ToArray();
        (double error, double bits) = Absolute(all, codes, coder);
        double squares = all.Sum(v => (double)v * v);
        return (squares == 0 ? 0 : error / squares, all.Length == 0 ? 0 : bits / all.Length);
    }

    private static (double Error, double Bits) Absolute(float[] values, int codes, IWeightCoder? coder)
    {
        if (values.Length == 0)
        {
            return (0, 0);
        }

        float[] centroids = [.. ExactClusters.Solve(values, codes, pinZero: true)];
        Array.Sort(centroids);
        long[] counts = new long[centroids.Length];
        int zero = Array.BinarySearch(centroids, 0f);
        short[] indices = new short[values.Length];
        double error = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i];
            int at = Array.BinarySearch(centroids, value);
            int above = Math.Min(at < 0 ? ~at : at, centroids.Length - 1);
            int below = Math.Max(above - 1, 0);
            int nearest = Math.Abs(value - centroids[below]) <= Math.Abs(centroids[above] - value) ? below : above;
            counts[nearest]++;
            indices[i] = (short)(nearest - zero);
            double difference = (double)value - centroids[nearest];
            error += difference * difference;
        }

        return (error, coder is not null ? coder.CountBits(indices) : counts.Where(c => c > 0).Sum(c => c * -Math.Log2((double)c / values.Length)));
    }
}
