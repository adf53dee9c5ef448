using System.Globalization;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Makes the range of a grid from the values that were seen.</summary>
public abstract record RangeEstimator
{
    /// <summary>Everything that was seen.</summary>
    public static RangeEstimator MinMax { get; } = new MinMaxEstimator();

    /// <summary>Least squared error, as found by a search over both ends.</summary>
    public static RangeEstimator MeanSquaredError { get; } = new MeanSquaredErrorEstimator();

    /// <summary>Least loss of information, as found by a search over both ends.</summary>
    public static RangeEstimator Entropy { get; } = new EntropyEstimator();

    internal virtual bool NeedsHistogram => false;

    internal virtual bool NeedsSamples => false;

    /// <param name="momentum">Weight of what came before, from 0 up to but without 1.</param>
    public static RangeEstimator MovingAverage(double momentum = 0.9) => new MovingAverageEstimator(momentum);

    /// <param name="percent">Part of the values, of 100, below which the upper end lies; likewise for the lower end.</param>
    public static RangeEstimator Percentile(double percent = 99.99) => new PercentileEstimator(percent);

    /// <summary>The estimator that a text such as <c>min-max</c>, <c>percentile:99.9</c> names; the inverse of <see cref="object.ToString"/>.</summary>
    /// <exception cref="DiagnosticException">There is none of that name, or its number is not allowed.</exception>
    public static RangeEstimator Parse(string text)
    {
        (string name, string? argument) = text.Split(':', 2) is [var first, var second] ? (first, second) : (text, null);
        double number = double.NaN;
        bool sound = argument is null || double.TryParse(argument, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
        return (sound, name, argument) switch
        {
            (true, "min-max", null) => MinMax,
            (true, "mse", null) => MeanSquaredError,
            (true, "entropy", null) => Entropy,
            (true, "moving-average", null) => MovingAverage(),
            (true, "moving-average", _) when number is >= 0 and < 1 => MovingAverage(number),
            (true, "percentile", null) => Percentile(),
            (true, "percentile", _) when number is > 50 and <= 100 => Percentile(number),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such range estimator")
            {
                Found = $"'{text}'",
                Expected = "min-max, moving-average[:0 to below 1], percentile[:above 50 to 100], mse or entropy",
            }),
        };
    }

    /// <param name="seen">At least one value.</param>
    /// <param name="type">i8 or i16, the grid that the range is for.</param>
    internal abstract ValueRange Estimate(ValueStatistics seen, DType type);
}

internal sealed record MinMaxEstimator : RangeEstimator
{
    public override string ToString() => "min-max";

    internal override ValueRange Estimate(ValueStatistics seen, DType type) => new(seen.Low, seen.High);
}

/// <summary>
/// Exponential moving average of the extremes of each sample, in the order of the sample indices:
/// <c>r = momentum r + (1 - momentum) x</c>, starting at the first sample.
/// </summary>
/// <remarks>Source: Jacob et al., "Quantization and Training of Neural Networks", 2018, section 3.1.</remarks>
internal sealed record MovingAverageEstimator : RangeEstimator
{
    /// <exception cref="ArgumentOutOfRangeException">Not in 0 to below 1.</exception>
    public MovingAverageEstimator(double momentum) => Momentum = momentum is >= 0 and < 1
        ? momentum
        : throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "A momentum is from 0 up to but without 1.");

    public double Momentum { get; }

    internal override bool NeedsSamples => true;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"moving-average:{Momentum:R}");

    internal override ValueRange Estimate(ValueStatistics seen, DType type)
    {
        ValueRange average = ValueRange.Empty;
        foreach ((_, float low, float high) in seen.Samples)
        {
            average = average.IsEmpty
                ? new(low, high)
                : new((Momentum * average.Low) + ((1 - Momentum) * low), (Momentum * average.High) + ((1 - Momentum) * high));
        }

        return average;
    }
}

/// <summary>Leaves out the most extreme values on each side; within a bin values are taken as evenly spread.</summary>
internal sealed record PercentileEstimator : RangeEstimator
{
    /// <exception cref="ArgumentOutOfRangeException">Not above 50 and up to 100.</exception>
    public PercentileEstimator(double percent) => Percent = percent is > 50 and <= 100
        ? percent
        : throw new ArgumentOutOfRangeException(nameof(percent), percent, "A percentile is above 50 and up to 100.");

    public double Percent { get; }

    internal override bool NeedsHistogram => true;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"percentile:{Percent:R}");

    internal override ValueRange Estimate(ValueStatistics seen, DType type)
    {
        ValueHistogram histogram = seen.Histogram!;
        double cut = histogram.Total * (100 - Percent) / 100;
        return new(Math.Max(Quantile(histogram, cut), seen.Low), Math.Min(Quantile(histogram, histogram.Total - cut), seen.High));
    }

    /// <summary>The number below which <paramref name="rank"/> values lie. Zeros lie between the bins below and above 0.</summary>
    private static double Quantile(ValueHistogram histogram, double rank)
    {
        ReadOnlySpan<long> counts = histogram.Counts;
        double below = 0;
        for (int bin = 0; bin < counts.Length; bin++)
        {
            if (bin == counts.Length / 2)
            {
                if (below + histogram.Zeros >= rank && histogram.Zeros > 0)
                {
                    return 0;
                }

                below += histogram.Zeros;
            }

            if (counts[bin] > 0 && below + counts[bin] >= rank)
            {
                return histogram.Border(bin) + ((rank - below) / counts[bin] * histogram.Width);
            }

            below += counts[bin];
        }

        return histogram.Border(counts.Length);
    }
}

internal sealed record MeanSquaredErrorEstimator : RangeEstimator
{
    internal override bool NeedsHistogram => true;

    public override string ToString() => "mse";

    internal override ValueRange Estimate(ValueStatistics seen, DType type) => RangeSearch.Find(seen, type, RangeSearch.SquaredError);
}

internal sealed record EntropyEstimator : RangeEstimator
{
    internal override bool NeedsHistogram => true;

    public override string ToString() => "entropy";

    internal override ValueRange Estimate(ValueStatistics seen, DType type) => RangeSearch.Find(seen, type, RangeSearch.Divergence);
}
