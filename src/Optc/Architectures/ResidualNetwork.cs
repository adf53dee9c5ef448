using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>ResNet-8: a convolution and three residual blocks of two 3x3 convolutions with 16, 32 and 64 channels, mean, dense.</summary>
/// <remarks>
/// Source: He et al., "Deep residual learning for image recognition", 2016; the image classification model of MLPerf Tiny, 78,666 parameters. The
/// shortcut of a block that changes size is a 1x1 convolution with bias and without normalization, as there.
/// </remarks>
internal static class ResidualNetwork
{
    private static readonly int[] Widths = [16, 32, 64];

    public static Value Layers(LayerBuilder b, Value input, int classes)
    {
        Value x = b.Convolution(input, "stem/conv", b.Channels(Widths[0]), (3, 3), (1, 1), FusedActivation.Relu);
        for (int i = 0; i < Widths.Length; i++)
        {
            string block = $"block{i + 1}";
            int channels = b.Channels(Widths[i]);
            (int, int) stride = i == 0 ? (1, 1) : (2, 2);
            Value y = b.Convolution(x, $"{block}/conv1", channels, (3, 3), stride, FusedActivation.Relu);
            y = b.Convolution(y, $"{block}/conv2", channels, (3, 3), (1, 1), FusedActivation.None);
            Value shortcut = i == 0 ? x : b.Convolution(x, $"{block}/shortcut", channels, (1, 1), stride, FusedActivation.None, normalise: false);
            x = b.Sum(shortcut, y, $"{block}/add", FusedActivation.Relu);
        }

        return b.Softmax(b.Readout(b.MeanOfPositions(x, "head/pool"), "head/dense", classes), "head/softmax");
    }
}
