using System.Collections.Immutable;
using MathNet.Numerics.LinearAlgebra;

namespace Optc.Demo;

/// <summary>Fits a linear read-out to features: least squares on one-hot targets with a penalty on the weights.</summary>
/// <remarks>
/// Source: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 1970. The
/// normal equations are solved by Cholesky decomposition in double precision; their sums are taken here, in a fixed order.
/// </remarks>
internal static class RidgeRegression
{
    /// <summary>Grid of weights and biases.</summary>
    private const double Steps = 4096;

    /// <summary>Weights and biases of <c>gain * (w x + b)</c>, rounded to multiples of 2^-12.</summary>
    /// <param name="features">[N][K]</param>
    /// <param name="labels">Class of each row.</param>
    /// <param name="penalty">Relative to the mean variance of the features.</param>
    /// <param name="gain">Factor on the estimates, which lie between 0 and 1.</param>
    /// <returns>Weights [C, K], bias [C].</returns>
    public static (float[] Weights, float[] Bias) Fit(float[][] features, ImmutableArray<int> labels, int classes, double penalty, double gain)
    {
        int size = features[0].Length;
        double[] means = new double[size];
        foreach (float[] row in features)
        {
            for (int k = 0; k < size; k++)
            {
                means[k] += (double)row[k] / features.Length;
            }
        }

        double[] shares = new double[classes];
        foreach (int label in labels)
        {
            shares[label] += 1.0 / features.Length;
        }

        double[,] gram = new double[size, size];
        double[,] moments = new double[size, classes];
        double[] centred = new double[size];
        for (int n = 0; n < features.Length; n++)
        {
            for (int k = 0; k < size; k++)
            {
                centred[k] = features[n][k] - means[k];
            }

            for (int k = 0; k < size; k++)
            {
                for (int j = 0; j <= k; j++)
                {
                    gram[k, j] += centred[k] * centred[j];
                }

                for (int c = 0; c < classes; c++)
                {
                    moments[k, c] += centred[k] * ((labels[n] == c ? 1 : 0) - shares[c]);
                }
            }
        }

        double trace = 0;
        for (int k = 0; k < size; k++)
        {
            trace += gram[k, k];
            for (int j = 0; j < k; j++)
            {
                gram[j, k] = gram[k, j];
            }
        }

        for (int k = 0; k < size; k++)
        {
            gram[k, k] += penalty * trace / size;
        }

        Matrix<double> solution = Matrix<double>.Build.DenseOfArray(gram).Cholesky().Solve(Matrix<double>.Build.DenseOfArray(moments));
        float[] weights = new float[classes * size];
        float[] bias = new float[classes];
        for (int c = 0; c < classes; c++)
        {
            double offset = shares[c];
            for (int k = 0; k < size; k++)
            {
                offset -= solution[k, c] * means[k];
                weights[(c * size) + k] = Round(gain * solution[k, c]);
            }

            bias[c] = Round(gain * offset);
        }

        return (weights, bias);
    }

    private static float Round(double value) => (float)(Math.Round(value * Steps) / Steps);
}
