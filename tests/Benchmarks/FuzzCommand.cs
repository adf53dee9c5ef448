using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Optc.Tests.Fuzzing;

namespace Optc.Tests.Benchmarks;

/// <summary>Damages the models of a folder, many times, and tells how optc took it.</summary>
/// <param name="Folder">Searched for <c>.tflite</c> files.</param>
/// <param name="Count">Damaged files.</param>
/// <param name="Seed">Of the first; the others follow.</param>
/// <param name="Executable">The command to be driven as well, or <see langword="null"/>.</param>
/// <param name="Sample">Files for the command.</param>
internal sealed record FuzzCommand(string Folder, int Count, int Seed, string? Executable, int Sample)
{
    /// <summary>A file as large as this and smaller ones get all but one in <see cref="LargeEvery"/> of the cases.</summary>
    private const int SmallBytes = 150_000;

    private const int LargeEvery = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private sealed record Case(MutationKind Kind, string File, int Seed, byte[] Damaged);

    private sealed record Row(Case Case, string End, TimeSpan Time, long Bytes, string? Problem);

    /// <param name="arguments"><c>FOLDER [--count N] [--seed S] [--exe PATH] [--sample N]</c>.</param>
    /// <exception cref="ArgumentException">An option that does not exist.</exception>
    public static FuzzCommand Parse(ReadOnlySpan<string> arguments)
    {
        FuzzCommand command = new(arguments[0], 10_000, 1, null, 200);
        for (int i = 1; i + 1 < arguments.Length; i += 2)
        {
            int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
            command = arguments[i] switch
            {
                "--count" => command with { Count = Number(arguments[i + 1]) },
                "--seed" => command with { Seed = Number(arguments[i + 1]) },
                "--exe" => command with { Executable = Path.GetFullPath(arguments[i + 1]) },
                "--sample" => command with { Sample = Number(arguments[i + 1]) },
                string other => throw new ArgumentException($"'{other}' is no option of fuzz."),
            };
        }

        return command;
    }

    /// <summary>Prints a page with tables, and every failure.</summary>
    /// <returns>0 if every file was executed or refused in time and memory, else 1.</returns>
    public int Run()
    {
        List<Row> rows = [.. Cases(Count).Select(InProcess)];
        List<Row> driven = Executable is null ? [] : [.. Cases(Sample).Select(Drive)];
        Console.WriteLine("# Damaged files");
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            `./build.sh bench fuzz ../shared --count {Count} --seed {Seed}{(Executable is null ? "" : $" --exe artifacts/bin/Cli/release/optc --sample {Sample}")}`, {DateTime.UtcNow:yyyy-MM-dd}, {RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} cores, .NET {Environment.Version}.
            Case i damages one of {Files().Count} third-party models with seed {Seed} + i; it is read, verified, written, read again and
            executed with zeros. Each must run or be refused with a diagnostic, within {FuzzTarget.TimeLimit.TotalSeconds} s and {FuzzTarget.MemoryLimit >> 20} MB (all that was
            allocated, plus the arena). *Stopped*: half a second was over between two operators.

            """));
        Print(rows, [nameof(FuzzEnd.Ran), nameof(FuzzEnd.RefusedToRun), nameof(FuzzEnd.RefusedToRead), nameof(FuzzEnd.Cancelled), nameof(FuzzEnd.Failed)], "| damage | files | ran (0) | refused to run (3) | refused to read (3) | stopped | failed | slowest, ms | most memory, MB |");
        if (Executable is not null)
        {
            Console.WriteLine();
            Console.WriteLine("The command `optc inspect FILE`, a process for each file:");
            Console.WriteLine();
            Print(driven, ["0", "3", "other"], "| damage | files | exit 0 | exit 3 | other | slowest, ms | most memory, MB |");
        }

        Row[] bad = [.. rows.Concat(driven).Where(r => r.Problem is not null || r.Time > FuzzTarget.TimeLimit || r.Bytes > FuzzTarget.MemoryLimit)];
        foreach (Row row in bad)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{row.Case.Kind} of {row.Case.File}, seed {row.Case.Seed}: {row.End}, {row.Time.TotalMilliseconds:0} ms, {row.Bytes >> 20} MB: {row.Problem}"));
        }

        return bad.Length == 0 ? 0 : 1;
    }

    private static void Print(List<Row> rows, string[] ends, string head)
    {
        Console.WriteLine(head);
        Console.WriteLine("|---|" + string.Concat(Enumerable.Repeat("---:|", ends.Length + 3)));
        foreach ((string name, Row[] group) in rows.GroupBy(r => r.Case.Kind).OrderBy(g => g.Key).Select(g => (g.Key.ToString(), g.ToArray())).Append(("all", [.. rows])))
        {
            StringBuilder line = new($"| {name} | {group.Length.ToString(CultureInfo.InvariantCulture)} |");
            foreach (string end in ends)
            {
                line.Append(CultureInfo.InvariantCulture, $" {group.Count(r => r.End == end)} |");
            }

            line.Append(CultureInfo.InvariantCulture, $" {group.Max(r => r.Time).TotalMilliseconds:0} | {group.Max(r => r.Bytes) / 1e6:0.0} |");
            Console.WriteLine(line);
        }
    }

    private List<string> Files() =>
    [
        .. Directory.EnumerateFiles(Folder, "*.tflite", SearchOption.AllDirectories)
            .OrderBy(f => new FileInfo(f).Length).ThenBy(f => f, StringComparer.Ordinal),
    ];

    private IEnumerable<Case> Cases(int count)
    {
        List<string> files = Files();
        byte[][] contents = [.. files.Select(File.ReadAllBytes)];
        int small = Math.Max(1, contents.Count(c => c.Length <= SmallBytes));
        MutationKind[] kinds = Enum.GetValues<MutationKind>();
        for (int i = 0; i < count; i++)
        {
            int file = i % LargeEvery == LargeEvery - 1 ? i / LargeEvery % files.Count : i % small;
            MutationKind kind = kinds[(i + (i / small)) % kinds.Length];
            byte[] other = contents[(file + 1 + (i % 7)) % files.Count];
            yield return new(kind, Path.GetFileName(files[file]), Seed + i, Mutation.Apply(kind, contents[file], other, Seed + i));
        }
    }

    private static Row InProcess(Case @case)
    {
        // A thread of its own: one that never ends is told from one that is slow, and the case can be named.
        FuzzOutcome? outcome = null;
        Thread thread = new(() => outcome = FuzzTarget.Try(@case.Damaged)) { IsBackground = true };
        Stopwatch time = Stopwatch.StartNew();
        thread.Start();
        if (!thread.Join(Patience) || outcome is null)
        {
            return new(@case, nameof(FuzzEnd.Failed), time.Elapsed, 0, "it does not end");
        }

        return new(@case, outcome.End.ToString(), outcome.Time, outcome.Bytes, outcome.Problem?.ToString());
    }

    private Row Drive(Case @case)
    {
        string file = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"optc-fuzz-{Environment.ProcessId}-{@case.Seed}.tflite"));
        File.WriteAllBytes(file, @case.Damaged);
        try
        {
            Stopwatch time = Stopwatch.StartNew();
            using Process process = Process.Start(new ProcessStartInfo(Executable!, ["inspect", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            long peak = 0;
            while (!process.WaitForExit(5))
            {
                peak = Math.Max(peak, Peak(process));
                if (time.Elapsed > Patience)
                {
                    process.Kill(entireProcessTree: true);
                    return new(@case, "other", time.Elapsed, peak, "it does not end");
                }
            }

            TimeSpan taken = time.Elapsed;
            Task.WaitAll(output, errors);
            bool isFine = process.ExitCode is 0 or 3;
            return new(@case, isFine ? process.ExitCode.ToString(CultureInfo.InvariantCulture) : "other", taken, peak, isFine ? null : $"exit code {process.ExitCode}: {errors.Result}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static long Peak(Process process)
    {
        try
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }
}
