using System.Diagnostics;
using System.Globalization;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;

namespace Optc.Tests.Benchmarks;

/// <summary>How many samples a second the quantizer takes, from float model to int8 model, for each way to find ranges.</summary>
/// <remarks>All cases take turns, so that a change in the load of the machine meets all of them; medians are shown.</remarks>
internal static class CalibrationSpeed
{
    private const int Rounds = 7;
    private const int Samples = 500;

    private static readonly RangeEstimator[] Estimators =
    [
        RangeEstimator.MinMax, RangeEstimator.Percentile(), RangeEstimator.MeanSquaredError, RangeEstimator.Entropy,
    ];

    /// <param name="shared">Folder of third-party models and data.</param>
    public static void Print(string shared)
    {
        string path = Path.Combine(shared, "models/pretrainedResnet/pretrainedResnet.tflite");
        Module module = FrontendSet.Read(File.ReadAllBytes(path), path);
        CalibrationSample[] samples =
        [
            .. QuantizationStudy.TrainingPictures(shared, Samples).Select((x, i) => CalibrationSample.Of(i, TensorData.FromFloats([1, 32, 32, 3], x))),
        ];
        (RangeEstimator Estimator, int Threads)[] cases = [.. from e in Estimators from t in new[] { 1, Environment.ProcessorCount } select (e, t)];
        List<double>[] seconds = [.. cases.Select(_ => new List<double>())];
        for (int round = -1; round < Rounds; round++)
        {
            for (int at = 0; at < cases.Length; at++)
            {
                long start = Stopwatch.GetTimestamp();
                Quantizer.Quantize(
                    module,
                    QuantizationRecipe.StaticInt8 with { Estimator = cases[at].Estimator },
                    new CalibrationData(samples),
                    new PassContext { Threads = cases[at].Threads });
                if (round >= 0)
                {
                    seconds[at].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
        }

        Console.WriteLine("| estimator | threads | samples/s, median | best |");
        Console.WriteLine("|---|---:|---:|---:|");
        for (int at = 0; at < cases.Length; at++)
        {
            seconds[at].Sort();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {cases[at].Estimator} | {cases[at].Threads} | {Samples / seconds[at][Rounds / 2]:0} | {Samples / seconds[at][0]:0} |"));
        }
    }
}
