using Optc.Ops.Execution;
using Xunit;

namespace Optc.Tests.Unit.Ops.Execution;

public sealed class ArenaPlannerTests
{
    [Fact]
    public void Reuses_memory_of_pieces_that_do_not_live_together()
    {
        long[] offsets = ArenaPlanner.Plan([new(100, 0, 1), new(50, 1, 2), new(100, 2, 3)], alignment: 16, out long total);

        Assert.Equal([0, 112, 0], offsets);
        Assert.Equal(176, total);
    }

    [Fact]
    public void Fills_the_lowest_gap_that_is_large_enough()
    {
        long[] offsets = ArenaPlanner.Plan([new(64, 0, 9), new(48, 0, 1), new(32, 0, 9), new(16, 2, 3)], alignment: 16, out _);

        Assert.Equal([0, 64, 112, 64], offsets);
    }

    [Fact]
    public void Never_overlaps_what_lives_together()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            ArenaRequest[] requests = new ArenaRequest[random.Next(1, 40)];
            for (int i = 0; i < requests.Length; i++)
            {
                int first = random.Next(20);
                requests[i] = new(random.Next(0, 500), first, first + random.Next(5));
            }

            long[] offsets = ArenaPlanner.Plan(requests, alignment: 16, out long total);

            for (int i = 0; i < requests.Length; i++)
            {
                Assert.True(offsets[i] % 16 == 0 && offsets[i] + requests[i].Size <= total, $"seed {seed}, piece {i}");
                for (int j = 0; j < i; j++)
                {
                    bool together = requests[i].First <= requests[j].Last && requests[j].First <= requests[i].Last;
                    bool apart = offsets[i] + requests[i].Size <= offsets[j] || offsets[j] + requests[j].Size <= offsets[i];
                    Assert.True(!together || apart, $"seed {seed}, pieces {i} and {j}");
                }
            }
        }
    }
}
