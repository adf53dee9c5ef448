using System.Diagnostics;
using System.Globalization;
using Optc.Formats.EthosU;

namespace Optc.Tests.Benchmarks;

/// <summary>Raw weights a second, a byte each, of the Ethos-U codec on one thread.</summary>
internal static class CodecSpeed
{
    private const int Weights = 1 << 16;

    // Short calls, many of them: some meet a core that is free, and the best one tells how long the work itself takes.
    private const int Rounds = 300;
    private const int SlowRounds = 5;

    /// <summary>The best of rounds that take turns.</summary>
    public static void Print()
    {
        (string Name, short[] Weights)[] kinds =
        [
            ("Gaussian, sigma 20", Make(random => Gaussian(random, 20))),
            ("50 % zeros", Make(random => random.NextDouble() < 0.5 ? 0 : Gaussian(random, 20))),
            ("80 % zeros", Make(random => random.NextDouble() < 0.8 ? 0 : Gaussian(random, 20))),
            ("95 % zeros", Make(random => random.NextDouble() < 0.95 ? 0 : Gaussian(random, 20))),
            ("16 clusters", Make(random => Clustered(random, 16))),
            ("32 clusters", Make(random => Clustered(random, 32))),
        ];
        Console.WriteLine("| weights | bits/weight | compatible MB/s | decoder MB/s | smallest: bits/weight | smallest MB/s |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        foreach ((string name, short[] weights) in kinds)
        {
            byte[] compatible = WeightCodec.Encode(weights);
            byte[] smallest = WeightCodec.Encode(weights, WeightCodecMode.Smallest);
            short[] decoded = new short[Weights];
            Action[] work =
            [
                () => WeightCodec.Encode(weights),
                () => WeightCodec.Decode(compatible, decoded),
                () => WeightCodec.Encode(weights, WeightCodecMode.Smallest),
            ];
            double[] best = [double.MaxValue, double.MaxValue, double.MaxValue];
            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < (round < SlowRounds ? 3 : 2); i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    work[i]();
                    best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }

            double[] rates = [.. best.Select(seconds => Weights / seconds / 1e6)];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {8.0 * compatible.Length / Weights:0.000} | {rates[0]:0} | {rates[1]:0} | {8.0 * smallest.Length / Weights:0.000} | {rates[2]:0.00} |"));
        }
    }

    private static short[] Make(Func<Random, double> next)
    {
        Random random = new(1);
        return [.. Enumerable.Range(0, Weights).Select(_ => (short)Math.Clamp(Math.Round(next(random)), -127, 127))];
    }

    private static double Gaussian(Random random, double sigma) =>
        sigma * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>A bell-shaped weight in the middle of its stretch of the range.</summary>
    private static double Clustered(Random random, int clusters)
    {
        double width = 160.0 / clusters;
        return (Math.Floor(Math.Clamp(Gaussian(random, 30), -79.9, 79.9) / width) + 0.5) * width;
    }
}
