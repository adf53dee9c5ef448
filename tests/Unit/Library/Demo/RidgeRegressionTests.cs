using System.Collections.Immutable;
using Optc.Demo;
using Optc.Numerics;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class RidgeRegressionTests
{
    // Class 1 where x = 1: without a penalty the line through the two points, up to the grid of 2^-12.
    [Fact]
    public void Without_a_penalty_it_is_least_squares()
    {
        (float[] weights, float[] bias) = RidgeRegression.Fit([[0], [1], [0], [1]], [0, 1, 0, 1], classes: 2, penalty: 0, gain: 1);

        Assert.Equal([-1f, 1f], weights);
        Assert.Equal([1f, 0f], bias);
    }

    // Centred: gram 1, moments ±1/2 · 2; the penalty adds as much as the trace, which halves the slope.
    [Fact]
    public void A_penalty_as_large_as_the_variance_halves_the_slope()
    {
        (float[] weights, float[] bias) = RidgeRegression.Fit([[0], [1], [0], [1]], [0, 1, 0, 1], classes: 2, penalty: 1, gain: 4);

        Assert.Equal([-2f, 2f], weights);
        Assert.Equal([3f, 1f], bias);
    }

    [Fact]
    public void The_gradient_of_the_penalised_error_is_zero()
    {
        const int samples = 40;
        const int size = 6;
        const double penalty = 0.2;
        SplitMix64 random = new(3);
        float[][] features = [.. Enumerable.Range(0, samples).Select(_ => Enumerable.Range(0, size).Select(_ => (float)random.NextNormal()).ToArray())];
        ImmutableArray<int> labels = [.. features.Select(f => f[0] + (0.5 * f[1]) > 0 ? 1 : 0)];
        (float[] weights, float[] bias) = RidgeRegression.Fit(features, labels, classes: 2, penalty, gain: 1);
        double[] means = [.. Enumerable.Range(0, size).Select(k => features.Average(f => (double)f[k]))];
        double trace = Enumerable.Range(0, size).Sum(k => features.Sum(f => (f[k] - means[k]) * (f[k] - means[k])));

        for (int k = 0; k < size; k++)
        {
            double gradient = penalty * trace / size * weights[size + k];
            for (int n = 0; n < samples; n++)
            {
                double estimate = bias[1] + Enumerable.Range(0, size).Sum(j => (double)weights[size + j] * features[n][j]);
                gradient += (estimate - labels[n]) * (features[n][k] - means[k]);
            }

            // 40 samples times what rounding to 2^-12 can change.
            Assert.Equal(0, gradient, 0.05);
        }
    }
}
