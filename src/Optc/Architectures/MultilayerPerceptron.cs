using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>Two hidden dense layers with batch normalization and rectifiers.</summary>
internal static class MultilayerPerceptron
{
    private static readonly int[] Hidden = [256, 128];

    public static Value Layers(LayerBuilder b, Value input, int classes)
    {
        Value x = input.Type.Shape.Rank == 2 ? input : b.Flatten(input, "flat");
        for (int i = 0; i < Hidden.Length; i++)
        {
            x = b.Dense(x, $"hidden{i + 1}/dense", b.Channels(Hidden[i]), FusedActivation.Relu);
        }

        return b.Softmax(b.Readout(x, "head/dense", classes), "head/softmax");
    }
}
