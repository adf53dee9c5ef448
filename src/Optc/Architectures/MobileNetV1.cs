using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>MobileNet: a 3x3 convolution, then 13 blocks of a depthwise 3x3 and a pointwise convolution, mean, dense.</summary>
/// <remarks>
/// Source: Howard et al., "MobileNets", 2017, table 1. Rectifiers are those of the paper and of MLPerf Tiny's visual wake
/// words, which is width 0.25 on 96x96x3 with 221,794 parameters; TensorFlow's own models bound them at 6.
/// </remarks>
internal static class MobileNetV1
{
    private const int Stem = 32;

    private static readonly (int Channels, int Stride)[] Blocks =
    [
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ];

    public static Value Layers(LayerBuilder b, Value input, int classes)
    {
        Value x = b.Convolution(input, "stem/conv", b.Channels(Stem), (3, 3), (2, 2), FusedActivation.Relu);
        for (int i = 0; i < Blocks.Length; i++)
        {
            (int channels, int stride) = Blocks[i];
            x = b.Depthwise(x, $"block{i + 1}/depthwise", (3, 3), (stride, stride), FusedActivation.Relu);
            x = b.Convolution(x, $"block{i + 1}/pointwise", b.Channels(channels), (1, 1), (1, 1), FusedActivation.Relu);
        }

        return b.Softmax(b.Readout(b.MeanOfPositions(x, "head/pool"), "head/dense", classes), "head/softmax");
    }
}
