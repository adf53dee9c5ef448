using Optc.Passes.Cluster;
using Xunit;

namespace Optc.Tests.Unit.Passes.Cluster;

public class ExactClustersTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_way_to_cut_the_sorted_numbers_is_better(int seed)
    {
        Random random = new(seed);
        float[] x = [.. Enumerable.Range(0, random.Next(1, 10)).Select(_ => (float)random.Next(-6, 7) / 2)];
        float[] w = [.. x.Select(_ => random.Next(3) == 0 ? 0.5f : random.Next(1, 4))];
        int count = random.Next(1, 5);
        bool pinned = random.Next(2) == 0;

        float[] found = [.. ExactClusters.Solve(x, count, pinned, w)];

        Assert.True(found.Length <= count);
        Assert.True(!pinned || found.Contains(0));
        Assert.Equal(found.Order(), found);
        Assert.Equal(BestError(x, w, count, pinned), Error(x, w, found), 1e-5);
    }

    [Fact]
    public void Many_numbers_are_clustered_no_worse_than_by_Lloyds_iterations()
    {
        Random random = new(7);
        float[] x = [.. Enumerable.Range(0, 20_000).Select(_ => (float)(random.NextDouble() + random.NextDouble() - random.NextDouble()))];
        float[] exact = [.. ExactClusters.Solve(x, 8)];
        float[] lloyd = [.. CentroidInitializer.Linear.Choose(x, 8)];
        for (int i = 0; i < 200; i++)
        {
            lloyd = [.. x.GroupBy(v => Array.IndexOf(lloyd, lloyd.MinBy(c => Math.Abs(c - v)))).OrderBy(g => g.Key).Select(g => g.Average())];
        }

        float[] ones = [.. Enumerable.Repeat(1f, x.Length)];
        Assert.True(Error(x, ones, exact) <= Error(x, ones, lloyd) * (1 + 1e-6));
        Assert.Equal(8, exact.Length);
    }

    [Fact]
    public void Fewer_distinct_numbers_than_clusters_are_kept_as_they_are() =>
        Assert.Equal([1f, 2f, 5f], ExactClusters.Solve([5, 1, 2, 2, 1, 5], 7).AsEnumerable());

    [Fact]
    public void What_is_no_number_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ExactClusters.Solve([1, float.NaN], 2));
        Assert.Throws<ArgumentException>(() => ExactClusters.Solve([], 2));
        Assert.Throws<ArgumentException>(() => ExactClusters.Solve([1, 2], 2, weights: [1]));
    }

    private static double Error(float[] x, float[] w, float[] centroids) =>
        x.Zip(w, (v, weight) => weight * centroids.Min(c => ((double)v - c) * ((double)v - c))).Sum();

    /// <summary>Tries every assignment of the numbers to clusters.</summary>
    private static double BestError(float[] x, float[] w, int count, bool pinned)
    {
        double best = double.PositiveInfinity;
        int[] labels = new int[x.Length];
        for (long code = 0; code < (long)Math.Pow(count, x.Length); code++)
        {
            long rest = code;
            for (int i = 0; i < labels.Length; i++)
            {
                labels[i] = (int)(rest % count);
                rest /= count;
            }

            double error = 0;
            for (int c = 0; c < count && error < best; c++)
            {
                double weight = 0;
                double sum = 0;
                double square = 0;
                for (int i = 0; i < x.Length; i++)
                {
                    if (labels[i] == c)
                    {
                        weight += w[i];
                        sum += (double)w[i] * x[i];
                        square += (double)w[i] * x[i] * x[i];
                    }
                }

                error += square - (weight > 0 && !(pinned && c == 0) ? sum * sum / weight : 0);
            }

            best = Math.Min(best, error);
        }

        return best;
    }
}
