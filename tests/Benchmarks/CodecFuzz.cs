using System.Diagnostics;
using System.Globalization;
using Optc.Formats;
using Optc.Formats.EthosU;
using Optc.Tests.Fuzzing;

namespace Optc.Tests.Benchmarks;

/// <summary>Damages the reference's weight streams, many times, and tells how the decoder took it.</summary>
internal static class CodecFuzz
{
    private const int Count = 10_000;
    private const int WeightLimit = 1 << 22;

    /// <param name="shared">Folder of third-party models and data.</param>
    /// <returns>0 if every stream was read or refused as malformed, else 1.</returns>
    public static int Run(string shared)
    {
        byte[][] streams = [.. Directory.GetFiles(Path.Combine(shared, "data", "mlw"), "*.mlw").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        MutationKind[] kinds = Enum.GetValues<MutationKind>();
        Console.WriteLine("| damage | streams | read | refused | failed | slowest, ms | most memory, MB |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        bool isSound = true;
        foreach (MutationKind kind in kinds)
        {
            (int read, int refused, int failed, double slowest, long most) = (0, 0, 0, 0, 0);
            for (int seed = 1 + Array.IndexOf(kinds, kind); seed <= Count; seed += kinds.Length)
            {
                byte[] damaged = Mutation.Apply(kind, streams[seed % streams.Length], streams[(seed + 7) % streams.Length], seed);
                long memory = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                try
                {
                    WeightCodec.Decode(damaged, WeightLimit);
                    read++;
                }
                catch (MalformedDataException)
                {
                    refused++;
                }
#pragma warning disable CA1031 // Any other exception is what fuzzing looks for.
                catch (Exception problem)
#pragma warning restore CA1031
                {
                    failed++;
                    Console.WriteLine($"seed {seed}: {problem}");
                }

                slowest = Math.Max(slowest, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - memory);
            }

            isSound &= failed == 0;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {kind} | {read + refused + failed} | {read} | {refused} | {failed} | {slowest:0.0} | {most / 1e6:0.0} |"));
        }

        return isSound ? 0 : 1;
    }
}
