using Optc.Ir;

namespace Optc.Training;

/// <summary>Puts an array into the middle of another size: zeros around it, or what is too much cut off on both sides.</summary>
/// <remarks>Of an odd number the smaller half goes in front.</remarks>
internal static class CentredCopy
{
    /// <summary>A shape with as many dimensions as another, by dimensions of 1 where that other has them; <see langword="null"/> when there is no such.</summary>
    /// <remarks>Channels, the last of three dimensions or more, have to be equal.</remarks>
    public static Shape? Align(Shape shape, Shape wanted)
    {
        int missing = wanted.Rank - shape.Rank;
        if (missing < 0)
        {
            return null;
        }

        Shape aligned = wanted.Dims[shape.Rank..].All(d => d == 1) ? [.. shape, .. Enumerable.Repeat(1, missing)]
            : wanted.Dims[..missing].All(d => d == 1) ? [.. Enumerable.Repeat(1, missing), .. shape]
            : shape;
        return aligned.Rank == wanted.Rank && (wanted.Rank < 3 || aligned[-1] == wanted[-1]) ? aligned : null;
    }

    /// <summary>Copies.</summary>
    /// <param name="source">Elements of the shape <paramref name="from"/>.</param>
    /// <param name="target">Elements of the shape <paramref name="to"/>, of as many dimensions.</param>
    public static void Run(ReadOnlySpan<float> source, Shape from, Span<float> target, Shape to)
    {
        target.Clear();
        Copy(source, from.Dims.AsSpan(), target, to.Dims.AsSpan());
    }

    private static void Copy(ReadOnlySpan<float> source, ReadOnlySpan<int> from, Span<float> target, ReadOnlySpan<int> to)
    {
        if (from.IsEmpty)
        {
            target[0] = source[0];
            return;
        }

        int count = Math.Min(from[0], to[0]);
        int read = Math.Max(0, (from[0] - to[0]) / 2);
        int write = Math.Max(0, (to[0] - from[0]) / 2);
        if (from.Length == 1)
        {
            source.Slice(read, count).CopyTo(target[write..]);
            return;
        }

        int sourceSize = source.Length / from[0];
        int targetSize = target.Length / to[0];
        for (int i = 0; i < count; i++)
        {
            Copy(source.Slice((read + i) * sourceSize, sourceSize), from[1..], target.Slice((write + i) * targetSize, targetSize), to[1..]);
        }
    }
}
