using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Optc.Tests.Benchmarks;

/// <summary>A table in seconds instead of minutes: best and median of interleaved repeats, beside the rate of bare FMAs.</summary>
internal static class SpeedTable
{
    private const int Repeats = 15;
    private const double SecondsPerRepeat = 0.004;

    public static void Print(string filter)
    {
        List<SpeedCase> cases =
        [
            new("fma peak", FmaPeak.Run(out _), static () => FmaPeak.Run(out _)),
            new("fma peak 256 bits", FmaPeak.Run256(out _), static () => FmaPeak.Run256(out _)),
            .. SpeedCases.All().Where(c => c.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)),
        ];
        int[] runs = [.. cases.Select(Calibrate)];
        double[][] seconds = [.. cases.Select(_ => new double[Repeats])];
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int at = 0; at < cases.Count; at++)
            {
                seconds[at][repeat] = Time(cases[at], runs[at]) / runs[at];
            }
        }

        double peak = cases[0].Operations / seconds[0].Min();
        double peak256 = cases[1].Operations / seconds[1].Min();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{"case",-46} {"best us",9} {"median",9} {"Gop/s",8} {"% peak",7} {"% 256",7}"));
        for (int at = 0; at < cases.Count; at++)
        {
            Array.Sort(seconds[at]);
            double best = seconds[at][0];
            double rate = cases[at].Operations / best;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{cases[at].Name,-46} {best * 1e6,9:F2} {seconds[at][Repeats / 2] * 1e6,9:F2} {rate / 1e9,8:F1} {100 * rate / peak,7:F0} {100 * rate / peak256,7:F0}"));
        }
    }

    private static int Calibrate(SpeedCase speedCase)
    {
        for (int warm = 0; warm < 15; warm++)
        {
            speedCase.Run();
        }

        int runs = 1;
        while (Time(speedCase, runs) < SecondsPerRepeat)
        {
            runs *= 2;
        }

        return runs;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Time(SpeedCase speedCase, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
        {
            speedCase.Run();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
