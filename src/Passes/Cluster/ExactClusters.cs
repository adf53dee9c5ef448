using System.Collections.Immutable;
using System.Numerics;

namespace Optc.Passes.Cluster;

/// <summary>Clusters of numbers with the least squared error there is: one-dimensional k-means solved exactly.</summary>
/// <remarks>
/// <para>In the best clustering every cluster is a run of the sorted numbers. The best split of the first j numbers into m runs follows
/// from those into m - 1 runs, and the position of the last border never moves left as j grows, so that each of the m rows is
/// filled by halving in O(n log n).</para>
/// <para>With a cluster pinned at zero the cost of leaving a run to it is a sum of squares, which splits into a part for the
/// negative and a part for the positive numbers; both sides are solved alone and their numbers of clusters combined.</para>
/// <para>Source: Wang and Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by dynamic programming", The R Journal
/// 2011; the monotonicity as in Grønlund et al., "Fast exact k-means, k-medians and Bregman divergence clustering in 1D", 2017.</para>
/// </remarks>
public static class ExactClusters
{
    /// <summary>The best centroids, ascending.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="count">Centroids, at least 1; fewer are returned where there are fewer distinct numbers.</param>
    /// <param name="pinZero">One of the centroids is 0 exactly, whatever the numbers are.</param>
    /// <param name="weights">How much the error of each number counts, 0 or more; all alike when empty.</param>
    /// <exception cref="ArgumentException">No numbers, one that is not finite, or weights that do not fit.</exception>
    public static ImmutableArray<float> Solve(ReadOnlySpan<float> values, int count, bool pinZero = false, ReadOnlySpan<float> weights = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (double[] x, double[] w) = SortedDistinct(values, weights);
        if (!pinZero)
        {
            return Centroids(new Rows(x, w, count), Math.Min(count, x.Length), x.Length);
        }

        int firstPositive = Array.FindIndex(x, v => v > 0);
        int positives = firstPositive < 0 ? 0 : x.Length - firstPositive;
        int negatives = Array.FindLastIndex(x, v => v < 0) + 1;

        // The negative side is mirrored, so that on both sides the numbers of the pinned cluster come first and are nearest to zero.
        Rows below = new([.. x[..negatives].Reverse().Select(v => -v)], [.. w[..negatives].Reverse()], count - 1, zeroFirst: true);
        Rows above = new(x[(x.Length - positives)..], w[(x.Length - positives)..], count - 1, zeroFirst: true);
        (double best, int split) = (double.PositiveInfinity, 0);
        for (int m = 0; m <= count - 1; m++)
        {
            double error = below.Error(Math.Min(m, negatives)) + above.Error(Math.Min(count - 1 - m, positives));
            (best, split) = error < best ? (error, m) : (best, split);
        }

        return
        [
            .. Centroids(below, Math.Min(split, negatives), negatives).Select(c => -c).Reverse(),
            0,
            .. Centroids(above, Math.Min(count - 1 - split, positives), positives),
        ];
    }

    private static ImmutableArray<float> Centroids(Rows rows, int count, int length) => count == 0 || length == 0 ? [] : rows.Centroids(count);

    private static (double[] Values, double[] Weights) SortedDistinct(ReadOnlySpan<float> values, ReadOnlySpan<float> weights)
    {
        if (values.IsEmpty || (!weights.IsEmpty && weights.Length != values.Length))
        {
            throw new ArgumentException("There must be numbers, and as many weights as numbers or none.", nameof(values));
        }

        float[] sorted = values.ToArray();
        float[] order = weights.IsEmpty ? [] : weights.ToArray();
        if (!System.Numerics.Tensors.TensorPrimitives.IsFiniteAll<float>(sorted) || Array.Exists(order, w => w is not (>= 0 and < float.PositiveInfinity)))
        {
            throw new ArgumentException("Numbers must be finite, and weights not negative.", nameof(values));
        }

        if (weights.IsEmpty)
        {
            Array.Sort(sorted);
        }
        else
        {
            Array.Sort(sorted, order);
        }

        double[] x = new double[sorted.Length];
        double[] w = new double[sorted.Length];
        int distinct = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            double weight = weights.IsEmpty ? 1 : order[i];
            if (distinct > 0 && sorted[i] == x[distinct - 1])
            {
                w[distinct - 1] += weight;
            }
            else
            {
                (x[distinct], w[distinct]) = (sorted[i], weight);
                distinct++;
            }
        }

        Array.Resize(ref x, distinct);
        Array.Resize(ref w, distinct);
        return (x, w);
    }

    /// <summary>The table of best errors: entry (m, j) is that of the first j numbers in m clusters.</summary>
    private sealed class Rows
    {
        private static readonly Vector<double> Lanes = new([.. Enumerable.Range(0, Vector<double>.Count).Select(i => (double)i)]);

        private readonly double[] _weight;
        private readonly double[] _sum;
        private readonly double[] _square;
        private readonly int _length;
        private readonly bool _hasWeightless;
        private readonly double[][] _errors;
        private readonly int[][] _starts;

        /// <param name="x">Ascending.</param>
        /// <param name="w">Weights.</param>
        /// <param name="count">Rows to be filled.</param>
        /// <param name="zeroFirst">The first numbers may be left to a cluster at zero, which is not counted.</param>
        public Rows(double[] x, double[] w, int count, bool zeroFirst = false)
        {
            _length = x.Length;
            _hasWeightless = Array.Exists(w, weight => weight == 0);
            count = Math.Min(count, _length);

            // About the mean, so that the differences of the sums below keep their digits.
            double shift = zeroFirst || _length == 0 ? 0 : x.Average();
            Shift = shift;
            (_weight, _sum, _square) = (new double[_length + 1], new double[_length + 1], new double[_length + 1]);
            for (int i = 0; i < _length; i++)
            {
                double value = x[i] - shift;
                _weight[i + 1] = _weight[i] + w[i];
                _sum[i + 1] = _sum[i] + (w[i] * value);
                _square[i + 1] = _square[i] + (w[i] * value * value);
            }

            _errors = new double[count + 1][];
            _starts = new int[count + 1][];
            _errors[0] = zeroFirst ? _square : [0, .. Enumerable.Repeat(double.PositiveInfinity, _length)];
            _starts[0] = [];
            for (int m = 1; m <= count; m++)
            {
                (_errors[m], _starts[m]) = (new double[_length + 1], new int[_length + 1]);
                int least = zeroFirst ? 1 : m;
                Array.Fill(_errors[m], double.PositiveInfinity, 0, least);
                Fill(m, least, _length, least - 1, _length - 1);
            }
        }

        private double Shift { get; }

        /// <summary>Least error of all numbers in exactly so many clusters.</summary>
        public double Error(int count) => _errors[Math.Min(count, _errors.Length - 1)][_length];

        public ImmutableArray<float> Centroids(int count)
        {
            float[] centroids = new float[count];
            int end = _length;
            for (int m = count; m >= 1; m--)
            {
                int start = _starts[m][end];
                double weight = _weight[end] - _weight[start];
                centroids[m - 1] = (float)(Shift + (weight > 0 ? (_sum[end] - _sum[start]) / weight : 0));
                end = start;
            }

            return [.. centroids];
        }

        /// <summary>Fills entries from <paramref name="low"/> to <paramref name="high"/>, whose last borders lie between two positions.</summary>
        private void Fill(int m, int low, int high, int first, int last)
        {
            while (low <= high)
            {
                int middle = (low + high) / 2;
                int border = BestBorder(m, middle, first, Math.Min(last, middle - 1));
                Fill(m, low, middle - 1, first, border);
                (low, first) = (middle + 1, border);
            }
        }

        private int BestBorder(int m, int end, int first, int last)
        {
            double[] before = _errors[m - 1];
            (double weight, double sum, double square) = (_weight[end], _sum[end], _square[end]);
            (double best, int border) = (double.PositiveInfinity, first);
            int i = first;
            if (!_hasWeightless && last - first >= 4 * Vector<double>.Count)
            {
                Vector<double> least = new(double.PositiveInfinity);
                Vector<double> places = Vector<double>.Zero;
                Vector<double> place = Lanes + new Vector<double>(first);
                for (; i <= last - Vector<double>.Count + 1; i += Vector<double>.Count)
                {
                    Vector<double> part = new Vector<double>(sum) - new Vector<double>(_sum, i);
                    Vector<double> error = new Vector<double>(before, i) + (new Vector<double>(square) - new Vector<double>(_square, i))
                        - (part * part / (new Vector<double>(weight) - new Vector<double>(_weight, i)));
                    Vector<long> less = Vector.LessThan(error, least);
                    least = Vector.ConditionalSelect(less, error, least);
                    places = Vector.ConditionalSelect(less, place, places);
                    place += new Vector<double>(Vector<double>.Count);
                }

                for (int lane = 0; lane < Vector<double>.Count; lane++)
                {
                    if (least[lane] < best || (least[lane] == best && places[lane] < border))
                    {
                        (best, border) = (least[lane], (int)places[lane]);
                    }
                }
            }

            for (; i <= last; i++)
            {
                double part = sum - _sum[i];
                double mass = weight - _weight[i];
                double error = before[i] + (square - _square[i]) - (mass > 0 ? part * part / mass : 0);
                if (error < best)
                {
                    (best, border) = (error, i);
                }
            }

            _errors[m][end] = best;
            _starts[m][end] = border;
            return border;
        }
    }
}
