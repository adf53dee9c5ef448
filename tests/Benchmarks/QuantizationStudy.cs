using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Optc.Formats.Npy;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Tests.Benchmarks;

/// <summary>What quantization costs in accuracy, for each way to find ranges, on real models and data.</summary>
internal static class QuantizationStudy
{
    private const int CalibrationSamples = 500;

    private static readonly RangeEstimator[] Estimators =
    [
        RangeEstimator.MinMax, RangeEstimator.MovingAverage(), RangeEstimator.Percentile(), RangeEstimator.Percentile(99.9),
        RangeEstimator.MeanSquaredError, RangeEstimator.Entropy,
    ];

    /// <param name="shared">Folder of third-party models and data.</param>
    public static void Print(string shared)
    {
        Console.WriteLine("| model | recipe | estimator | accuracy or agreement % | change | samples/s of calibration |");
        Console.WriteLine("|---|---|---|---:|---:|---:|");
        Cifar(shared);
        PersonDetection(shared);
    }

    /// <summary>The first training pictures of the CIFAR-10 pack: each [32, 32, 3], 0 to 255.</summary>
    internal static float[][] TrainingPictures(string shared, int count)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        return [.. Pictures(file.Read("x_train_delta"), count)];
    }

    private static void Cifar(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        float[][] train = [.. Pictures(file.Read("x_train_delta"), CalibrationSamples)];
        float[][] test = [.. Pictures(file.Read("x_test_delta"), int.MaxValue)];
        int[] labels = file.Read("y_test").ToInt32s();
        Compare(Path.Combine(shared, "models/pretrainedResnet/pretrainedResnet.tflite"), [1, 32, 32, 3], train, test, labels);
    }

    // No labelled pictures of this task are at hand: agreement with the float model on CIFAR-10 pictures enlarged three times.
    private static void PersonDetection(string shared)
    {
        using NpzReader file = NpzReader.Open(Path.Combine(shared, "data/cifar10/cifar10-jpeg.npz"));
        float[][] train = [.. Pictures(file.Read("x_train_delta"), 200).Select(Enlarge)];
        float[][] test = [.. Pictures(file.Read("x_test_delta"), 500).Select(Enlarge)];
        Compare(Path.Combine(shared, "models/vww_96_float/vww_96_float.tflite"), [1, 96, 96, 3], train, test, labels: null);
    }

    private static void Compare(string path, Shape input, float[][] train, float[][] test, int[]? labels)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        Module module = FrontendSet.Read(File.ReadAllBytes(path), path);
        int[] floatClasses = Classes(module, test);
        int[] truth = labels ?? floatClasses;
        double reference = Score(floatClasses, truth);
        Row(name, "float", "-", reference, 0, null);
        CalibrationData Data() => new(train.Select((x, i) => CalibrationSample.Of(i, TensorData.FromFloats(input, x))), train.Length);
        foreach (RangeEstimator estimator in Estimators)
        {
            Measure(QuantizationRecipe.StaticInt8 with { Estimator = estimator });
        }

        Measure(QuantizationRecipe.StaticInt16x8);
        Measure(QuantizationRecipe.DynamicRange);
        Measure(QuantizationRecipe.Float16);

        void Measure(QuantizationRecipe recipe)
        {
            long start = Stopwatch.GetTimestamp();
            Module quantized = Quantizer.Quantize(module, recipe, Data(), new PassContext()).Module;
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double score = Score(Classes(quantized, test), truth);
            bool isStatic = recipe.Mode is QuantizationMode.Static;
            Row(name, recipe.Name, isStatic ? recipe.Estimator.ToString()! : "-", score, score - reference, isStatic ? train.Length / seconds : null);
        }
    }

    private static int[] Classes(Module module, float[][] samples)
    {
        using Interpreter interpreter = new(module);
        int[] classes = new int[samples.Length];
        for (int i = 0; i < samples.Length; i++)
        {
            Fill(interpreter, samples[i]);
            interpreter.Run();
            classes[i] = interpreter.OutputType(0).DType switch
            {
                DType.F32 => TensorPrimitives.IndexOfMax(interpreter.Output<float>(0)),
                DType.I16 => ArgMax(interpreter.Output<short>(0)),
                _ => ArgMax(interpreter.Output<sbyte>(0)),
            };
        }

        return classes;
    }

    private static void Fill(Interpreter interpreter, float[] sample)
    {
        TensorType type = interpreter.InputType(0);
        switch (type.DType)
        {
            case DType.F32:
                sample.CopyTo(interpreter.Input<float>(0));
                break;
            case DType.I16:
                for (int i = 0; i < sample.Length; i++)
                {
                    interpreter.Input<short>(0)[i] = (short)Math.Clamp(MathF.Round(sample[i] / type.Scale) + type.ZeroPoint, short.MinValue, short.MaxValue);
                }

                break;
            default:
                Span<sbyte> target = MemoryMarshal.Cast<byte, sbyte>(interpreter.Input(0));
                for (int i = 0; i < sample.Length; i++)
                {
                    target[i] = (sbyte)Math.Clamp(MathF.Round(sample[i] / type.Scale) + type.ZeroPoint, sbyte.MinValue, sbyte.MaxValue);
                }

                break;
        }
    }

    private static int ArgMax<T>(ReadOnlySpan<T> values)
        where T : IComparable<T>
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i].CompareTo(values[best]) > 0 ? i : best;
        }

        return best;
    }

    private static double Score(int[] classes, int[] truth) => 100.0 * classes.Zip(truth).Count(p => p.First == p.Second) / truth.Length;

    /// <summary>Undoes the stored two-dimensional difference, modulo 256, as the README of the data gives it.</summary>
    internal static IEnumerable<float[]> Pictures(NpyArray delta, int count)
    {
        (int height, int width, int channels) = (delta.Shape[1], delta.Shape[2], delta.Shape[3]);
        int size = height * width * channels;
        for (int n = 0; n < Math.Min(count, delta.Shape[0]); n++)
        {
            byte[] x = delta.Data.Slice(n * size, size).ToArray();
            for (int i = channels; i < size; i++)
            {
                x[i] += i % (width * channels) >= channels ? x[i - channels] : (byte)0;
            }

            for (int i = width * channels; i < size; i++)
            {
                x[i] += x[i - (width * channels)];
            }

            yield return Array.ConvertAll(x, b => (float)b);
        }
    }

    private static float[] Enlarge(float[] picture)
    {
        const int from = 32;
        const int factor = 3;
        float[] large = new float[from * factor * from * factor * 3];
        for (int h = 0; h < from * factor; h++)
        {
            for (int w = 0; w < from * factor; w++)
            {
                for (int c = 0; c < 3; c++)
                {
                    large[(((h * from * factor) + w) * 3) + c] = picture[(((h / factor * from) + (w / factor)) * 3) + c] / 255f;
                }
            }
        }

        return large;
    }

    private static void Row(string model, string recipe, string estimator, double score, double change, double? speed) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {model} | {recipe} | {estimator} | {score:0.00} | {change:+0.00;-0.00;0.00} | {(speed is null ? "-" : speed.Value.ToString("0", CultureInfo.InvariantCulture))} |"));
}
