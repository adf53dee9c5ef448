using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Data;

/// <summary>Runs samples through a model, each thread with an interpreter of its own, each sample from a fresh state.</summary>
internal sealed class SampleRunner : IDisposable
{
    private readonly ThreadWorkers _workers;
    private readonly List<(Interpreter Interpreter, SampleReader Reader)> _runners = [];
    private readonly CancellationToken _cancellation;

    public SampleRunner(Module module, WorkOptions options)
    {
        _cancellation = options.Cancellation;
        _workers = new(options.Threads);
        try
        {
            for (int i = 0; i < options.Threads; i++)
            {
                Interpreter interpreter = new(module, module.Main, options.ForOneThread);
                _runners.Add((interpreter, new(module, interpreter)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs a block and hands every result, after the last step of its sample, to <paramref name="done"/>.</summary>
    /// <param name="done">Called with the interpreter and the position in the block, from several threads.</param>
    /// <exception cref="DiagnosticException">That of the earliest sample that fails.</exception>
    public void Run(CalibrationSample[] block, Action<Interpreter, int> done)
    {
        Exception?[] failures = new Exception?[block.Length];
        _workers.Run(block.Length, (i, worker) =>
        {
            (Interpreter interpreter, SampleReader reader) = _runners[worker];
            try
            {
                interpreter.Reset();
                foreach (ImmutableArray<CalibrationTensor> step in block[i].Steps)
                {
                    reader.Fill(block[i].Index, step);
                    interpreter.Run(_cancellation);
                }

                done(interpreter, i);
            }
            catch (Exception problem) when (problem is DiagnosticException or OperationCanceledException)
            {
                failures[i] = problem;
            }
        });
        if (Array.Find(failures, f => f is not null) is { } first)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }
    }

    public void Dispose()
    {
        _runners.ForEach(r => r.Interpreter.Dispose());
        _workers.Dispose();
    }
}
