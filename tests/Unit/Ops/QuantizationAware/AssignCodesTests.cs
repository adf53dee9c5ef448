using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops.QuantizationAware;

public sealed class AssignCodesTests
{
    /// <summary>Against the definition: every entry of the own codebook is tried.</summary>
    [Fact]
    public void No_other_entry_costs_less()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            int groups = random.Next(1, 4);
            int channels = groups * random.Next(1, 4);
            int codes = random.Next(1, 20);
            int largest = random.Next(3) switch { 0 => 0, 1 => 7, _ => 127 };
            (Shape shape, int axis) = random.Next(2) == 0 ? (Shape.Of([channels, 3, 5]), 0) : (Shape.Of([2, 4, channels]), 2);
            float[] latent = Numbers(random, (int)shape.ElementCount, 2);
            float[] values = Numbers(random, groups * codes, 1);
            float[] steps = [.. Enumerable.Range(0, groups).Select(_ => (float)(1 / (double)Math.Max(1, largest)))];
            float[] prices = random.Next(3) == 0 ? new float[values.Length] : [.. Numbers(random, values.Length, 0.3).Select(Math.Abs)];

            float[] found = Run(new(axis, largest), shape, latent, values, [groups, codes], steps, prices);

            for (int i = 0; i < latent.Length; i++)
            {
                int group = new ChannelMap(shape, axis).ChannelOf(i) / (channels / groups);
                double Cost(int j)
                {
                    float value = values[(group * codes) + j];
                    double snapped = largest == 0 ? value : steps[group] * Math.Clamp(MathF.Round(value / steps[group]), -largest, largest);
                    return Math.Pow(latent[i] - snapped, 2) + prices[(group * codes) + j];
                }

                Assert.InRange(found[i], 0, codes - 1);
                Assert.Equal(MathF.Truncate(found[i]), found[i]);
                Assert.True(
                    Cost((int)found[i]) <= Enumerable.Range(0, codes).Min(Cost) + 1e-6,
                    $"seed {seed}, element {i}: entry {found[i]} costs {Cost((int)found[i])}");
            }
        }
    }

    [Fact]
    public void Of_two_equally_near_entries_the_lower_wins_in_whatever_order_they_stand()
    {
        Assert.Equal([0f, 0, 1, 1], Nearest([-1, 0.5f, 0.75f, 2], [0, 1]));
        Assert.Equal([1f, 1, 0, 0], Nearest([-1, 0.5f, 0.75f, 2], [1, 0]));
    }

    [Fact]
    public void Equal_entries_are_taken_by_price_then_by_order()
    {
        AssignCodes op = new(0, 0);
        Assert.Equal([1f], Run(op, [1], [2], [1, 1, 1], [1, 3], [0], [2, 1, 1]));
        Assert.Equal([0f], Nearest([2], [1, 1, 1]));
    }

    /// <summary>With a price, the border lies where both costs are equal: for 0 and 2 at price 2 apart, at 1.5.</summary>
    [Fact]
    public void A_price_moves_the_border()
    {
        float[] found = Run(new(0, 0), [1, 4], [1, 1.5f, 1.625f, 9], [0, 2], [1, 2], [0], [0, 2]);

        Assert.Equal([0f, 0, 1, 1], found);
    }

    [Fact]
    public void An_entry_that_is_too_dear_is_never_taken() =>
        Assert.DoesNotContain(1f, Run(new(0, 0), [1, 5], [-2, 0, 1, 2, 4], [0, 1, 2], [1, 3], [0], [0, float.PositiveInfinity, 0]));

    /// <summary>Two entries round to 0; only the one that is 0 exactly stays there while entries are trained.</summary>
    [Fact]
    public void A_masked_weight_takes_the_pinned_zero()
    {
        float[] found = Run(new(0, 127), [1, 3], [5, 5, -5], [-0.001f, 0, 1], [1, 3], [0.01f], new float[3], kept: [0, 1, 0]);

        Assert.Equal([1f, 2, 1], found);
    }

    [Fact]
    public void What_is_no_number_gets_an_index_that_exists()
    {
        float[] odd = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -0f];
        float[] latent = [.. odd, 0.5f];
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            int codes = random.Next(1, 6);
            float Any() => random.Next(3) == 0 ? odd[random.Next(odd.Length)] : (float)random.NextDouble();
            float[] values = [.. Enumerable.Range(0, codes).Select(_ => Any())];
            float[] prices = [.. Enumerable.Range(0, codes).Select(_ => Any())];

            float[] found = Run(new(0, random.Next(2) * 127), [1, 6], latent, values, [1, codes], [Any()], prices, kept: [1, 1, 1, float.NaN, 0, 1]);

            Assert.All(found, index => Assert.Contains(index, Enumerable.Range(0, codes).Select(j => (float)j)));
        }
    }

    [Fact]
    public void The_method_outside_of_a_graph_gives_the_same()
    {
        Random random = new(4);
        (Shape shape, float[] latent, float[] values, float[] kept) = ([6, 7], Numbers(random, 42, 1), Numbers(random, 12, 1), [.. Numbers(random, 42, 1).Select(v => v > 0 ? 1f : 0f)]);
        float[] index = new float[42];

        new AssignCodes(0, 7).Nearest(shape, latent, values, [3, 4], [0.1f, 0.2f, 0.3f], kept, index);

        Assert.Equal(Run(new(0, 7), shape, latent, values, [3, 4], [0.1f, 0.2f, 0.3f], new float[12], kept), index);
    }

    [Theory]
    [InlineData(0, 127, 4, 3, 3, 3)] // groups that do not divide the channels
    [InlineData(2, 127, 4, 2, 3, 2)] // no such axis
    [InlineData(0, 128, 4, 2, 3, 2)] // more than 8 bits
    [InlineData(0, 127, 4, 2, 0, 2)] // no entries
    [InlineData(0, 127, 4, 2, 3, 1)] // a step is missing
    public void Codebooks_that_do_not_fit_are_refused(int axis, int largest, int channels, int groups, int codes, int steps) =>
        Assert.Throws<DiagnosticException>(() => Run(
            new(axis, largest), [channels, 2], new float[channels * 2], new float[groups * codes], [groups, codes], new float[steps], new float[groups * codes]));

    [Fact]
    public void Prices_and_masks_of_another_size_are_refused()
    {
        Assert.Throws<OpRuleException>(() => Case(new(0, 0), [2, 2], new float[4], [1, 2], [1, 2], [0], [1], pricesShape: [1, 1]).Infer());
        Assert.Throws<OpRuleException>(() => Case(new(0, 0), [2, 2], new float[4], [1, 2], [1, 2], [0], [1, 2]).Input<float>(DType.F32, [2], 1, 1).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new AssignCodes(0, 0)).Input<int>(DType.I32, [1], 1).Infer());
    }

    [Fact]
    public void Attributes_survive_text() => Assert.Equal(new AssignCodes(3, 7), OpCase.Reparse(new AssignCodes(3, 7)));

    private static float[] Nearest(float[] latent, float[] values) =>
        Run(new(0, 0), [1, latent.Length], latent, values, [1, values.Length], [0], new float[values.Length]);

    private static float[] Run(
        AssignCodes op, Shape shape, float[] latent, float[] values, Shape books, float[] steps, float[] prices, float[]? kept = null)
    {
        OpCase made = Case(op, shape, latent, values, books, steps, prices);
        return (kept is null ? made : made.Input<float>(DType.F32, shape, kept)).Run<float>();
    }

    private static OpCase Case(
        AssignCodes op, Shape shape, float[] latent, float[] values, Shape books, float[] steps, float[] prices, Shape? pricesShape = null) =>
        new OpCase(op).Input<float>(DType.F32, shape, latent).Input<float>(DType.F32, books, values)
            .Input<float>(DType.F32, [steps.Length], steps).Input<float>(DType.F32, pricesShape ?? books, prices);

    private static float[] Numbers(Random random, int count, double scale) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(((random.NextDouble() * 2) - 1) * scale))];
}
