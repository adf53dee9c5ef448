using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Batch normalization in training, by its definition.</summary>
internal static class NormalizationReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Rule<BatchNormalization>((node, x) =>
        {
            float epsilon = ((BatchNormalization)node.Op).Epsilon;
            int channels = x[1]!.Length;
            double[] mean = new double[channels];
            double[] variance = new double[channels];
            double[] y = new double[x[0]!.Length];
            for (int c = 0; c < channels; c++)
            {
                double[] channel = [.. x[0]!.Where((_, i) => i % channels == c)];
                mean[c] = channel.Average();
                variance[c] = channel.Average(v => (v - mean[c]) * (v - mean[c]));
                for (int i = c; i < y.Length; i += channels)
                {
                    y[i] = (x[1]![c] * (x[0]![i] - mean[c]) / Math.Sqrt(variance[c] + epsilon)) + x[2]![c];
                }
            }

            return [y, mean, variance];
        }),
    ];
}
