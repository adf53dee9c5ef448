using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Optc.Frontend;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Tests.Benchmarks;

/// <summary>Whole models, one thread: optc's interpreter beside LiteRT's WebAssembly build, in one run.</summary>
/// <remarks>
/// Both take the same random input. The two alternate in rounds, so that a change in the load of the machine meets both;
/// the medians over all rounds are compared.
/// </remarks>
internal static class ModelSpeed
{
    private const int Rounds = 5;
    private const int RunsPerRound = 40;
    private const int WarmUpRuns = 100;

    /// <param name="models">Files to run.</param>
    /// <param name="runner">Folder of the LiteRT runner with its packages, or <see langword="null"/> to run optc alone.</param>
    public static void Print(IReadOnlyList<string> models, string? runner)
    {
        Console.WriteLine("| model | optc ms | LiteRT wasm ms | optc / LiteRT |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (string path in models)
        {
            List<double> ours = [];
            List<double> theirs = [];
            using Interpreter interpreter = new(FrontendSet.Read(File.ReadAllBytes(path), path));
            Fill(interpreter);
            for (int i = 0; i < WarmUpRuns; i++)
            {
                interpreter.Run();
            }

            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < RunsPerRound; i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    interpreter.Run();
                    ours.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }

                if (runner is not null)
                {
                    theirs.AddRange(LiteRt(path, interpreter, runner));
                }
            }

            double a = Median(ours);
            double b = theirs.Count == 0 ? double.NaN : Median(theirs);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {Path.GetFileNameWithoutExtension(path)} | {a:0.000} | {b:0.000} | {a / b:0.00} |"));
        }
    }

    private static void Fill(Interpreter interpreter)
    {
        Random random = new(7);
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            if (interpreter.InputType(i).DType is DType.F32)
            {
                foreach (ref float value in interpreter.Input<float>(i))
                {
                    value = random.NextSingle();
                }
            }
            else
            {
                random.NextBytes(interpreter.Input(i));
            }
        }
    }

    private static IEnumerable<double> LiteRt(string path, Interpreter interpreter, string runner)
    {
        string folder = Directory.CreateTempSubdirectory("optc-speed").FullName;
        try
        {
            List<string> inputs = [];
            for (int i = 0; i < interpreter.InputCount; i++)
            {
                inputs.Add(Path.Combine(folder, $"in{i}.bin"));
                File.WriteAllBytes(inputs[i], interpreter.Input(i));
            }

            string jobs = Path.Combine(folder, "jobs.json");
            using (Utf8JsonWriter json = new(File.Create(jobs)))
            {
                json.WriteStartArray();
                json.WriteStartObject();
                json.WriteString("model", Path.GetFullPath(path));
                json.WriteStartArray("inputs");
                json.WriteStartArray();
                inputs.ForEach(json.WriteStringValue);
                json.WriteEndArray();
                json.WriteEndArray();
                json.WriteString("outputs", Path.Combine(folder, "out"));
                json.WriteNumber("time", WarmUpRuns + RunsPerRound);
                json.WriteEndObject();
                json.WriteEndArray();
            }

            using Process node = Process.Start(new ProcessStartInfo("node", ["run.mjs", jobs]) { WorkingDirectory = runner, RedirectStandardOutput = true })!;
            using JsonDocument result = JsonDocument.Parse(node.StandardOutput.ReadToEnd());
            return [.. result.RootElement.GetProperty("milliseconds").EnumerateArray().Skip(WarmUpRuns).Select(e => e.GetDouble())];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
