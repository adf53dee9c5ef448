using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Optc.Backends.EthosU;
using Optc.Formats.EthosU;
using Optc.Ir;
using Optc.Tests.Fuzzing;

namespace Optc.Tests.Benchmarks;

/// <summary>Damages packages of real models, many times, and tells how the reader took it.</summary>
internal static class PackageFuzz
{
    private const int Count = 10_000;

    private static readonly string[] Models = ["kws_ref_model", "hello_world_int8", "micro_speech_quantized", "seanet_transpose_conv1"];

    private enum Part
    {
        /// <summary>The text is damaged.</summary>
        Manifest,

        /// <summary>The packed bytes are damaged.</summary>
        Blob,

        /// <summary>As before, and the manifest names the hash and length of the damaged bytes.</summary>
        BlobAndHash,
    }

    /// <param name="shared">Folder of third-party models and data.</param>
    /// <returns>0 if every package was read as it was, or refused with a diagnostic; else 1.</returns>
    public static int Run(string shared)
    {
        (byte[] Manifest, byte[] Blob)[] sound = [.. Models.Select((m, i) => Pack(shared, m, Accelerator.All[(2 * i) % Accelerator.All.Length]))];
        MutationKind[] kinds = Enum.GetValues<MutationKind>();
        Console.WriteLine("| damaged | packages | equal | other content | refused | failed | slowest, ms | most memory, MB |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        bool isSound = true;
        foreach (Part part in Enum.GetValues<Part>())
        {
            (int equal, int scales, int refused, int failed, double slowest, long most) = (0, 0, 0, 0, 0, 0);
            for (int seed = 1 + (int)part; seed <= Count; seed += Enum.GetValues<Part>().Length)
            {
                (byte[] manifest, byte[] blob) = sound[seed % sound.Length];
                (byte[] otherManifest, byte[] otherBlob) = sound[(seed + 1) % sound.Length];
                MutationKind kind = kinds[seed / 3 % kinds.Length];
                (byte[] damagedManifest, byte[] damagedBlob) = part is Part.Manifest
                    ? (seed % 2 == 0 ? Mutation.Apply(kind, manifest, otherManifest, seed) : Text(manifest, seed), blob)
                    : (manifest, Mutation.Apply(kind, blob, otherBlob, seed));
                damagedManifest = part is Part.BlobAndHash ? Patched(manifest, blob, damagedBlob) : damagedManifest;
                long memory = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                try
                {
                    EthosUPackage read = EthosUPackage.Read(damagedManifest, damagedBlob);
                    if (HasSameWeights(EthosUPackage.Read(manifest, blob), read))
                    {
                        (equal, scales) = damagedBlob.AsSpan().SequenceEqual(blob) ? (equal + 1, scales) : (equal, scales + 1);
                    }
                    else
                    {
                        failed++;
                        Console.WriteLine($"{part}, seed {seed}: other weights");
                    }
                }
                catch (DiagnosticException problem) when (problem.Diagnostics.All(d => d.Id == DiagnosticId.DamagedPackage && d.Found is not null && d.Expected is not null))
                {
                    refused++;
                }
#pragma warning disable CA1031 // Any other exception is what fuzzing looks for.
                catch (Exception problem)
#pragma warning restore CA1031
                {
                    failed++;
                    Console.WriteLine($"{part}, seed {seed}: {problem}");
                }

                slowest = Math.Max(slowest, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - memory);
            }

            isSound &= failed == 0;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {part} | {equal + scales + refused + failed} | {equal} | {scales} | {refused} | {failed} | {slowest:0.0} | {most / 1e6:0.0} |"));
        }

        return isSound ? 0 : 1;
    }

    private static (byte[] Manifest, byte[] Blob) Pack(string shared, string name, Accelerator accelerator)
    {
        EthosUPackage package = Model.Load(Path.Combine(shared, "models", name, $"{name}.tflite")).ToEthosU(new(accelerator) { BlockDepth = 16, SliceDepth = 32 });
        return (package.WriteManifest(), package.Blob.ToArray());
    }

    /// <summary>A number or word of the text becomes another one, so that the damage passes the reader of JSON.</summary>
    private static byte[] Text(byte[] manifest, int seed)
    {
        Random random = new(seed);
        string text = Encoding.UTF8.GetString(manifest);
        string[] lines = text.Split('\n');
        int at = random.Next(lines.Length);
        switch (random.Next(5))
        {
            case 0:
                (lines[at], lines[random.Next(lines.Length)]) = (lines[random.Next(lines.Length)], lines[at]);
                break;
            case 1:
                lines[at] = "";
                break;
            default:
                int digit = lines[at].IndexOfAny(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
                string[] numbers = ["-1", "0", "16", "2147483647", "4294967296", "1e9", "1.5", "null", "[]", "{}", "\"\""];
                lines[at] = digit < 0 ? lines[at] + "," : lines[at][..digit] + numbers[random.Next(numbers.Length)] + (lines[at].EndsWith(',') ? "," : "");
                break;
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private static byte[] Patched(byte[] manifest, byte[] blob, byte[] damaged) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(manifest)
        .Replace(Convert.ToHexStringLower(SHA256.HashData(blob)), Convert.ToHexStringLower(SHA256.HashData(damaged)), StringComparison.Ordinal)
        .Replace($"\"blobBytes\": {blob.Length}", $"\"blobBytes\": {damaged.Length}", StringComparison.Ordinal));

    private static bool HasSameWeights(EthosUPackage first, EthosUPackage second) => first.Layers.Length == second.Layers.Length
        && first.Layers.Zip(second.Layers).All(p => first.Unpack(p.First).Weights.Span.SequenceEqual(second.Unpack(p.Second).Weights.Span));
}
