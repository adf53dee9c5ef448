using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>MobileNetV2: inverted residual blocks (expand, depthwise, project) with linear bottlenecks and rectifiers bounded at 6.</summary>
/// <remarks>
/// Source: Sandler et al., "MobileNetV2", 2018, table 2. With width 1 on 224x224x3 and 1000 classes it has 3,538,984 parameters in Keras, which counts 4
/// for each channel of a normalization. The last convolution is not narrower than 1280 channels.
/// </remarks>
internal static class MobileNetV2
{
    private const int Stem = 32;
    private const int Last = 1280;

    private static readonly (int Expansion, int Channels, int Repeats, int Stride)[] Stages =
    [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ];

    public static Value Layers(LayerBuilder b, Value input, int classes)
    {
        Value x = b.Convolution(input, "stem/conv", b.Channels(Stem), (3, 3), (2, 2), FusedActivation.Relu6);
        int block = 0;
        foreach ((int expansion, int channels, int repeats, int stride) in Stages)
        {
            for (int i = 0; i < repeats; i++)
            {
                x = Block(b, x, $"block{++block}", expansion, b.Channels(channels), i == 0 ? stride : 1);
            }
        }

        // Only a wider model widens the last layer.
        x = b.Convolution(x, "last/conv", Math.Max(Last, b.Channels(Last)), (1, 1), (1, 1), FusedActivation.Relu6);
        return b.Softmax(b.Readout(b.MeanOfPositions(x, "head/pool"), "head/dense", classes), "head/softmax");
    }

    private static Value Block(LayerBuilder b, Value x, string name, int expansion, int channels, int stride)
    {
        int depth = x.Type.Shape[3];
        Value y = expansion == 1 ? x : b.Convolution(x, $"{name}/expand", expansion * depth, (1, 1), (1, 1), FusedActivation.Relu6);
        y = b.Depthwise(y, $"{name}/depthwise", (3, 3), (stride, stride), FusedActivation.Relu6);
        y = b.Convolution(y, $"{name}/project", channels, (1, 1), (1, 1), FusedActivation.None);
        return stride == 1 && depth == channels ? b.Sum(x, y, $"{name}/add") : y;
    }
}
