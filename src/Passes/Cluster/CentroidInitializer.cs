using System.Collections.Immutable;

namespace Optc.Passes.Cluster;

/// <summary>Where centroids start. Beside the exact optimum these are the rules of TensorFlow's Model Optimization Toolkit, to be compared with.</summary>
public abstract record CentroidInitializer
{
    /// <summary>Least squared error, see <see cref="ExactClusters"/>.</summary>
    public static CentroidInitializer Exact { get; } = new ExactInitializer();

    /// <summary>Evenly spaced from the smallest to the largest value.</summary>
    public static CentroidInitializer Linear { get; } = new LinearInitializer();

    /// <summary>At evenly spaced levels of the distribution, read from a grid of 30 points.</summary>
    public static CentroidInitializer Density { get; } = new DensityInitializer();

    /// <summary>Evenly distributed between the smallest and the largest value, at random.</summary>
    public static CentroidInitializer Random(ulong seed = 9) => new RandomInitializer(seed);

    /// <summary>Values drawn with a chance that grows with their squared distance to those chosen before (Arthur and Vassilvitskii 2007), greedy.</summary>
    public static CentroidInitializer KMeansPlusPlus(ulong seed = 9) => new KMeansPlusPlusInitializer(seed);

    /// <summary>Centroids of some values, in the order of the rule.</summary>
    /// <param name="values">Finite numbers, at least one.</param>
    /// <param name="count">At least 1.</param>
    /// <param name="pinZero">
    /// Keeps sparsity: one centroid is 0, the others are shared between negative and positive values in proportion to how
    /// many there are, and found on each side alone; zeros do not count.
    /// </param>
    /// <exception cref="ArgumentException">No values, or more centroids than k-means++ has values to choose from.</exception>
    public ImmutableArray<float> Choose(ReadOnlySpan<float> values, int count, bool pinZero = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (!pinZero)
        {
            return Place(values, count, isSigned: false);
        }

        float[] negative = [.. values.ToArray().Where(v => v < 0)];
        float[] positive = [.. values.ToArray().Where(v => v > 0)];
        if (negative.Length + positive.Length == 0)
        {
            return [0];
        }

        int below = (int)Math.Round((count - 1) * (double)negative.Length / (negative.Length + positive.Length), MidpointRounding.ToEven);
        return [.. Side(negative, below), 0, .. Side(positive, count - 1 - below)];

        ImmutableArray<float> Side(float[] side, int number) => number == 0 || side.Length == 0 ? [] : Place(side, number, isSigned: true);
    }

    /// <param name="isSigned">All values have one sign, and zero belongs to another centroid.</param>
    private protected abstract ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned);

    private protected static ImmutableArray<float> Spaced(double low, double high, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(count == 1 ? low : low + ((high - low) * i / (count - 1))))];

    private protected static (float Low, float High) Extremes(ReadOnlySpan<float> values) => (
        System.Numerics.Tensors.TensorPrimitives.Min(values), System.Numerics.Tensors.TensorPrimitives.Max(values));

    private sealed record ExactInitializer : CentroidInitializer
    {
        private protected override ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned) => ExactClusters.Solve(values, count);
    }

    private sealed record LinearInitializer : CentroidInitializer
    {
        private protected override ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned)
        {
            (float low, float high) = Extremes(values);
            return Spaced(low, high, count);
        }
    }

    private sealed record RandomInitializer(ulong Seed) : CentroidInitializer
    {
        private protected override ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned)
        {
            (float low, float high) = Extremes(values);
            PhiloxStream random = new(Seed);
            return [.. Enumerable.Range(0, count).Select(_ => (float)(low + (random.NextSingle() * ((double)high - low))))];
        }
    }

    private sealed record DensityInitializer : CentroidInitializer
    {
        private const int GridPoints = 30;
        private const double Margin = 0.01;
        private const double LeastLevel = 0.01;

        private protected override ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned)
        {
            (float low, float high) = Extremes(values);
            double margin = isSigned ? Math.Min(Margin, Math.Min(Math.Abs(low), Math.Abs(high)) / 2) : Margin;
            ImmutableArray<float> grid = Spaced(low - margin, high + margin, GridPoints);
            float[] sorted = values.ToArray();
            Array.Sort(sorted);
            double[] distribution = [.. grid.Select(g => (double)sorted.Count(v => v <= g) / sorted.Length)];
            return [.. Spaced(LeastLevel, 1, count).Select(level => grid[Math.Min(distribution.Count(d => d <= level), GridPoints - 1)])];
        }
    }

    private sealed record KMeansPlusPlusInitializer(ulong Seed) : CentroidInitializer
    {
        private protected override ImmutableArray<float> Place(ReadOnlySpan<float> values, int count, bool isSigned)
        {
            if (count > values.Length)
            {
                throw new ArgumentException($"There are {values.Length} values for {count} centroids.", nameof(count));
            }

            PhiloxStream random = new(Seed);
            int tries = 3 + (int)Math.Floor(Math.Log(count));
            List<int> chosen = [];
            float[] distances = new float[values.Length];
            Array.Fill(distances, float.PositiveInfinity);
            for (int c = 0; c < count; c++)
            {
                (float least, int best, float[] after) = (float.PositiveInfinity, -1, distances);
                for (int t = 0; t < tries; t++)
                {
                    int candidate = Draw(random, distances, chosen);
                    (float sum, float[] nearer) = Nearer(values, candidate, distances);
                    if (best < 0 || sum < least)
                    {
                        (least, best, after) = (sum, candidate, nearer);
                    }
                }

                chosen.Add(best);
                distances = after;
            }

            float[] centroids = new float[count];
            for (int c = 0; c < count; c++)
            {
                centroids[c] = values[chosen[c]];
            }

            return [.. centroids];
        }

        private static int Draw(PhiloxStream random, float[] distances, List<int> chosen)
        {
            while (true)
            {
                int index = chosen.Count == 0 ? (int)random.Below((ulong)distances.Length) : Proportional(random, distances);
                if (!chosen.Contains(index))
                {
                    return index;
                }
            }
        }

        private static int Proportional(PhiloxStream random, float[] distances)
        {
            float total = 0;
            foreach (float d in distances)
            {
                total += d;
            }

            if (!(total > 0))
            {
                return (int)random.Below((ulong)distances.Length);
            }

            float wanted = random.NextSingle() * total;
            float running = 0;
            for (int i = 0; i < distances.Length; i++)
            {
                running += distances[i];
                if (running > wanted)
                {
                    return i;
                }
            }

            return distances.Length - 1;
        }

        private static (float Sum, float[] Distances) Nearer(ReadOnlySpan<float> values, int candidate, float[] distances)
        {
            float[] nearer = new float[values.Length];
            float other = values[candidate];
            float half = other * other / 2;
            float sum = 0;
            for (int i = 0; i < nearer.Length; i++)
            {
                // Half of the squared distance, in the order in which the toolkit rounds it.
                float distance = ((values[i] * values[i] / 2) - (values[i] * other)) + half;
                nearer[i] = Math.Min(distances[i], distance);
                sum += nearer[i];
            }

            return (sum, nearer);
        }
    }
}
