namespace Optc.Certificates;

/// <summary>For every element of a tensor of small integers the smallest and the largest value that it can have, row-major.</summary>
internal sealed record Bounds(int[] Low, int[] High)
{
    public int Length => Low.Length;

    public static Bounds Of(long count, int low, int high)
    {
        Bounds bounds = Empty(count);
        Array.Fill(bounds.Low, low);
        Array.Fill(bounds.High, high);
        return bounds;
    }

    public static Bounds Empty(long count) => new(new int[count], new int[count]);

    /// <summary>Elements by their number in another tensor; a negative number takes a constant.</summary>
    public Bounds Gather(ReadOnlySpan<int> elements, int constant = 0)
    {
        Bounds result = Empty(elements.Length);
        for (int i = 0; i < elements.Length; i++)
        {
            int from = elements[i];
            (result.Low[i], result.High[i]) = from < 0 ? (constant, constant) : (Low[from], High[from]);
        }

        return result;
    }

    /// <summary>What either of two bounds allows.</summary>
    public Bounds Union(Bounds other)
    {
        Bounds result = Empty(Length);
        for (int i = 0; i < Length; i++)
        {
            (result.Low[i], result.High[i]) = (Math.Min(Low[i], other.Low[i]), Math.Max(High[i], other.High[i]));
        }

        return result;
    }

    /// <summary>The value that all elements of a channel always have; null when they can have several.</summary>
    public int? Constant(ReadOnlySpan<int> shape, int axis, int channel)
    {
        int inner = 1;
        foreach (int size in shape[(axis + 1)..])
        {
            inner *= size;
        }

        int? value = null;
        for (int start = channel * inner; start < Length; start += shape[axis] * inner)
        {
            for (int i = start; i < start + inner; i++)
            {
                if (Low[i] != High[i] || (value is not null && value != Low[i]))
                {
                    return null;
                }

                value = Low[i];
            }
        }

        return value;
    }
}
