using Optc.Passes.Cluster;
using Xunit;

namespace Optc.Tests.Unit.Passes.Cluster;

/// <summary>Numbers that the toolkit's own tests assert, as its specification gives them.</summary>
public class CentroidInitializerTests
{
    private static readonly float[] Steps = [1.1f, 2.2f, 3.3f, 4.4f, 5.5f, 6.6f, 7.7f, 8.8f, 9];

    private static readonly float[] Crowded = [0, 1, 2, 3, 3.1f, 3.2f, 3.3f, 3.4f, 3.5f];

    [Fact]
    public void Linear_centroids_are_evenly_spaced()
    {
        Check([0, 2.5f, 5, 7.5f, 10], CentroidInitializer.Linear, Range(0, 10), 5);
        Check([0, 1, 4, 7, 10], CentroidInitializer.Linear, Range(0, 10), 5, pinZero: true);
        Check([-3, 0, 1.1f, 3.7333333f, 6.3666667f, 9], CentroidInitializer.Linear, [-3, -2, -1, 0, .. Steps], 6, pinZero: true);
    }

    [Fact]
    public void Density_centroids_follow_the_distribution()
    {
        Check([0.1113793f, 2.0534482f, 3.145862f, 3.3886206f, 3.51f], CentroidInitializer.Density, Crowded, 5);
        Check([0.1113793f, 3.145862f, 3.51f], CentroidInitializer.Density, Crowded, 3);
        Check([0.3010345f, 5.2775865f, 9.01f], CentroidInitializer.Density, Range(0, 9), 3);
        Check([-5.836897f, -2.8941379f, -0.99f, 0], CentroidInitializer.Density, Range(-6, 0), 4, pinZero: true);
        Check([0, 1.2665517f, 4.032069f, 7.0741386f, 9.01f], CentroidInitializer.Density, [0, 0, .. Range(1, 9)], 5, pinZero: true);
        Check([-3.9058623f, -0.99f, 0, 1.1975863f, 4.103793f, 7.01f], CentroidInitializer.Density, [.. Range(-4, -1), 0, 0, 0, .. Range(1, 7)], 6, pinZero: true);
        Check([0], CentroidInitializer.Density, [0, 0, 0, 0], 4, pinZero: true);
    }

    [Fact]
    public void KMeans_plus_plus_draws_as_the_toolkit_does()
    {
        Check([3.1f, 0, 2, 1, 3.4f], CentroidInitializer.KMeansPlusPlus(), Crowded, 5);
        Check([3.1f, 0, 2], CentroidInitializer.KMeansPlusPlus(), Crowded, 3);
        Check([6, 1, 8], CentroidInitializer.KMeansPlusPlus(), Range(0, 9), 3);
        Check([4, 0], CentroidInitializer.KMeansPlusPlus(), [0, 2, 4, 6], 2);
        Check([5, 1], CentroidInitializer.KMeansPlusPlus(), [1, 3, 5, 7], 2);
        Check([0, 3, 1, 2, 3.3f], CentroidInitializer.KMeansPlusPlus(), Crowded, 5, pinZero: true);
        Check([-2, -4, 0, 5.5f, 2.2f, 8.8f], CentroidInitializer.KMeansPlusPlus(), [-4, -3, -2, -1, 0, .. Steps], 6, pinZero: true);
    }

    [Fact]
    public void Random_centroids_lie_between_the_values_and_follow_the_seed()
    {
        float[] found = [.. CentroidInitializer.Random(5).Choose([-3, 7], 200)];
        Assert.All(found, c => Assert.InRange(c, -3f, 7f));
        Assert.InRange(found.Average(), 1, 3);
        Assert.Equal(found, CentroidInitializer.Random(5).Choose([-3, 7], 200).AsEnumerable());
        Assert.NotEqual(found, CentroidInitializer.Random(6).Choose([-3, 7], 200).AsEnumerable());
        Assert.Contains(0f, CentroidInitializer.Random(5).Choose([-3, 0, 7], 4, pinZero: true));
    }

    [Fact]
    public void More_centroids_than_values_are_refused() =>
        Assert.Throws<ArgumentException>(() => CentroidInitializer.KMeansPlusPlus().Choose([1, 2], 3));

    private static float[] Range(int first, int last) => [.. Enumerable.Range(first, last - first + 1).Select(i => (float)i)];

    private static void Check(float[] expected, CentroidInitializer rule, float[] values, int count, bool pinZero = false)
    {
        float[] found = [.. rule.Choose(values, count, pinZero)];
        Assert.Equal(expected.Length, found.Length);
        Assert.All(expected.Zip(found), p => Assert.Equal(p.First, p.Second, 2e-6f * Math.Max(1, Math.Abs(p.First))));
    }
}
