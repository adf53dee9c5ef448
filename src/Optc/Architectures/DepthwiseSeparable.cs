using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>DS-CNN: a convolution of 10 by 4, then blocks of a depthwise 3x3 and a pointwise convolution, mean, dense.</summary>
/// <param name="Channels">Of every layer.</param>
/// <param name="Stem">Stride of the first convolution over time and frequency.</param>
/// <param name="First">Stride of the first block.</param>
/// <param name="Blocks">Number of blocks.</param>
/// <remarks>
/// Sizes and strides: Zhang et al., "Hello Edge: keyword spotting on microcontrollers", 2017, whose models are listed as
/// <c>model_size_info 5 64 10 4 2 2 64 3 3 1 1 ..</c>, <c>5 172 10 4 2 1 172 3 3 2 2 ..</c> and <c>6 276 10 4 2 1 276 3 3 2 2 ..</c>. S is also
/// the keyword model of MLPerf Tiny, 24,908 parameters, without its dropout.
/// </remarks>
internal sealed record DepthwiseSeparable(int Channels, (int H, int W) Stem, (int H, int W) First, int Blocks)
{
    public static DepthwiseSeparable Small { get; } = new(64, (2, 2), (1, 1), 4);

    public static DepthwiseSeparable Medium { get; } = new(172, (2, 1), (2, 2), 4);

    public static DepthwiseSeparable Large { get; } = new(276, (2, 1), (2, 2), 5);

    public static Value Layers(LayerBuilder b, Value input, int classes, DepthwiseSeparable size)
    {
        int channels = b.Channels(size.Channels);
        Value x = b.Convolution(input, "stem/conv", channels, (10, 4), size.Stem, FusedActivation.Relu);
        for (int i = 1; i <= size.Blocks; i++)
        {
            x = b.Depthwise(x, $"block{i}/depthwise", (3, 3), i == 1 ? size.First : (1, 1), FusedActivation.Relu);
            x = b.Convolution(x, $"block{i}/pointwise", channels, (1, 1), (1, 1), FusedActivation.Relu);
        }

        return b.Softmax(b.Readout(b.MeanOfPositions(x, "head/pool"), "head/dense", classes), "head/softmax");
    }
}
