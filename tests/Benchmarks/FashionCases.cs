using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Runtime.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

/// <summary>Pictures of clothes, 28x28 in a frame of zeros of 32x32, from scratch.</summary>
internal static class FashionCases
{
    private const int Side = 28;
    private const int Padded = 32;

    public static TrainStudyCase[] All { get; } =
    [
        new(
            "fashion-resnet",
            0.88,
            (_, seed) => TrainStudyCase.New("resnet-8", [Padded, Padded, 1], seed),
            Load,
            FromScratch: true,
            new()
            {
                Epochs = 15,
                BatchSize = 32,
                Rate = LearningRate.Cosine(3e-3, 0.05),
                Augmentations = Augmentation.Parse("flip,shift:2"),
                Step = new() { Optimizer = Optimizer.AdamW(0.01f) },
            }),
        new(
            "fashion-mobilenet",
            0.85,
            (_, seed) => TrainStudyCase.New("mobilenet-v1", [Padded, Padded, 1], seed, width: 0.25),
            Load,
            FromScratch: true,
            new()
            {
                Epochs = 100,
                BatchSize = 128,
                Rate = LearningRate.Cosine(8e-3, 0.1),
                Augmentations = Augmentation.Parse("flip,shift:2"),
                Step = new() { Optimizer = Optimizer.AdamW(0.05f) },
            }),
    ];

    private static (Dataset Train, Dataset Test) Load(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/fashion-mnist/fashion-mnist.npz"));
        return (Part("train"), Part("test"));

        Dataset Part(string part)
        {
            const int margin = (Padded - Side) / 2;
            int[] labels = file.Read($"y_{part}").ToInt32s();
            byte[] source = file.Read($"x_{part}").AsSpan<byte>().ToArray();
            byte[] pixels = new byte[labels.Length * Padded * Padded];
            for (int line = 0; line < labels.Length * Side; line++)
            {
                (int picture, int row) = (line / Side, line % Side);
                source.AsSpan(line * Side, Side).CopyTo(pixels.AsSpan((((picture * Padded) + row + margin) * Padded) + margin));
            }

            return Dataset.Of(TensorData.FromFloats([labels.Length, Padded, Padded, 1], Array.ConvertAll(pixels, p => (float)p)), TensorData.FromInts([labels.Length], labels));
        }
    }
}
