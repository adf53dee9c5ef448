using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>Which elements of a weight stay: chosen by a score for each, as a rule the magnitude.</summary>
/// <remarks>
/// Exactly as many elements, blocks or channels are kept as the sparsity asks for, at least one; of equal scores the first is kept, so that
/// ties never leave a weight less sparse. A mask is <see langword="true"/> where the weight stays.
/// </remarks>
public static class PruningMask
{
    /// <summary>Single elements anywhere in the tensor.</summary>
    /// <param name="scores">One for each element; those that are no numbers count as the smallest.</param>
    /// <param name="sparsity">Part of the elements to be dropped, 0 to below 1.</param>
    public static bool[] Unstructured(ReadOnlySpan<float> scores, double sparsity) => Keep(scores, Kept(scores.Length, sparsity));

    /// <summary>Drops exactly so many elements, those with the smallest scores; of equal scores the last go first.</summary>
    /// <param name="scores">One for each element; those that are no numbers count as the smallest.</param>
    /// <param name="count">Elements to be dropped, 0 to all.</param>
    public static bool[] Dropping(ReadOnlySpan<float> scores, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, scores.Length);
        return count == scores.Length ? new bool[count] : Keep(scores, scores.Length - count);
    }

    /// <summary>Whole blocks of a matrix; those at the edges may be smaller and count as blocks.</summary>
    /// <param name="scores">[rows, columns], row-major.</param>
    /// <param name="columns">Length of a row: for convolutions KH * KW * C with the output channels as rows.</param>
    /// <param name="height">Rows of a block.</param>
    /// <param name="width">Columns of a block.</param>
    /// <param name="sparsity">Part of the blocks to be dropped.</param>
    /// <exception cref="ArgumentException">The scores are no whole number of rows, or a block has no size.</exception>
    public static bool[] Blocks(ReadOnlySpan<float> scores, int columns, int height, int width, double sparsity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (scores.Length % columns != 0)
        {
            throw new ArgumentException($"{scores.Length} scores are no whole number of rows of {columns}.", nameof(scores));
        }

        int across = (columns + width - 1) / width;
        int rows = scores.Length / columns;
        int down = (rows + height - 1) / height;
        double[] sums = new double[down * across];
        int[] counts = new int[sums.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            int block = (i / columns / height * across) + (i % columns / width);
            sums[block] += scores[i];
            counts[block]++;
        }

        bool[] blocks = Keep([.. sums.Zip(counts, (sum, count) => (float)(sum / count))], Kept(sums.Length, sparsity));
        bool[] mask = new bool[scores.Length];
        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] = blocks[(i / columns / height * across) + (i % columns / width)];
        }

        return mask;
    }

    /// <summary>In every group along the innermost axis the same number of elements stays, as sparse kernels of GPUs and XNNPACK want it.</summary>
    /// <param name="scores">Rows of <paramref name="columns"/>; groups do not cross rows.</param>
    /// <param name="columns">Length of the innermost axis, the input channels.</param>
    /// <param name="dropped">Elements dropped in each group: 2 of 4 for 2:4.</param>
    /// <param name="group">Elements of a group; a last one that is smaller keeps at most <c>group - dropped</c>.</param>
    /// <exception cref="ArgumentException">Nothing would be kept or the scores are no whole number of rows.</exception>
    public static bool[] OfGroups(ReadOnlySpan<float> scores, int columns, int dropped, int group)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(dropped);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(group, dropped);
        if (scores.Length % columns != 0)
        {
            throw new ArgumentException($"{scores.Length} scores are no whole number of rows of {columns}.", nameof(scores));
        }

        bool[] mask = new bool[scores.Length];
        for (int row = 0; row < scores.Length; row += columns)
        {
            for (int start = 0; start < columns; start += group)
            {
                int length = Math.Min(group, columns - start);
                Keep(scores.Slice(row + start, length), Math.Min(length, group - dropped)).CopyTo(mask, row + start);
            }
        }

        return mask;
    }

    /// <summary>Whole slices along the outermost axis: output channels.</summary>
    /// <param name="scores">[channels, rest], row-major.</param>
    /// <param name="channels">Number of slices.</param>
    /// <param name="sparsity">Part of the slices to be dropped.</param>
    /// <exception cref="ArgumentException">The scores are no whole number for each channel.</exception>
    public static bool[] Channels(ReadOnlySpan<float> scores, int channels, double sparsity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        return scores.Length % channels == 0
            ? Blocks(scores, scores.Length / channels, 1, scores.Length / channels, sparsity)
            : throw new ArgumentException($"{scores.Length} scores are no whole number for each of {channels} channels.", nameof(scores));
    }

    /// <summary>Magnitudes, the usual scores.</summary>
    public static float[] Magnitudes(TensorData weight)
    {
        float[] scores = weight.ToDense().AsFloats().ToArray();
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = Math.Abs(scores[i]);
        }

        return scores;
    }

    /// <summary>How many of <paramref name="count"/> stay: to the nearest, ties to even, at least one.</summary>
    private static int Kept(int count, double sparsity)
    {
        if (sparsity is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "A sparsity is 0 to below 1.");
        }

        return Math.Max(1, (int)Math.Round(count * (1 - sparsity), MidpointRounding.ToEven));
    }

    private static bool[] Keep(ReadOnlySpan<float> scores, int kept)
    {
        bool[] mask = new bool[scores.Length];
        if (kept >= scores.Length)
        {
            Array.Fill(mask, true);
            return mask;
        }

        float[] descending = scores.ToArray();
        for (int i = 0; i < descending.Length; i++)
        {
            descending[i] = -Score(descending[i]);
        }

        Array.Sort(descending);
        float threshold = -descending[kept - 1];
        int chosen = 0;
        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] = Score(scores[i]) > threshold;
            chosen += mask[i] ? 1 : 0;
        }

        for (int i = 0; i < mask.Length && chosen < kept; i++)
        {
            if (Score(scores[i]) == threshold)
            {
                mask[i] = true;
                chosen++;
            }
        }

        return mask;
    }

    private static float Score(float score) => float.IsNaN(score) ? float.NegativeInfinity : score;
}
