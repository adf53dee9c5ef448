using System.Runtime.ExceptionServices;
using Optc.Ops.Execution;

namespace Optc.Runtime;

/// <summary>A fixed set of threads that claim chunks one by one; the caller works too.</summary>
/// <remarks>
/// A run waits for chunks that somebody claimed, never for a thread that has not woken up yet. A thread without work looks for
/// some for a short while, as the next run is usually near, and then sleeps.
/// </remarks>
public sealed class ThreadWorkers : Workers, IDisposable
{
    private const int Looks = 500;
    private const int Pause = 10;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly int _looks;
    private Action<int, int>? _body;
    private int _chunks;
    private int _done;
    private int _asleep;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;

    /// <summary>
    /// Number of the run in the high half, chunks that nobody claimed yet in the low half. A claim is an exchange that fails when
    /// either has changed, so it belongs to the run it was made for, however long a thread was kept from running.
    /// </summary>
    private long _ticket;

    /// <param name="count">Threads in all, the caller's included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public ThreadWorkers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _looks = count <= Environment.ProcessorCount ? Looks : 0;
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

        _body = body;
        _chunks = chunks;
        _failure = null;
        Volatile.Write(ref _done, 0);
        Interlocked.Exchange(ref _ticket, (((_ticket >> 32) + 1) << 32) | (uint)chunks);
        Wake(Math.Min(_threads.Length, chunks - 1));
        Drain(worker: 0);
        SpinWait spin = default;
        while (Volatile.Read(ref _done) < chunks)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        _body = null;
        _failure?.Throw();
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Release(Math.Max(1, _threads.Length));
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _wake.Dispose();
    }

    private void Loop(int worker)
    {
        while (!_stopping)
        {
            Drain(worker);
            for (int look = 0; look < _looks && !HasWork && !_stopping; look++)
            {
                Thread.SpinWait(Pause);
            }

            if (!HasWork)
            {
                Sleep();
            }
        }
    }

    private bool HasWork => (int)Volatile.Read(ref _ticket) != 0;

    // Whoever takes a thread off the count of those asleep sends it a signal; only the thread itself may take itself off without one.
    private void Sleep()
    {
        Interlocked.Increment(ref _asleep);
        if (!HasWork || TakeSleepers(1) == 0)
        {
            _wake.Wait();
        }
    }

    private void Wake(int wanted)
    {
        int taken = TakeSleepers(wanted);
        if (taken > 0)
        {
            _wake.Release(taken);
        }
    }

    private int TakeSleepers(int wanted)
    {
        while (true)
        {
            int asleep = Volatile.Read(ref _asleep);
            int taken = Math.Min(asleep, wanted);
            if (taken == 0 || Interlocked.CompareExchange(ref _asleep, asleep - taken, asleep) == asleep)
            {
                return taken;
            }
        }
    }

    private void Drain(int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _ticket);
            int left = (int)ticket;
            if (left == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _ticket, ticket - 1, ticket) == ticket)
            {
                Perform(_chunks - left, worker);
                Interlocked.Increment(ref _done);
            }
        }
    }

    private void Perform(int chunk, int worker)
    {
        if (Volatile.Read(ref _failure) is not null)
        {
            return;
        }

        try
        {
            _body!(chunk, worker);
        }
#pragma warning disable CA1031 // A failure on any thread is the caller's; it is thrown again there.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
        }
    }
}
