using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>Dense autoencoder: 128 x4, 8, 128 x4, each with batch normalization and a rectifier, then a linear layer as wide as the input.</summary>
/// <remarks>
/// Source: Koizumi et al., baseline of the DCASE 2020 challenge task 2; the anomaly detection model of MLPerf Tiny (Banbury et al., 2021). There it
/// has 640 inputs (5 frames of 128 mel bands) and 269,992 parameters.
/// </remarks>
internal static class Autoencoder
{
    private const int Hidden = 128;
    private const int Code = 8;
    private const int LayersEachSide = 4;

    public static Value Layers(LayerBuilder b, Value input, int classes)
    {
        Value x = input.Type.Shape.Rank == 2 ? input : b.Flatten(input, "flat");
        int size = x.Type.Shape[1];
        for (int i = 1; i <= LayersEachSide; i++)
        {
            x = b.Dense(x, $"encoder{i}/dense", b.Channels(Hidden), FusedActivation.Relu);
        }

        x = b.Dense(x, "code/dense", Code, FusedActivation.Relu);
        for (int i = 1; i <= LayersEachSide; i++)
        {
            x = b.Dense(x, $"decoder{i}/dense", b.Channels(Hidden), FusedActivation.Relu);
        }

        x = b.Readout(x, "head/dense", size);
        return input.Type.Shape.Rank == 2 ? x : b.Unflatten(x, "head/reconstruction", input.Type.Shape);
    }
}
