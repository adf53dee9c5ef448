using System.Diagnostics;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Tests.Fuzzing;

/// <summary>Everything that optc does with a file that somebody gives it: read, verify, write, read again, execute.</summary>
public static class FuzzTarget
{
    /// <summary>Of one file; the documented refusal of a file is a <see cref="DiagnosticException"/> and nothing else.</summary>
    public static TimeSpan TimeLimit { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes of one file.</summary>
    public const long MemoryLimit = 512L << 20;

    private const long ArenaLimit = 128L << 20;

    // What is executed is stopped early enough to leave time for one more operator.
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(0.5);

    public static FuzzOutcome Try(byte[] file)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Stopwatch time = Stopwatch.StartNew();
        FuzzEnd end = FuzzEnd.RefusedToRead;
        long arena = 0;
        Exception? problem = null;
        try
        {
            Module module = FrontendSet.Read(file, "fuzz");
            end = FuzzEnd.RefusedToRun;
            Module again = FrontendSet.Read(TfLiteBackend.ToArray(module), "rewritten");
            using Interpreter interpreter = new(again, options: new() { MemoryLimit = ArenaLimit });
            arena = interpreter.ArenaBytes;
            using CancellationTokenSource patience = new(RunTime);
            interpreter.Run(patience.Token);
            end = FuzzEnd.Ran;
        }
        catch (DiagnosticException)
        {
        }
        catch (OperationCanceledException)
        {
            end = FuzzEnd.Cancelled;
        }
#pragma warning disable CA1031 // Any other exception is what fuzzing looks for.
        catch (Exception other)
#pragma warning restore CA1031
        {
            (end, problem) = (FuzzEnd.Failed, other);
        }

        return new(end, time.Elapsed, GC.GetAllocatedBytesForCurrentThread() - before + arena, problem);
    }
}
