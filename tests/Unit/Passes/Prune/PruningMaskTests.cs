using Optc.Ir;
using Optc.Passes.Prune;
using Xunit;

namespace Optc.Tests.Unit.Passes.Prune;

/// <summary>Examples of the toolkit's specification, and what holds beyond them.</summary>
public class PruningMaskTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Fact]
    public void The_smallest_are_dropped()
    {
        Assert.Equal([false, false, .. Enumerable.Repeat(true, 8)], PruningMask.Unstructured([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.200000018));
        Assert.Equal(50, PruningMask.Unstructured(Numbers(100), 0.5).Count(k => k));
        Assert.Equal(1, PruningMask.Unstructured(Numbers(100), 0.9999).Count(k => k));
        Assert.Equal(99, PruningMask.Unstructured(Numbers(100), 0.01).Count(k => k));
    }

    [Fact]
    public void Ties_never_leave_a_weight_less_sparse() =>
        Assert.Equal([true, true, false, false], PruningMask.Unstructured([1, 1, 1, 1], 0.5));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_stays_is_never_smaller_than_what_goes(int seed)
    {
        Random random = new(seed);
        float[] scores = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => (float)random.Next(20))];
        double sparsity = random.NextDouble();
        bool[] mask = PruningMask.Unstructured(scores, sparsity);

        Assert.Equal(Math.Max(1, (int)Math.Round(scores.Length * (1 - sparsity), MidpointRounding.ToEven)), mask.Count(k => k));
        Assert.True(scores.Where((_, i) => mask[i]).Min() >= scores.Where((_, i) => !mask[i]).DefaultIfEmpty(-1).Max());
    }

    [Fact]
    public void Blocks_go_as_a_whole()
    {
        float[] weight =
        [
            0.1f, 0.1f, 0.2f, 0.2f,
            0.1f, 0.1f, 0.2f, 0.2f,
            0.3f, 0.3f, 0.4f, 0.4f,
            0.3f, 0.3f, 0.4f, 0.4f,
        ];

        Assert.Equal([.. Enumerable.Repeat(false, 8), .. Enumerable.Repeat(true, 8)], PruningMask.Blocks(weight, 4, 2, 2, 0.5));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_block_is_kept_or_dropped_alike(int seed)
    {
        Random random = new(seed);
        (int rows, int columns, int height, int width) = (random.Next(1, 12), random.Next(1, 12), random.Next(1, 5), random.Next(1, 5));
        float[] scores = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle())];
        bool[] mask = PruningMask.Blocks(scores, columns, height, width, 0.5);

        foreach (IGrouping<(int, int), bool> block in mask.Select((k, i) => (Key: (i / columns / height, i % columns / width), k)).GroupBy(e => e.Key, e => e.k))
        {
            Assert.Single(block.Distinct());
        }
    }

    [Fact]
    public void Groups_keep_their_largest()
    {
        float[] rows = [0.25f, 1.33f, 0.43f, 0.11f, 0.47f, 0.92f, 0.13f, 2.23f];
        Assert.Equal([false, true, true, false, false, true, false, true], PruningMask.OfGroups(rows, 4, 2, 4));
        Assert.Equal([true, true, false], PruningMask.OfGroups([0.49f, 0.66f, 0.42f], 3, 2, 4));
        Assert.Equal([false, true, true], PruningMask.OfGroups([0.49f, 0.66f, 0.42f], 3, 1, 2));
        Assert.Equal([true, false, false, true, false], PruningMask.OfGroups([1.71f, 0.27f, 0.3f, 0.61f, 0.19f], 5, 3, 5));
        Assert.Equal(4 * (7 - 3), PruningMask.OfGroups(Numbers(4 * 7), 7, 2, 4).Count(k => k));
    }

    [Fact]
    public void Channels_go_as_a_whole()
    {
        Assert.Equal([true, true, false, false, true, true], PruningMask.Channels([3, 3, 1, 1, 2, 2], 3, 1 / 3.0));
        Assert.Equal([true, true, false, false, true, true], PruningMask.Channels([3, 3, 1, 1, 2, 2], new KernelShape(3, 2, 1, 1), 1 / 3.0));
        Assert.Equal([true, false, true, true, false, true], PruningMask.Channels([3, 1, 2, 3, 1, 2], new KernelShape(3, 2, 1, 1, OutputsInnermost: true), 1 / 3.0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void A_sparsity_that_is_none_is_refused(double sparsity)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => PruningMask.Unstructured([1, 2], sparsity));
        Assert.Throws<DiagnosticException>(() => PruningSchedule.Constant(sparsity));
    }

    [Fact]
    public void A_schedule_rises_as_the_toolkits_and_always_reaches_its_end()
    {
        PruningSchedule schedule = PruningSchedule.Polynomial(0.8, initial: 0.2, begin: 100 / 250.0, end: 110 / 250.0);
        Assert.Equal([0, 0.2, 0.4928, 0.725, 0.8], new long[] { 99, 100, 102, 105, 110 }.Select(s => Math.Round(schedule.At(s, 250), 6)));
        for (long steps = 0; steps < 50; steps++)
        {
            Assert.Equal(0.8, schedule.At(steps, steps));
            Assert.Equal(0.3, PruningSchedule.Polynomial(0.3, end: 1).At(steps, steps));
        }

        Assert.Equal(0.8, PruningSchedule.Polynomial(0.8, begin: 0.5, end: 0.5).At(5, 10));
    }

    private static float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (float)((i * 37 % count) + 1))];
}
