using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Finds the range whose grid costs least by a histogram of the values.</summary>
/// <remarks>
/// From the observed range, each end in turn is drawn in by a geometric series while the other one stays; two rounds,
/// and the wider range wins a tie. A grid of 16 bits is finer than the histogram, which then could not tell ranges
/// apart: it gets the observed range.
/// </remarks>
internal static class RangeSearch
{
    private const int Rounds = 2;
    private const int Steps = 48;
    private const double Ratio = 0.96;

    /// <summary>Cost of a range, with the bins that hold values.</summary>
    public delegate double Cost(ReadOnlySpan<(double Center, long Count)> bins, ValueRange range);

    public static ValueRange Find(ValueStatistics seen, DType type, Cost cost)
    {
        ValueRange best = new(Math.Min(seen.Low, 0), Math.Max(seen.High, 0));
        ReadOnlySpan<(double Center, long Count)> bins = Occupied(seen.Histogram!);
        if (type is not DType.I8 || bins.IsEmpty)
        {
            return best;
        }

        double least = cost(bins, best);
        for (int round = 0; round < Rounds; round++)
        {
            ValueRange start = best;
            double factor = 1;
            for (int step = 0; step < Steps && start.High > 0; step++, factor *= Ratio)
            {
                Try(bins, best with { High = seen.High * factor }, cost, ref best, ref least);
            }

            factor = 1;
            for (int step = 0; step < Steps && start.Low < 0; step++, factor *= Ratio)
            {
                Try(bins, best with { Low = seen.Low * factor }, cost, ref best, ref least);
            }

            if (best == start)
            {
                break;
            }
        }

        return best;
    }

    /// <summary>Sum of the squared differences between the values and what the grid makes of them.</summary>
    public static double SquaredError(ReadOnlySpan<(double Center, long Count)> bins, ValueRange range)
    {
        Int8Grid grid = new(range);
        double sum = 0;
        foreach ((double center, long count) in bins)
        {
            double error = center - grid.ValueOf(grid.LevelOf(center));
            sum += error * error * count;
        }

        return sum;
    }

    /// <summary>
    /// Kullback-Leibler divergence of the values, those outside put to the ends, from what the levels of the grid can
    /// tell apart: the values inside, those of one level spread evenly over its bins.
    /// </summary>
    /// <remarks>
    /// Source: Migacz, "8-bit Inference with TensorRT", 2017. Zeros are left out, which every grid represents exactly.
    /// </remarks>
    public static double Divergence(ReadOnlySpan<(double Center, long Count)> bins, ValueRange range)
    {
        Int8Grid grid = new(range);
        Span<long> counts = stackalloc long[256];
        Span<int> widths = stackalloc int[256];
        counts.Clear();
        widths.Clear();
        int first = -1;
        int last = -1;
        double all = 0;
        double inside = 0;
        for (int i = 0; i < bins.Length; i++)
        {
            (double center, long count) = bins[i];
            all += count;
            if (center < range.Low || center > range.High)
            {
                continue;
            }

            first = first < 0 ? i : first;
            last = i;
            inside += count;
            int level = grid.LevelOf(center) + 128;
            counts[level] += count;
            widths[level]++;
        }

        if (first < 0)
        {
            return double.PositiveInfinity;
        }

        double below = 0;
        double above = 0;
        for (int i = 0; i < first; i++)
        {
            below += bins[i].Count;
        }

        for (int i = last + 1; i < bins.Length; i++)
        {
            above += bins[i].Count;
        }

        double divergence = 0;
        for (int i = first; i <= last; i++)
        {
            (double center, long count) = bins[i];
            int level = grid.LevelOf(center) + 128;
            double p = (count + (i == first ? below : 0) + (i == last ? above : 0)) / all;
            double q = counts[level] / (inside * widths[level]);
            divergence += p * Math.Log(p / q);
        }

        return divergence;
    }

    private static void Try(
        ReadOnlySpan<(double Center, long Count)> bins, ValueRange candidate, Cost cost, ref ValueRange best, ref double least)
    {
        double found = cost(bins, candidate);
        if (found < least)
        {
            (best, least) = (candidate, found);
        }
    }

    private static (double Center, long Count)[] Occupied(ValueHistogram histogram)
    {
        ReadOnlySpan<long> counts = histogram.Counts;
        List<(double, long)> bins = [];
        for (int bin = 0; bin < counts.Length; bin++)
        {
            if (counts[bin] > 0)
            {
                bins.Add((histogram.Center(bin), counts[bin]));
            }
        }

        return [.. bins];
    }

    /// <summary>The grid that <see cref="AffineGrid.Covering"/> makes of a range, for many values.</summary>
    private readonly struct Int8Grid
    {
        private readonly double _scale;
        private readonly int _zero;

        public Int8Grid(ValueRange range)
        {
            QuantParams grid = AffineGrid.Covering(DType.I8, range);
            (_scale, _zero) = (grid.Scale, (int)grid.ZeroPoint);
        }

        public int LevelOf(double value) =>
            (int)Math.Clamp(Math.Round(value / _scale, MidpointRounding.AwayFromZero) + _zero, sbyte.MinValue, sbyte.MaxValue);

        public double ValueOf(int level) => _scale * (level - _zero);
    }
}
