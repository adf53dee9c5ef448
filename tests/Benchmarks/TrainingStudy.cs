using System.Diagnostics;
using System.Globalization;
using Optc.Architectures;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

/// <summary>Training of known models on the shared data sets: accuracy on the test parts, epoch by epoch.</summary>
internal static class TrainingStudy
{
    private const int ClassesOfPictures = 10;

    /// <param name="shared">Folder of third-party models and data.</param>
    /// <param name="name">Which case.</param>
    public static void Print(string shared, string name, ulong seed, int threads)
    {
        (Model model, (Dataset train, Dataset test), FitOptions how) = name switch
        {
            "fine-tune" => (
                Model.Load(Path.Combine(shared, "models/pretrainedResnet/pretrainedResnet.tflite")),
                Cifar(shared),
                Options(40, 50, LearningRate.Cosine(4e-4, 0.05), "flip, crop:4, cutout:6", average: 0.999f, smoothing: 0.05f)),
            "fashion-resnet" => (
                New("resnet-8", [32, 32, 1]), Fashion(shared), Options(15, 32, LearningRate.Cosine(3e-3, 0.05), "flip, shift:2")),
            "fashion-mobilenet" => (
                New("mobilenet-v1", [32, 32, 1], 0.25), Fashion(shared), Options(25, 32, LearningRate.Cosine(4e-3, 0.05), "flip, shift:2")),
            "digits" or "digits-theo" => (
                New("ds-cnn-m", [49, 10, 1]),
                SpokenDigits.Load(shared, name == "digits-theo"),
                Options(20, 32, LearningRate.Cosine(2e-3, 0.05), "time-shift:4, noise:0.1")),
            _ => throw new ArgumentException($"'{name}' is none of fine-tune, fashion-resnet, fashion-mobilenet, digits, digits-theo.", nameof(name)),
        };

        WorkOptions work = new() { Threads = threads };
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# {name}, seed {seed}, {threads} threads, {train.Count} samples"));
        if (name == "fine-tune")
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"before {100 * model.Evaluate(test, options: work).Value:0.00} %"));
        }
        else
        {
            how = how with { Normalization = Normalization.Measure(TrainingData.Of(train)) };
        }

        Console.WriteLine("| epoch | rate | loss | test % | seconds |\n|---:|---:|---:|---:|---:|");
        long begin = Stopwatch.GetTimestamp();
        FitResult result = model.Fit(train, test, how with { Seed = seed, KeepBest = false, Progress = new Printer(begin) }, work);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"last {100 * result.History[^1].Score:0.00} %, best {100 * result.History.Max(h => h.Score):0.00} %, peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB"));

        Model New(string architecture, Shape input, double width = 1) => Model.Of(
            Architecture.Find(architecture).Build(new() { Input = input, Classes = ClassesOfPictures, Width = width, Seed = seed }));
    }

    private static FitOptions Options(int epochs, int batch, LearningRate rate, string augmentations, float? average = null, float smoothing = 0) => new()
    {
        Epochs = epochs,
        BatchSize = batch,
        Rate = rate,
        Augmentations = Augmentation.Parse(augmentations),
        Step = new() { Loss = Loss.Smoothed(smoothing), Optimizer = Optimizer.AdamW(0.01f), MovingAverage = average },
    };

    private static (Dataset Train, Dataset Test) Cifar(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        Dataset Part(string part)
        {
            int[] labels = file.Read($"y_{part}").ToInt32s();
            byte[] pixels = [.. QuantizationStudy.Pictures(file.Read($"x_{part}_delta"), labels.Length).SelectMany(p => p.Select(v => (byte)v))];
            return Dataset.Of(new TensorData(DType.U8, [labels.Length, 32, 32, 3], pixels), TensorData.FromInts([labels.Length], labels));
        }

        return (Part("train"), Part("test"));
    }

    private static (Dataset Train, Dataset Test) Fashion(string shared)
    {
        const int side = 28;
        const int padded = 32;
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/fashion-mnist/fashion-mnist.npz"));
        Dataset Part(string part)
        {
            int[] labels = file.Read($"y_{part}").ToInt32s();
            byte[] source = file.Read($"x_{part}").AsSpan<byte>().ToArray();
            byte[] pixels = new byte[labels.Length * padded * padded];
            for (int row = 0; row < labels.Length * side; row++)
            {
                source.AsSpan(row * side, side).CopyTo(pixels.AsSpan((((row / side * padded) + (row % side) + 2) * padded) + 2));
            }

            return Dataset.Of(new TensorData(DType.U8, [labels.Length, padded, padded, 1], pixels), TensorData.FromInts([labels.Length], labels));
        }

        return (Part("train"), Part("test"));
    }

    private sealed class Printer(long begin) : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            if (value.Finished is { } epoch)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {epoch.Epoch} | {epoch.Rate:0.0e0} | {epoch.Loss:0.0000} | {100 * epoch.Score:0.00} | {Stopwatch.GetElapsedTime(begin).TotalSeconds:0} |"));
            }
        }
    }
}
