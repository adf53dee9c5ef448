using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>What a block is worth.</summary>
public enum BlockScore
{
    /// <summary>The mean of its elements.</summary>
    Mean,

    /// <summary>The largest of its elements.</summary>
    Largest,
}

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
    /// <param name="columns">Length of a row.</param>
    /// <param name="height">Rows of a block.</param>
    /// <param name="width">Columns of a block.</param>
    /// <param name="sparsity">Part of the blocks to be dropped.</param>
    /// <exception cref="ArgumentException">The scores are no whole number of rows, or a block has no size.</exception>
    public static bool[] Blocks(
        ReadOnlySpan<float> scores, int columns, int height, int width, double sparsity, BlockScore score = BlockScore.Mean)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        return scores.Length % columns == 0
            ? Blocks(scores, new KernelShape(scores.Length / columns, 1, 1, columns), height, width, sparsity, score)
            : throw new ArgumentException($"{scores.Length} scores are no whole number of rows of {columns}.", nameof(scores));
    }

    /// <summary>Whole blocks of any weight, by what its dimensions mean.</summary>
    /// <param name="scores">In the order of the weight in memory.</param>
    /// <param name="height">Output channels of a block.</param>
    /// <param name="width">
    /// Input channels of a block, which lies in one tap of the kernel. Where an output reads a single channel (depthwise, first layers) there is
    /// nothing along the channels, and the block runs along the taps KH * KW instead.
    /// </param>
    /// <param name="sparsity">Part of the blocks to be dropped; smaller ones at the edges count as blocks.</param>
    /// <exception cref="ArgumentException">There is not one score for each element, or a block has no size.</exception>
    public static bool[] Blocks(
        ReadOnlySpan<float> scores, KernelShape kernel, int height, int width, double sparsity, BlockScore score = BlockScore.Mean)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (scores.Length != kernel.Count)
        {
            throw new ArgumentException($"{scores.Length} scores for a weight of {kernel.Count}.", nameof(scores));
        }

        (int taps, int inputs) = kernel.Inputs == 1 ? (1, kernel.Height * kernel.Width) : (kernel.Height * kernel.Width, kernel.Inputs);
        int across = (inputs + width - 1) / width;
        int[] blockOf = new int[scores.Length];
        for (int i = 0; i < blockOf.Length; i++)
        {
            int output = kernel.OutputOf(i);
            int place = kernel.OutputsInnermost ? i / kernel.Outputs : i % (taps * inputs);
            blockOf[i] = (((output / height * taps) + (place / inputs)) * across) + (place % inputs / width);
        }

        int count = (kernel.Outputs + height - 1) / height * taps * across;
        double[] sums = new double[count];
        float[] largest = new float[count];
        int[] sizes = new int[count];
        for (int i = 0; i < scores.Length; i++)
        {
            sums[blockOf[i]] += scores[i];
            largest[blockOf[i]] = sizes[blockOf[i]]++ == 0 ? scores[i] : Math.Max(largest[blockOf[i]], scores[i]);
        }

        float[] means = [.. sums.Zip(sizes, (sum, size) => (float)(sum / size))];
        bool[] kept = Keep(score is BlockScore.Mean ? means : largest, Kept(count, sparsity));
        return Array.ConvertAll(blockOf, b => kept[b]);
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

    /// <summary>The same along the input channels of any weight; groups lie in one tap of the kernel.</summary>
    /// <param name="scores">In the order of the weight in memory.</param>
    /// <returns>Everything stays of a weight whose outputs read a single channel each: a depthwise weight has no groups.</returns>
    /// <exception cref="ArgumentException">Nothing would be kept or there is not one score for each element.</exception>
    public static bool[] OfGroups(ReadOnlySpan<float> scores, KernelShape kernel, int dropped, int group)
    {
        if (scores.Length != kernel.Count)
        {
            throw new ArgumentException($"{scores.Length} scores for a weight of {kernel.Count}.", nameof(scores));
        }

        if (!kernel.OutputsInnermost)
        {
            return OfGroups(scores, kernel.Inputs, dropped, group);
        }

        (int outputs, int reads) = (kernel.Outputs, kernel.Count / kernel.Outputs);
        float[] turned = new float[scores.Length];
        for (int i = 0; i < turned.Length; i++)
        {
            turned[i] = scores[(i % reads * outputs) + (i / reads)];
        }

        bool[] mask = OfGroups(turned, kernel.Inputs, dropped, group);
        return [.. Enumerable.Range(0, mask.Length).Select(i => mask[(i % outputs * reads) + (i / outputs)])];
    }

    /// <summary>True when every group along rows keeps at most so many, as sparse kernels ask for.</summary>
    /// <param name="weights">Rows of <paramref name="columns"/>.</param>
    /// <param name="group">Elements of a group; a last one that is smaller may keep as many.</param>
    public static bool HasGroups(ReadOnlySpan<float> weights, int columns, int dropped, int group)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(dropped);
        ArgumentOutOfRangeException.ThrowIfLessThan(group, dropped);
        for (int row = 0; row < weights.Length; row += columns)
        {
            for (int start = 0; start < columns; start += group)
            {
                ReadOnlySpan<float> some = weights.Slice(row + start, Math.Min(group, columns - start));
                if (some.Length - some.Count(0f) > group - dropped)
                {
                    return false;
                }
            }
        }

        return true;
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

    /// <summary>Whole output channels of any weight, by what its dimensions mean.</summary>
    /// <param name="scores">In the order of the weight in memory.</param>
    /// <param name="sparsity">Part of the channels to be dropped; a channel is worth the mean of its scores.</param>
    /// <exception cref="ArgumentException">There is not one score for each element.</exception>
    public static bool[] Channels(ReadOnlySpan<float> scores, KernelShape kernel, double sparsity)
    {
        if (scores.Length != kernel.Count)
        {
            throw new ArgumentException($"{scores.Length} scores for a weight of {kernel.Count}.", nameof(scores));
        }

        double[] sums = new double[kernel.Outputs];
        for (int i = 0; i < scores.Length; i++)
        {
            sums[kernel.OutputOf(i)] += scores[i];
        }

        bool[] kept = Unstructured(Array.ConvertAll(sums, s => (float)s), sparsity);
        return [.. Enumerable.Range(0, kernel.Count).Select(i => kept[kernel.OutputOf(i)])];
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
