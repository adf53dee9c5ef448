using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Optc.Passes.Prune;

/// <summary>A weight after surgery.</summary>
/// <param name="Mask">True where a number stays.</param>
/// <param name="Values">The numbers, 0 where the mask is false; the others make up for those as well as they can.</param>
/// <param name="Error">
/// Mean squared error that the change makes in the result before the activation, summed over output channels and damped like the Hessian.
/// </param>
public sealed record Surgery(bool[] Mask, float[] Values, double Error);

/// <summary>Second-order pruning of one layer without training: what is dropped is what the remaining weights can make up for.</summary>
/// <remarks>
/// <para>With the inputs X of a layer the error of changed weights is quadratic, <c>E = (w' - w) H (w' - w)'</c> for each row w, with
/// <c>H = X X' / samples</c>. Dropping number p and adapting all others of the row costs <c>w_p^2 / (H^-1)_pp</c>.</para>
/// <para>Source: Hassibi and Stork, "Second order derivatives for network pruning: optimal brain surgeon", 1993; row by row with the numbers of all
/// rows in one order of cost as in Frantar and Alistarh, "Optimal brain compression", 2022; by columns with one Cholesky factor for
/// all rows as in Frantar and Alistarh, "SparseGPT", 2023. Double precision; damping as in the last.</para>
/// </remarks>
public static class OptimalBrainSurgeon
{
    /// <summary>Part of the mean of the diagonal that is added to the Hessian, so that it has an inverse.</summary>
    public const double DefaultDamping = 0.01;

    /// <summary>What dropping each number alone costs, the others of its row adapted: <c>w^2 / (H^-1)_pp</c>.</summary>
    public static float[] Saliencies(PrunableWeight weight, InputCorrelation inputs, double damping = DefaultDamping)
    {
        WeightRows rows = new(weight, inputs);
        Matrix<double>[] inverses = [.. Enumerable.Range(0, inputs.Groups).Select(g => Inverse(inputs, g, damping))];
        float[] scores = new float[weight.Values.Length];
        for (int row = 0; row < rows.Count; row++)
        {
            for (int k = 0; k < rows.Length; k++)
            {
                double w = weight.Values.Span[rows.Place(row, k)];
                scores[rows.Place(row, k)] = (float)(w * w / inverses[rows.GroupOf(row)][k, k]);
            }
        }

        return scores;
    }

    /// <summary>Drops numbers one after the other, each time the cheapest of all rows, and adapts what stays.</summary>
    /// <param name="zeros">Numbers that are 0 afterwards, below the number of elements.</param>
    /// <param name="threads">Rows are independent of each other; the result does not depend on this.</param>
    /// <returns>
    /// A result that is never worse than the weights with the smallest magnitudes dropped and the others adapted: greedy choices can be, and are then
    /// not taken.
    /// </returns>
    /// <remarks>Takes about O * K^3 / 3 multiplications; <see cref="PruneByColumns"/> takes O * K^2.</remarks>
    public static Surgery Prune(PrunableWeight weight, InputCorrelation inputs, int zeros, double damping = DefaultDamping, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(zeros);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(zeros, weight.Values.Length);
        WeightRows rows = new(weight, inputs);
        Matrix<double>[] inverses = [.. Enumerable.Range(0, inputs.Groups).Select(g => Inverse(inputs, g, damping))];
        (int Place, double Cost)[][] traces = new (int, double)[rows.Count][];
        Parallel.For(0, rows.Count, new() { MaxDegreeOfParallelism = threads }, row => traces[row] = Trace(rows.Numbers(row), inverses[rows.GroupOf(row)]));

        bool[] mask = new bool[weight.Values.Length];
        Array.Fill(mask, true);
        PriorityQueue<int, (double Cost, int Row)> next = new();
        int[] taken = new int[rows.Count];
        for (int row = 0; row < rows.Count; row++)
        {
            next.Enqueue(row, (traces[row][0].Cost, row));
        }

        for (int i = 0; i < zeros; i++)
        {
            int row = next.Dequeue();
            mask[rows.Place(row, traces[row][taken[row]++].Place)] = false;
            if (taken[row] < rows.Length)
            {
                next.Enqueue(row, (traces[row][taken[row]].Cost, row));
            }
        }

        Surgery chosen = Adapt(weight, mask, inputs, damping, threads);
        Surgery plain = Adapt(weight, PruningMask.Dropping(PruningCriterion.Magnitude.Scores(weight), zeros), inputs, damping, threads);
        return chosen.Error <= plain.Error ? chosen : plain;
    }

    /// <summary>The best weights with a given mask: least squares for each row.</summary>
    public static Surgery Adapt(PrunableWeight weight, bool[] mask, InputCorrelation inputs, double damping = DefaultDamping, int threads = 1)
    {
        WeightRows rows = new(weight, inputs);
        Matrix<double>[] hessians = [.. Enumerable.Range(0, inputs.Groups).Select(g => inputs.Hessian(g, damping))];
        float[] values = new float[mask.Length];
        Parallel.For(0, rows.Count, new() { MaxDegreeOfParallelism = threads }, row =>
        {
            Matrix<double> hessian = hessians[rows.GroupOf(row)];
            Vector<double> w = Vector<double>.Build.Dense(rows.Numbers(row));
            int[] kept = [.. Enumerable.Range(0, rows.Length).Where(k => mask[rows.Place(row, k)])];
            if (kept.Length == 0)
            {
                return;
            }

            Vector<double> target = hessian * w;
            Vector<double> solved = kept.Length == rows.Length
                ? w
                : Matrix<double>.Build.Dense(kept.Length, kept.Length, (i, j) => hessian[kept[i], kept[j]])
                    .Cholesky().Solve(Vector<double>.Build.Dense(kept.Length, i => target[kept[i]]));
            for (int i = 0; i < kept.Length; i++)
            {
                values[rows.Place(row, kept[i])] = (float)solved[i];
            }
        });
        return new(mask, values, Error(weight, values, inputs, damping));
    }

    /// <summary>Drops numbers column by column over all rows at once, and adapts the columns that follow.</summary>
    /// <param name="zeros">Numbers that are 0 afterwards, below the number of elements.</param>
    /// <param name="block">Columns whose numbers are chosen together, <c>zeros / K</c> of each column on average.</param>
    public static Surgery PruneByColumns(PrunableWeight weight, InputCorrelation inputs, int zeros, double damping = DefaultDamping, int block = 128, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(zeros);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(zeros, weight.Values.Length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block);
        WeightRows rows = new(weight, inputs);
        return ByColumns(weight, inputs, rows, block, damping, threads, (start, scores) =>
        {
            (long done, long goal) = ((long)zeros * start / rows.Length, (long)zeros * (start + (scores.Length / rows.Count)) / rows.Length);
            return PruningMask.Dropping(scores, (int)(goal - done));
        });
    }

    /// <summary>The same, with so many numbers dropped of every group along the input channels: 2 of 4 for 2:4.</summary>
    /// <param name="group">Input channels of a group; a last one that is smaller keeps at most <c>group - dropped</c>.</param>
    public static Surgery PruneGroups(PrunableWeight weight, InputCorrelation inputs, int dropped, int group, double damping = DefaultDamping, int threads = 1)
    {
        WeightRows rows = new(weight, inputs);
        int channels = weight.Kernel.Inputs;
        return ByColumns(weight, inputs, rows, channels, damping, threads, (_, scores) => PruningMask.OfGroups(scores, channels, dropped, group));
    }

    /// <summary>
    /// The weights that come nearest to the old results with what the layer reads now, where the layers before it were changed:
    /// <c>w' = (X X')^-1 X Z' w</c> with the old inputs Z; the weights themselves where nothing was.
    /// </summary>
    public static PrunableWeight Realign(PrunableWeight weight, InputCorrelation inputs, double damping = DefaultDamping)
    {
        WeightRows rows = new(weight, inputs);
        float[] values = new float[weight.Values.Length];
        Matrix<double>[] maps = [.. Enumerable.Range(0, inputs.Groups).Select(g => inputs.Hessian(g, damping).Cholesky().Solve(inputs.Cross(g, damping)))];
        for (int row = 0; row < rows.Count; row++)
        {
            Vector<double> aligned = maps[rows.GroupOf(row)] * Vector<double>.Build.Dense(rows.Numbers(row));
            for (int k = 0; k < rows.Length; k++)
            {
                values[rows.Place(row, k)] = (float)aligned[k];
            }
        }

        return weight with { Values = values };
    }

    /// <summary>The error of other numbers in place of a weight, as in <see cref="Surgery.Error"/>.</summary>
    public static double Error(PrunableWeight weight, ReadOnlySpan<float> values, InputCorrelation inputs, double damping = DefaultDamping)
    {
        WeightRows rows = new(weight, inputs);
        Matrix<double>[] hessians = [.. Enumerable.Range(0, inputs.Groups).Select(g => inputs.Hessian(g, damping))];
        double error = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            double[] change = new double[rows.Length];
            for (int k = 0; k < change.Length; k++)
            {
                change[k] = (double)values[rows.Place(row, k)] - weight.Values.Span[rows.Place(row, k)];
            }

            Vector<double> d = Vector<double>.Build.Dense(change);
            error += d.DotProduct(hessians[rows.GroupOf(row)] * d);
        }

        return error;
    }

    private static Matrix<double> Inverse(InputCorrelation inputs, int group, double damping) =>
        inputs.Hessian(group, damping).Cholesky().Solve(Matrix<double>.Build.DenseIdentity(inputs.Length));

    /// <summary>All numbers of a row in the order in which they go, with the cost of each.</summary>
    private static (int Place, double Cost)[] Trace(double[] w, Matrix<double> inverse)
    {
        int size = w.Length;
        double[] h = inverse.ToRowMajorArray();
        int[] places = [.. Enumerable.Range(0, size)];
        (int, double)[] trace = new (int, double)[size];
        double[] pivot = new double[size];
        for (int left = size; left > 0; left--)
        {
            (int p, double cost) = (0, double.PositiveInfinity);
            for (int i = 0; i < left; i++)
            {
                double own = w[i] * w[i] / h[(i * size) + i];
                (p, cost) = own < cost ? (i, own) : (p, cost);
            }

            trace[size - left] = (places[p], cost);
            h.AsSpan(p * size, left).CopyTo(pivot);
            double diagonal = pivot[p];
            for (int i = 0; i < left; i++)
            {
                double factor = -pivot[i] / diagonal;
                Span<double> row = h.AsSpan(i * size, left);
                TensorPrimitives.MultiplyAdd(pivot.AsSpan(0, left), factor, row, row);
                w[i] += factor * w[p] * (i == p ? 0 : 1);
            }

            // The last one takes the place of the one that went.
            int last = left - 1;
            (w[p], places[p]) = (w[last], places[last]);
            h.AsSpan(last * size, left).CopyTo(h.AsSpan(p * size, left));
            for (int i = 0; i < last; i++)
            {
                h[(i * size) + p] = h[(i * size) + last];
            }
        }

        return trace;
    }

    private static Surgery ByColumns(
        PrunableWeight weight, InputCorrelation inputs, WeightRows rows, int block, double damping, int threads, Func<int, float[], bool[]> choose)
    {
        // Row i of the factor U of H^-1 = U' U says how the columns behind i make up for a change of column i.
        double[][] factors =
        [
            .. Enumerable.Range(0, inputs.Groups).Select(g => Inverse(inputs, g, damping).Cholesky().Factor.ToColumnMajorArray()),
        ];
        int size = rows.Length;
        double[][] w = [.. Enumerable.Range(0, rows.Count).Select(rows.Numbers)];
        bool[] mask = new bool[weight.Values.Length];
        for (int start = 0; start < size; start += block)
        {
            int wide = Math.Min(block, size - start);
            float[] scores = new float[rows.Count * wide];
            for (int i = 0; i < scores.Length; i++)
            {
                (int row, int k) = (i / wide, start + (i % wide));
                double error = w[row][k] / factors[rows.GroupOf(row)][(k * size) + k];
                scores[i] = (float)(error * error);
            }

            bool[] kept = choose(start, scores);
            Parallel.For(0, rows.Count, new() { MaxDegreeOfParallelism = threads }, row =>
            {
                double[] factor = factors[rows.GroupOf(row)];
                for (int k = start; k < start + wide; k++)
                {
                    mask[rows.Place(row, k)] = kept[(row * wide) + k - start];
                    if (mask[rows.Place(row, k)])
                    {
                        continue;
                    }

                    double error = w[row][k] / factor[(k * size) + k];
                    Span<double> rest = w[row].AsSpan(k + 1);
                    TensorPrimitives.MultiplyAdd(factor.AsSpan((k * size) + k + 1, rest.Length), -error, rest, rest);
                    w[row][k] = 0;
                }
            });
        }

        float[] values = new float[mask.Length];
        for (int row = 0; row < rows.Count; row++)
        {
            for (int k = 0; k < size; k++)
            {
                values[rows.Place(row, k)] = (float)w[row][k];
            }
        }

        return new(mask, values, Error(weight, values, inputs, damping));
    }

    /// <summary>A weight as rows of what each output multiplies with its inputs.</summary>
    private sealed class WeightRows
    {
        private readonly PrunableWeight _weight;
        private readonly int _groups;

        public WeightRows(PrunableWeight weight, InputCorrelation inputs)
        {
            (_weight, _groups) = (weight, inputs.Groups);
            Length = weight.Kernel.Count / weight.Kernel.Outputs;
            if (inputs.Length != Length || Count % _groups != 0 || weight.Values.Length != weight.Kernel.Count)
            {
                throw new ArgumentException($"'{weight.Name}' has {Count} rows of {Length} weights, its inputs {_groups} groups of {inputs.Length}.", nameof(inputs));
            }
        }

        public int Count => _weight.Kernel.Outputs;

        public int Length { get; }

        public int GroupOf(int row) => row / (Count / _groups);

        public int Place(int row, int k) => _weight.Kernel.OutputsInnermost ? (k * Count) + row : (row * Length) + k;

        public double[] Numbers(int row)
        {
            double[] numbers = new double[Length];
            for (int k = 0; k < Length; k++)
            {
                numbers[k] = _weight.Values.Span[Place(row, k)];
            }

            return numbers;
        }
    }
}
