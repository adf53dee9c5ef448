using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Runtime.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

/// <summary>
/// A ResNet-8 that was trained on CIFAR-10 elsewhere, as a float file with folded batch normalization, is trained further on pictures
/// that went through JPEG.
/// </summary>
internal static class FineTuneCase
{
    // The model takes pictures of 0 to 255, so the weights of its first layer are 8 to 84 times smaller than those of the other
    // convolutions (root mean square 0.0045): steps of Adam, which are of one size for all weights, would destroy it.
    private const float FirstLayerRate = 0.02f;

    public static TrainStudyCase Case { get; } = new(
        "fine-tune",
        0.825,
        (shared, _) => Model.Load(Path.Combine(shared, "models/pretrainedResnet/pretrainedResnet.tflite")),
        Load,
        FromScratch: false,
        new()
        {
            Epochs = 12,
            BatchSize = 50,
            Rate = LearningRate.Cosine(3e-4, 0.05),
            Augmentations = Augmentation.Parse("flip,shift:3"),
            Step = new() { MovingAverage = 0.998f, Rates = [new("^model/activation/Relu", FirstLayerRate)] },
        });

    /// <summary>The pictures as float32, so that integer models take them too.</summary>
    public static (Dataset Train, Dataset Test) LoadReal(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        return (Part("train"), Part("test"));

        Dataset Part(string part)
        {
            int[] labels = file.Read($"y_{part}").ToInt32s();
            float[] pixels = [.. QuantizationStudy.Pictures(file.Read($"x_{part}_delta"), labels.Length).SelectMany(p => p)];
            return Dataset.Of(TensorData.FromFloats([labels.Length, 32, 32, 3], pixels), TensorData.FromInts([labels.Length], labels));
        }
    }

    private static (Dataset Train, Dataset Test) Load(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        return (Part("train"), Part("test"));

        Dataset Part(string part)
        {
            int[] labels = file.Read($"y_{part}").ToInt32s();
            byte[] pixels = [.. QuantizationStudy.Pictures(file.Read($"x_{part}_delta"), labels.Length).SelectMany(p => p.Select(v => (byte)v))];
            return Dataset.Of(new TensorData(DType.U8, [labels.Length, 32, 32, 3], pixels), TensorData.FromInts([labels.Length], labels));
        }
    }
}
