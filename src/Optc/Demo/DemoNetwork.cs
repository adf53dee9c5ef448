using Optc.Architectures;
using Optc.Ir;

namespace Optc.Demo;

/// <summary>The classifier of sounds that the demo begins with.</summary>
/// <remarks>
/// A DS-CNN, see <see cref="DepthwiseSeparable"/>: <c>input f32 [1, time = 49, frequency = 40, 1] -> probabilities f32 [1, class = 5]</c>; a
/// convolution of 10 by 4 and four depthwise separable blocks, the first two of these layers with strides of two, so that most of
/// its weights are those of pointwise convolutions on 13 by 10 positions.
/// </remarks>
internal static class DemoNetwork
{
    private const int Blocks = 4;

    /// <summary>The network with random weights.</summary>
    /// <param name="channels">Of every convolution.</param>
    public static Module Build(int channels)
    {
        LayerBuilder layers = new(ArchitectureOptions.Default);
        Value input = layers.Input(LogMelFeatures.Shape);
        Value output = DepthwiseSeparable.Layers(layers, input, DemoTask.ClassNames.Length, new(channels, (2, 2), (2, 2), Blocks));
        return layers.Build(input, output, "probabilities", "optc demo: classifier of synthesised sounds");
    }
}
