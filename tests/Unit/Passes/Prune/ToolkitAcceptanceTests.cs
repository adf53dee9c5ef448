using Optc.Ir;
using Optc.Passes.Prune;
using Xunit;

namespace Optc.Tests.Unit.Passes.Prune;

/// <summary>The toolkit's own acceptance tests of masks and schedules, restated; and its defects, which are not here.</summary>
/// <remarks>
/// Weights are in the order of this project: outputs first, while the toolkit's are last. Schedules count in parts of the run, so that what is
/// said there of begin and end steps is said here of parts.
/// </remarks>
public class ToolkitAcceptanceTests
{
    public static TheoryData<int, int> BlockSizes => new() { { 1, 1 }, { 4, 4 }, { 6, 6 }, { 1, 4 }, { 4, 1 }, { 1, 8 }, { 8, 1 }, { 1, 16 } };

    [Fact]
    public void Extremely_sparse_masks_keep_one() =>
        Assert.Equal([.. new bool[99], true], PruningMask.Unstructured([.. Enumerable.Range(1, 100).Select(i => (float)i)], 0.9999));

    [Fact]
    public void High_sparsity_leaves_one_number_in_each_tensor() =>
        Assert.Equal(1, PruningMask.Unstructured(Numbers(1, 40), 0.99).Count(k => k));

    [Fact]
    public void Half_of_a_hundred_is_fifty() => Assert.Equal(50, PruningMask.Unstructured(Numbers(1, 100), 0.5).Count(k => k));

    /// <summary>testConditionalMaskUpdate: the weights are masked before each look.</summary>
    [Fact]
    public void Targets_that_rise_leave_as_many_as_they_say()
    {
        double[] targets = [0, 0.1, 0.1, 0.3, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5];
        float[] weights = Numbers(1, 100);
        List<int> left = [];
        foreach (double target in targets)
        {
            bool[] mask = PruningMask.Unstructured(Array.ConvertAll(weights, Math.Abs), target);
            weights = [.. weights.Zip(mask, (w, k) => k ? w : 0)];
            left.Add(weights.Count(w => w != 0));
        }

        Assert.Equal([100, 90, 90, 70, 70, 50, 50, 50, 50, 50], left);
    }

    /// <summary>The toolkit keeps all that tie at the threshold, and none of its zeros: an already sparse weight reads as dense.</summary>
    [Fact]
    public void Ties_and_zeros_do_not_make_a_mask_denser()
    {
        Assert.Equal(2, PruningMask.Unstructured([0, 0, 0, 1], 0.5).Count(k => k));
        Assert.Equal(3, PruningMask.Unstructured([2, 2, 2, 2, 2, 2], 0.5).Count(k => k));
        Assert.Equal([false, true, true, false], PruningMask.Unstructured([float.NaN, 1, 2, 0.5f], 0.5));
    }

    [Theory]
    [InlineData(BlockScore.Mean)]
    [InlineData(BlockScore.Largest)]
    public void Blocks_by_mean_and_by_largest(BlockScore score)
    {
        float[] weight =
        [
            0.1f, 0.1f, 0.2f, 0.2f,
            0.1f, 0.1f, 0.2f, 0.2f,
            0.3f, 0.3f, 0.4f, 0.4f,
            0.3f, 0.3f, 0.4f, 0.4f,
        ];
        Assert.Equal([.. new bool[8], .. Enumerable.Repeat(true, 8)], PruningMask.Blocks(weight, 4, 2, 2, 0.5, score));
    }

    [Fact]
    public void The_mean_and_the_largest_can_choose_differently()
    {
        Assert.Equal([true, true, false, false], PruningMask.Blocks([3, 3, 5, 0], 4, 1, 2, 0.5));
        Assert.Equal([false, false, true, true], PruningMask.Blocks([3, 3, 5, 0], 4, 1, 2, 0.5, BlockScore.Largest));
    }

    /// <summary>testFactorizedAvgPool, testFactorizedMaxPool, testExpandTensor: equal to pooling and spreading by definition, on sizes that are no multiples too.</summary>
    [Theory]
    [MemberData(nameof(BlockSizes))]
    public void Blocks_are_pooled_and_spread_by_definition(int height, int width)
    {
        foreach ((int rows, int columns) in new[] { (64, 128), (13, 27) })
        {
            float[] scores = Array.ConvertAll(Numbers(rows + columns, rows * columns), Math.Abs);
            foreach (BlockScore score in new[] { BlockScore.Mean, BlockScore.Largest })
            {
                List<(float Score, int Row, int Column)> blocks = [];
                for (int row = 0; row < rows; row += height)
                {
                    for (int column = 0; column < columns; column += width)
                    {
                        float[] block =
                        [
                            .. from y in Enumerable.Range(row, Math.Min(height, rows - row))
                               from x in Enumerable.Range(column, Math.Min(width, columns - column))
                               select scores[(y * columns) + x],
                        ];
                        blocks.Add((score is BlockScore.Mean ? (float)block.Average(s => (double)s) : block.Max(), row, column));
                    }
                }

                int kept = Math.Max(1, (int)Math.Round(blocks.Count * 0.4, MidpointRounding.ToEven));
                bool[] expected = new bool[scores.Length];
                foreach ((_, int row, int column) in blocks.OrderByDescending(b => b.Score).Take(kept))
                {
                    for (int i = 0; i < expected.Length; i++)
                    {
                        expected[i] |= i / columns / height == row / height && i % columns / width == column / width;
                    }
                }

                Assert.Equal(expected, PruningMask.Blocks(scores, columns, height, width, 0.6, score));
            }
        }
    }

    /// <summary>The toolkit refuses blocks for all but matrices; here they are defined for every weight.</summary>
    [Theory]
    [MemberData(nameof(BlockSizes))]
    public void Blocks_of_convolutions_lie_in_one_tap(int height, int width)
    {
        KernelShape kernel = new(10, 3, 2, 6);
        bool[] mask = PruningMask.Blocks(Scores(kernel), kernel, height, width, 0.5);
        var blocks = mask.Select((k, i) => (k, Block: (i / 36 / height, i % 36 / 6, i % 6 / width))).GroupBy(e => e.Block, e => e.k).ToArray();

        Assert.Equal((10 + height - 1) / height * 6 * ((6 + width - 1) / width), blocks.Length);
        Assert.All(blocks, b => Assert.Single(b.Distinct()));
        Assert.Equal((int)Math.Round(blocks.Length * 0.5, MidpointRounding.ToEven), blocks.Count(b => b.First()));
    }

    [Theory]
    [MemberData(nameof(BlockSizes))]
    public void Blocks_of_depthwise_layers_run_along_channels_and_taps(int height, int width)
    {
        KernelShape kernel = new(10, 3, 3, 1, OutputsInnermost: true);
        bool[] mask = PruningMask.Blocks(Scores(kernel), kernel, height, width, 0.5);
        var blocks = mask.Select((k, i) => (k, Block: (i % 10 / height, i / 10 / width))).GroupBy(e => e.Block, e => e.k).ToArray();

        Assert.Equal((10 + height - 1) / height * ((9 + width - 1) / width), blocks.Length);
        Assert.All(blocks, b => Assert.Single(b.Distinct()));
        Assert.Equal((int)Math.Round(blocks.Length * 0.5, MidpointRounding.ToEven), blocks.Count(b => b.First()));
    }

    [Fact]
    public void Blocks_of_a_first_layer_with_one_channel_run_along_the_taps()
    {
        KernelShape kernel = new(2, 2, 2, 1);
        Assert.Equal([false, false, true, true, true, true, false, false], PruningMask.Blocks([1, 2, 3, 4, 8, 7, 1, 1], kernel, 1, 2, 0.5));
    }

    /// <summary>testIsPruned2by4, the cases that the specification gives.</summary>
    [Fact]
    public void Groups_are_recognised()
    {
        Assert.True(PruningMask.HasGroups([1, 2, 0, 0], 4, 2, 4));
        Assert.False(PruningMask.HasGroups([1, 2, 0, 0], 4, 1, 2));
        Assert.True(PruningMask.HasGroups([1, 0, 2, 0], 4, 1, 2));
        Assert.False(PruningMask.HasGroups([1, 2, 0, 0, 5, 6, 7], 7, 2, 4));
        Assert.True(PruningMask.HasGroups([1, 2, 0, 0, 5, 6, 0], 7, 2, 4));
        Assert.True(PruningMask.HasGroups([0, 0, 0, 0], 4, 4, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => PruningMask.HasGroups([1, 2], 2, 3, 2));
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(-1, 4)]
    public void Groups_that_would_keep_nothing_are_refused(int dropped, int group) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PruningMask.OfGroups([1, 2, 3, 4], 4, dropped, group));

    /// <summary>testSparsityMbyNMaskingSimple, the dense example: columns of the toolkit's matrix are rows here.</summary>
    [Fact]
    public void Groups_of_a_dense_layer_run_along_its_inputs() => Assert.Equal(
        [false, true, true, false, true, false, true, false],
        PruningMask.OfGroups([0.74f, 0.89f, 1.68f, 0.31f, 0.68f, 0.45f, 1.24f, 0.6f], new KernelShape(2, 1, 1, 4), 2, 4));

    /// <summary>testMbyNSparsityPruning_SupportedLayers.</summary>
    [Theory]
    [InlineData(8, 2, 4, 0.5)]
    [InlineData(7, 2, 4, 3 / 7.0)]
    [InlineData(8, 1, 2, 0.5)]
    [InlineData(8, 3, 4, 0.75)]
    public void Groups_of_a_convolution_run_along_its_input_channels(int channels, int dropped, int group, double sparsity)
    {
        KernelShape kernel = new(5, 3, 3, channels);
        float[] scores = Scores(kernel);
        bool[] mask = PruningMask.OfGroups(scores, kernel, dropped, group);
        Assert.Equal(sparsity, mask.Count(k => !k) / (double)mask.Length, 1e-9);
        Assert.True(PruningMask.HasGroups([.. scores.Zip(mask, (w, k) => k ? w : 0)], channels, dropped, group));
    }

    [Fact]
    public void Groups_leave_depthwise_layers_alone_and_find_the_inputs_of_turned_weights()
    {
        KernelShape depthwise = new(8, 3, 3, 1, OutputsInnermost: true);
        Assert.DoesNotContain(false, PruningMask.OfGroups(Scores(depthwise), depthwise, 2, 4));

        // A matrix [inputs, outputs], as products of batches hold it.
        Assert.Equal(
            [false, true, true, false, true, true, false, false],
            PruningMask.OfGroups([0.74f, 0.68f, 0.89f, 0.45f, 1.68f, 1.24f, 0.31f, 0.6f], new KernelShape(2, 1, 1, 4, OutputsInnermost: true), 2, 4));
    }

    [Fact]
    public void Fewer_of_each_group_stay_step_by_step()
    {
        PruningSchedule schedule = PruningSchedule.Polynomial(0.75, end: 0.5);
        int[] dropped = [.. Enumerable.Range(0, 101).Select(step => schedule.DroppedAt(step, 100, 3))];
        Assert.Equal(0, dropped[0]);
        Assert.Equal([0, 1, 2, 3], dropped.Distinct());
        Assert.Equal(dropped.Order(), dropped);
        Assert.All(dropped[50..], d => Assert.Equal(3, d));

        float[] scores = Array.ConvertAll(Numbers(5, 96), Math.Abs);
        bool[] before = [.. Enumerable.Repeat(true, 96)];
        foreach (int count in dropped.Distinct())
        {
            bool[] mask = PruningMask.OfGroups(scores, 12, count, 4);
            Assert.Equal(96 * (4 - count) / 4, mask.Count(k => k));
            Assert.All(mask.Zip(before), p => Assert.True(p.Second || !p.First, "a dropped number came back"));
            before = mask;
        }

        // Whatever the schedule, the last step has the groups that were asked for.
        Assert.Equal(3, PruningSchedule.Constant(0).DroppedAt(7, 7, 3));
        Assert.Equal(0, PruningSchedule.Constant(0).DroppedAt(6, 7, 3));
        Assert.Equal(2, PruningSchedule.Constant(0.5).DroppedAt(0, 7, 2));
    }

    /// <summary>PruningScheduleTest, by parts of the run.</summary>
    [Fact]
    public void Schedules_refuse_what_the_toolkit_refuses()
    {
        foreach (double wrong in new[] { -1, -5, -0.001, 1.5, double.NaN })
        {
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(0.5, begin: wrong));
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(0.5, end: wrong));
        }

        Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(0.5, begin: 0.5, end: 0.4));
        Assert.Equal(0.5, PruningSchedule.Polynomial(0.5, begin: 0.4, end: 0.4).At(4, 10));
        Assert.Equal(0, PruningSchedule.Polynomial(0.5, begin: 0.4, end: 0.4).At(3, 10));
        foreach (double wrong in new[] { -0.001, 1.0 })
        {
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Constant(wrong));
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(wrong));
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(0.5, initial: wrong));
            Assert.Throws<DiagnosticException>(() => PruningSchedule.Through((0, wrong)));
        }

        Assert.Throws<DiagnosticException>(() => PruningSchedule.Polynomial(0.5, power: 0));
        Assert.Equal(0.99, PruningSchedule.Constant(0.99).At(0, 100));
    }

    [Fact]
    public void A_constant_sparsity_holds_as_long_as_the_run_is()
    {
        Assert.Equal(0.5, PruningSchedule.Constant(0.5).At(10_000, 200_000_000));
        Assert.Equal(0.5, PruningSchedule.Constant(0.5).At(100_000_000, 200_000_000));
    }

    /// <summary>The toolkit looks at multiples of its interval only: of a ramp to step 250 the last look is at 200.</summary>
    [Fact]
    public void The_final_sparsity_is_reached_whatever_the_number_of_steps()
    {
        foreach (long steps in new long[] { 1, 2, 3, 7, 99, 100, 101, 250 })
        {
            foreach (PruningSchedule schedule in new[]
            {
                PruningSchedule.Constant(0.8), PruningSchedule.Polynomial(0.8, end: 1), PruningSchedule.Polynomial(0.8, begin: 0.9, end: 0.95), PruningSchedule.Through((0.99, 0.8)),
            })
            {
                Assert.Equal(0.8, schedule.At(steps, steps));
            }
        }
    }

    [Fact]
    public void A_schedule_of_ones_own_goes_through_its_points()
    {
        PruningSchedule schedule = PruningSchedule.Through((0.1, 0), (0.3, 0.4), (0.5, 0.4), (0.9, 0.8));
        Assert.Equal(
            [0, 0, 0.2, 0.4, 0.4, 0.4, 0.6, 0.8, 0.8],
            new long[] { 0, 10, 20, 30, 40, 50, 70, 90, 100 }.Select(step => Math.Round(schedule.At(step, 100), 9)));
        Assert.Equal("through 0.1:0 0.3:0.4 0.5:0.4 0.9:0.8", schedule.ToString());
        Assert.Throws<DiagnosticException>(() => PruningSchedule.Through());
        Assert.Throws<DiagnosticException>(() => PruningSchedule.Through((0.5, 0.1), (0.5, 0.2)));
        Assert.Throws<DiagnosticException>(() => PruningSchedule.Through((0.5, 0.1), (1.1, 0.2)));
        Assert.Throws<DiagnosticException>(() => PruningSchedule.Through((0.5, 0.3), (0.6, 0.2)));
        Assert.Equal([0.2, 0.4], new long[] { 30, 100 }.Select(step => Math.Round(schedule.To(0.4).At(step, 100), 9)));
    }

    [Fact]
    public void What_a_run_is_known_by_names_every_number()
    {
        Assert.Equal("per layer 'stem':0.3 'block':0.75", SparsityDistribution.PerLayer(new("stem", 0.3), new("block", 0.75)).ToString());
        Assert.Equal("sensitivity a 0:1,0.5:2.5", SparsityDistribution.Sensitivity(new SensitivityCurve("a", [(0, 1), (0.5, 2.5)])).ToString());
    }

    private static float[] Scores(KernelShape kernel) => Array.ConvertAll(Numbers(kernel.Outputs, kernel.Count), Math.Abs);

    private static float[] Numbers(int seed, int count) => PassModel.Numbers(new(seed), count);
}
