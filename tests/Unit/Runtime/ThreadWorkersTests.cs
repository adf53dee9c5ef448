using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Runtime;

public sealed class ThreadWorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Runs_every_chunk_exactly_once(int threads)
    {
        using ThreadWorkers workers = new(threads);
        for (int chunks = 0; chunks < 50; chunks++)
        {
            int[] calls = new int[chunks];
            workers.Run(chunks, (chunk, worker) =>
            {
                Assert.InRange(worker, 0, threads - 1);
                Interlocked.Increment(ref calls[chunk]);
            });

            Assert.All(calls, c => Assert.Equal(1, c));
        }
    }

    [Fact]
    public void Passes_a_failure_on_to_the_caller_and_goes_on_working()
    {
        using ThreadWorkers workers = new(3);

        Assert.Throws<InvalidOperationException>(() => workers.Run(20, (chunk, _) =>
        {
            if (chunk == 7)
            {
                throw new InvalidOperationException();
            }
        }));

        int sum = 0;
        workers.Run(10, (chunk, _) => Interlocked.Add(ref sum, chunk));
        Assert.Equal(45, sum);
    }

    /// <summary>Threads fall asleep and wake up at every moment of many short runs; each chunk still belongs to its own run.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void Keeps_runs_apart_that_follow_each_other_closely(int threads)
    {
        using ThreadWorkers workers = new(threads);
        int[] calls = new int[7];
        int wanted = 0;
        Action<int, int> body = (chunk, _) => Interlocked.Increment(ref calls[chunk]);
        for (int run = 0; run < 20_000; run++)
        {
            workers.Run(2 + (run % 6), body);
            if (run % 500 == 0)
            {
                Thread.Sleep(1);
            }

            wanted = run % 6 == 5 ? wanted + 1 : wanted;
            Assert.True(run % 6 != 5 || (calls[6] == wanted && calls[0] == run + 1), $"run {run}: {string.Join(" ", calls)}");
        }
    }

    [Fact]
    public void Allocates_nothing_for_a_run()
    {
        using ThreadWorkers workers = new(2);
        Action<int, int> body = (_, _) => { };
        workers.Run(8, body);
        long before = GC.GetAllocatedBytesForCurrentThread();

        workers.Run(8, body);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
