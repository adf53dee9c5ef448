using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
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
        Rule<NormalizeChannels>((node, x) =>
        {
            NormalizeChannels op = (NormalizeChannels)node.Op;
            return [Normalize(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!, op.Epsilon, op.Activation)];
        }),
        Rule<NormalizedConvolution>((node, x) =>
        {
            NormalizedConvolution op = (NormalizedConvolution)node.Op;
            double[] a = x.Length > 2 ? Normalize(x[0]!, x[2]!, x[3]!, x[4]!, x[5]!, op.Epsilon, op.Activation) : x[0]!;
            GraphBuilder builder = new("convolution");
            IOp convolution = op.Depthwise
                ? new DepthwiseConv2D(op.StrideH, op.StrideW, op.Padding, 1, FusedActivation.None, op.DilationH, op.DilationW)
                : new Conv2D(op.StrideH, op.StrideW, op.Padding, FusedActivation.None, op.DilationH, op.DilationW);
            Value[] operands = [builder.Input("x", node.Inputs[0]!.Type), builder.Input("w", node.Inputs[1]!.Type)];
            Node inner = builder.Add(convolution, [.. operands], "y");
            double[] y = DoubleReference.Run([inner], new Dictionary<Value, double[]> { [operands[0]] = a, [operands[1]] = x[1]! })[inner.Output];
            int channels = node.Outputs[1].Type.Shape[0];
            double[] mean = [.. Enumerable.Range(0, channels).Select(c => y.Where((_, i) => i % channels == c).Average())];
            double[] variance =
                [.. Enumerable.Range(0, channels).Select(c => y.Where((_, i) => i % channels == c).Average(v => (v - mean[c]) * (v - mean[c])))];
            return [y, mean, variance];
        }),
    ];

    private static double[] Normalize(
        double[] x, double[] gamma, double[] beta, double[] mean, double[] variance, float epsilon, FusedActivation activation)
    {
        (double low, double high) = activation switch
        {
            FusedActivation.Relu => (0, double.PositiveInfinity),
            FusedActivation.Relu6 => (0, 6),
            FusedActivation.ReluN1To1 => (-1.0, 1.0),
            _ => (double.NegativeInfinity, double.PositiveInfinity),
        };
        return
        [
            .. x.Select((v, i) =>
            {
                int c = i % gamma.Length;
                return Math.Clamp((gamma[c] * (v - mean[c]) / Math.Sqrt(variance[c] + epsilon)) + beta[c], low, high);
            }),
        ];
    }
}
