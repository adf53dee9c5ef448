using Optc.Ir;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class CalibrationStatisticsTests
{
    public static TheoryData<string> Estimators => ["min-max", "moving-average:0.5", "percentile:99", "mse", "entropy"];

    [Theory]
    [MemberData(nameof(Estimators))]
    public void The_order_and_the_split_of_samples_do_not_matter(string estimator)
    {
        const int Seed = 11;
        Random random = new(Seed);
        float[][] samples = [.. Enumerable.Range(0, 30).Select(i => Values(random, 200, scale: MathF.Pow(2, i % 7)))];
        ValueStatistics whole = Observe(RangeEstimator.Parse(estimator), samples, Enumerable.Range(0, 30));

        ValueStatistics shuffled = Observe(RangeEstimator.Parse(estimator), samples, Enumerable.Range(0, 30).Select(i => i * 7 % 30));
        ValueStatistics merged = Observe(RangeEstimator.Parse(estimator), samples, [29, 3, 4]);
        merged.Merge(Observe(RangeEstimator.Parse(estimator), samples, Enumerable.Range(0, 29).Except([3, 4]).Reverse()));

        ValueRange expected = whole.Estimator.Estimate(whole, DType.I8);
        Assert.Equal(expected, shuffled.Estimator.Estimate(shuffled, DType.I8));
        Assert.Equal(expected, merged.Estimator.Estimate(merged, DType.I8));
    }

    [Fact]
    public void A_histogram_holds_every_value_in_the_bin_between_whose_borders_it_lies()
    {
        const int Seed = 12;
        float[] values = [.. Values(new(Seed), 5000, scale: 3), 0, 0, 1e-30f, -1e-30f, 2048, -2048];
        ValueHistogram histogram = new();
        foreach (float[] chunk in values.Chunk(17))
        {
            histogram.Add(chunk);
        }

        Assert.Equal(values.Count(v => v == 0), histogram.Zeros);
        Assert.Equal(values.Length, histogram.Total);
        for (int bin = 0; bin < histogram.Counts.Length; bin++)
        {
            int inside = values.Count(v => v != 0 && v >= histogram.Border(bin) && v < histogram.Border(bin + 1));
            Assert.True(inside == histogram.Counts[bin], $"bin {bin}, seed {Seed}: {histogram.Counts[bin]} instead of {inside}");
        }
    }

    [Fact]
    public void Min_max_takes_the_extremes()
    {
        ValueStatistics seen = Observe(RangeEstimator.MinMax, [[1, -3], [7, 2]], [0, 1]);

        Assert.Equal(new ValueRange(-3, 7), seen.Estimator.Estimate(seen, DType.I8));
    }

    [Fact]
    public void A_moving_average_runs_over_the_samples_by_their_index()
    {
        ValueStatistics seen = Observe(RangeEstimator.MovingAverage(0.5), [[0, 8], [-4, 4], [-2, 2]], [2, 0, 1]);

        // High: 8, then (8 + 4) / 2 = 6, then (6 + 2) / 2 = 4. Low: 0, -2, -2.
        Assert.Equal(new ValueRange(-2, 4), seen.Estimator.Estimate(seen, DType.I8));
    }

    [Fact]
    public void A_percentile_leaves_out_a_part_of_the_values_at_each_end()
    {
        float[] values = [.. Enumerable.Range(1, 1000).Select(i => (float)i), -1000];
        ValueStatistics seen = Observe(RangeEstimator.Percentile(90), [values], [0]);

        ValueRange range = seen.Estimator.Estimate(seen, DType.I8);

        // Bins are at most 1/4096 of twice the largest magnitude wide.
        Assert.Equal(99.1, range.Low, 1.0);
        Assert.Equal(900, range.High, 1.0);
    }

    [Fact]
    public void A_percentile_counts_zeros()
    {
        ValueStatistics seen = Observe(RangeEstimator.Percentile(75), [[0, 0, 0, 0, 0, 0, 0, 0, 4, 4]], [0]);

        Assert.Equal(new ValueRange(0, 0), seen.Estimator.Estimate(seen, DType.I8));
    }

    [Theory]
    [InlineData("mse", 11)]
    [InlineData("entropy", 8)]
    public void A_search_cuts_off_a_lonely_outlier(string estimator, double highest)
    {
        const int Seed = 13;
        Random random = new(Seed);
        float[] values = [.. Enumerable.Range(0, 100_000).Select(_ => Gaussian(random)), 12f];
        ValueStatistics seen = Observe(RangeEstimator.Parse(estimator), [values], [0]);

        ValueRange range = seen.Estimator.Estimate(seen, DType.I8);

        Assert.InRange(range.High, 2.5, highest);
        Assert.InRange(range.Low, -5, -2.5);
    }

    [Fact]
    public void The_error_that_the_search_minimizes_is_that_of_the_values()
    {
        const int Seed = 14;
        Random random = new(Seed);
        float[] values = [.. Enumerable.Range(0, 20_000).Select(_ => MathF.Pow(Gaussian(random), 3))];
        ValueStatistics seen = Observe(RangeEstimator.MeanSquaredError, [values], [0]);

        double searched = Error(values, seen.Estimator.Estimate(seen, DType.I8));

        Assert.True(searched < Error(values, new(seen.Low, seen.High)), $"seed {Seed}");
    }

    [Theory]
    [InlineData("mse")]
    [InlineData("entropy")]
    public void For_sixteen_bits_a_search_keeps_what_was_seen(string estimator)
    {
        ValueStatistics seen = Observe(RangeEstimator.Parse(estimator), [[1, 2, 100]], [0]);

        Assert.Equal(new ValueRange(0, 100), seen.Estimator.Estimate(seen, DType.I16));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_is_refused(float value) =>
        Assert.False(new ValueStatistics(RangeEstimator.Entropy).TryObserve(0, [1, value, 2]));

    [Theory]
    [InlineData("min-max")]
    [InlineData("moving-average:0.9")]
    [InlineData("percentile:99.99")]
    [InlineData("mse")]
    [InlineData("entropy")]
    public void The_text_of_an_estimator_names_it(string text) => Assert.Equal(text, RangeEstimator.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("minmax")]
    [InlineData("min-max:3")]
    [InlineData("percentile:50")]
    [InlineData("percentile:100.1")]
    [InlineData("percentile:x")]
    [InlineData("moving-average:1")]
    [InlineData("moving-average:-0.1")]
    [InlineData("moving-average:NaN")]
    public void Other_texts_name_none(string text) =>
        Assert.Equal(DiagnosticId.InvalidOption, Assert.Single(Assert.Throws<DiagnosticException>(() => RangeEstimator.Parse(text)).Diagnostics).Id);

    private static ValueStatistics Observe(RangeEstimator estimator, float[][] samples, IEnumerable<int> order)
    {
        ValueStatistics statistics = new(estimator);
        foreach (int sample in order)
        {
            Assert.True(statistics.TryObserve(sample, samples[sample]));
        }

        return statistics;
    }

    private static double Error(float[] values, ValueRange range)
    {
        QuantParams grid = AffineGrid.Covering(DType.I8, range);
        TensorData data = TensorData.FromFloats([values.Length], values);
        return values.Zip(AffineGrid.Dequantize(AffineGrid.Quantize(data, DType.I8, grid), grid)).Sum(p => Math.Pow(p.First - p.Second, 2));
    }

    private static float[] Values(Random random, int count, float scale)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.Next(8) == 0 ? 0 : Gaussian(random) * scale;
        }

        return values;
    }

    private static float Gaussian(Random random) =>
        MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
}
