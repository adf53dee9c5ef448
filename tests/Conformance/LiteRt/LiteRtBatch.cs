using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Optc.Tests.Snapshots;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>One model for LiteRT.</summary>
/// <param name="Invocations">For each invocation the bytes of every input, in order.</param>
internal sealed record LiteRtJob(byte[] Model, ImmutableArray<ImmutableArray<byte[]>> Invocations);

/// <summary>What LiteRT made of it.</summary>
/// <param name="Error">Why it refused, or <see langword="null"/>.</param>
/// <param name="Outputs">For each invocation the bytes of every output.</param>
internal sealed record LiteRtResult(string? Error, ImmutableArray<ImmutableArray<byte[]>> Outputs);

/// <summary>Runs many models in one process of LiteRT's WebAssembly build; starting it takes longer than a model.</summary>
internal static class LiteRtBatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Results in the order of the jobs.</summary>
    /// <exception cref="InvalidOperationException">Node does not run the script.</exception>
    public static ImmutableArray<LiteRtResult> Run(IReadOnlyList<LiteRtJob> jobs)
    {
        string folder = Directory.CreateTempSubdirectory("optc-litert").FullName;
        try
        {
            ImmutableArray<LiteRtResult>.Builder results = ImmutableArray.CreateBuilder<LiteRtResult>(jobs.Count);
            while (results.Count < jobs.Count)
            {
                // A model that brings the runtime down ends the process; the rest runs in a new one.
                int first = results.Count;
                string list = WriteJobs(folder, jobs, first);
                List<string?> errors = RunNode(list);
                if (errors.Count == 0)
                {
                    throw new InvalidOperationException("LiteRT gave no result; see the output of 'node run.mjs'.");
                }

                results.AddRange(errors.Select((error, i) => ReadResult(folder, jobs[first + i], first + i, error)));
            }

            return results.MoveToImmutable();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string WriteJobs(string folder, IReadOnlyList<LiteRtJob> jobs, int first)
    {
        string path = Path.Combine(folder, Name($"jobs{first}.json"));
        using Utf8JsonWriter json = new(File.Create(path));
        json.WriteStartArray();
        for (int job = first; job < jobs.Count; job++)
        {
            string model = Path.Combine(folder, Name($"{job}.tflite"));
            File.WriteAllBytes(model, jobs[job].Model);
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteStartArray("inputs");
            for (int run = 0; run < jobs[job].Invocations.Length; run++)
            {
                json.WriteStartArray();
                for (int i = 0; i < jobs[job].Invocations[run].Length; i++)
                {
                    string input = Path.Combine(folder, Name($"{job}_in_{run}_{i}.bin"));
                    File.WriteAllBytes(input, jobs[job].Invocations[run][i]);
                    json.WriteStringValue(input);
                }

                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteString("outputs", Path.Combine(folder, Name($"{job}_out_")));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return path;
    }

    /// <summary>One entry for each job that was tried: the error, or <see langword="null"/>.</summary>
    private static List<string?> RunNode(string jobs)
    {
        using Process node = Process.Start(new ProcessStartInfo("node", ["run.mjs", jobs])
        {
            WorkingDirectory = LiteRtInstallation.Folder,
            RedirectStandardOutput = true,
        })!;
        Task<string> output = node.StandardOutput.ReadToEndAsync();
        if (!node.WaitForExit(Patience))
        {
            node.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"LiteRT did not end within {Patience}.");
        }

        List<string?> errors = [];
        foreach (string line in output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument result = JsonDocument.Parse(line);
            errors.Add(result.RootElement.TryGetProperty("error", out JsonElement error) ? error.GetString() : null);
        }

        return errors;
    }

    private static LiteRtResult ReadResult(string folder, LiteRtJob job, int index, string? error)
    {
        if (error is not null)
        {
            return new(error, []);
        }

        ImmutableArray<ImmutableArray<byte[]>>.Builder runs = ImmutableArray.CreateBuilder<ImmutableArray<byte[]>>();
        for (int run = 0; run < job.Invocations.Length; run++)
        {
            List<byte[]> outputs = [];
            while (Path.Combine(folder, Name($"{index}_out_{run}_{outputs.Count}.bin")) is var file && File.Exists(file))
            {
                outputs.Add(File.ReadAllBytes(file));
            }

            runs.Add([.. outputs]);
        }

        return new(null, runs.ToImmutable());
    }

    private static string Name(DefaultInterpolatedStringHandler name) => string.Create(CultureInfo.InvariantCulture, ref name);
}
