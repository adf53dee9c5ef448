using System.Runtime.ExceptionServices;
using Optc.Ops.Execution;

namespace Optc.Runtime;

/// <summary>A fixed set of threads that claim chunks one by one; the caller works too.</summary>
public sealed class ThreadWorkers : Workers, IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _start = new(0);
    private readonly Lock _gate = new();
    private Action<int, int>? _body;
    private int _chunks;
    private int _next;
    private int _running;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;

    /// <param name="count">Threads in all, the caller's included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public ThreadWorkers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _threads = new Thread[count - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"optc worker {worker}" };
            _threads[i].Start();
        }
    }

    public override int Count { get; }

    public override void Run(int chunks, Action<int, int> body)
    {
        if (Count == 1 || chunks <= 1)
        {
            for (int chunk = 0; chunk < chunks; chunk++)
            {
                body(chunk, 0);
            }

            return;
        }

        int helpers = Math.Min(_threads.Length, chunks - 1);
        _body = body;
        _chunks = chunks;
        _failure = null;
        Volatile.Write(ref _next, 0);
        Volatile.Write(ref _running, helpers);
        _start.Release(helpers);
        Drain(worker: 0);
        SpinWait spin = default;
        while (Volatile.Read(ref _running) > 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        _body = null;
        _failure?.Throw();
    }

    public void Dispose()
    {
        _stopping = true;
        _start.Release(Math.Max(1, _threads.Length));
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _start.Dispose();
    }

    private void Loop(int worker)
    {
        while (true)
        {
            _start.Wait();
            if (_stopping)
            {
                return;
            }

            Drain(worker);
            Interlocked.Decrement(ref _running);
        }
    }

    private void Drain(int worker)
    {
        try
        {
            for (int chunk = Interlocked.Increment(ref _next) - 1; chunk < _chunks; chunk = Interlocked.Increment(ref _next) - 1)
            {
                _body!(chunk, worker);
            }
        }
#pragma warning disable CA1031 // A failure on any thread is the caller's; it is thrown again there.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(failure);
            }

            Volatile.Write(ref _next, _chunks);
        }
    }
}
