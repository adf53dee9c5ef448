using System.Numerics.Tensors;

namespace Optc.Passes.Quantize;

/// <summary>What calibration has seen of one value. The same samples give the same statistics in any order.</summary>
/// <param name="estimator">Decides what is kept.</param>
public sealed class ValueStatistics(RangeEstimator estimator)
{
    private readonly List<(long Sample, float Low, float High)> _samples = [];

    /// <summary>Smallest value seen.</summary>
    public float Low { get; private set; } = float.PositiveInfinity;

    /// <summary>Largest value seen.</summary>
    public float High { get; private set; } = float.NegativeInfinity;

    /// <summary>False when there was no value at all.</summary>
    public bool IsSeen => Low <= High;

    public RangeEstimator Estimator => estimator;

    /// <summary>For estimators that ask for it.</summary>
    public ValueHistogram? Histogram { get; } = estimator.NeedsHistogram ? new() : null;

    /// <summary>Extremes of each sample by its index, for estimators that ask for them.</summary>
    public IEnumerable<(long Sample, float Low, float High)> Samples =>
        _samples.OrderBy(s => s.Sample).ThenBy(s => s.Low).ThenBy(s => s.High);

    /// <summary>Counts the values; false, and nothing is counted, when one is not finite.</summary>
    /// <param name="sample">Index of the sample that they belong to.</param>
    public bool TryObserve(long sample, ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
        {
            return true;
        }

        // Both give NaN when there is one.
        (float low, float high) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        if (!float.IsFinite(low) || !float.IsFinite(high))
        {
            return false;
        }

        Low = Math.Min(Low, low);
        High = Math.Max(High, high);
        Histogram?.Add(values);
        if (estimator.NeedsSamples)
        {
            if (_samples.Count > 0 && _samples[^1] is var last && last.Sample == sample)
            {
                _samples[^1] = (sample, Math.Min(last.Low, low), Math.Max(last.High, high));
            }
            else
            {
                _samples.Add((sample, low, high));
            }
        }

        return true;
    }

    /// <summary>Takes in what was seen elsewhere, of other samples.</summary>
    public void Merge(ValueStatistics other)
    {
        Low = Math.Min(Low, other.Low);
        High = Math.Max(High, other.High);
        _samples.AddRange(other._samples);
        if (other.Histogram is not null)
        {
            Histogram?.Merge(other.Histogram);
        }
    }
}
