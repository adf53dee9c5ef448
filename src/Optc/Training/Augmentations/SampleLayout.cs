using Optc.Ir;

namespace Optc.Training.Augmentations;

/// <summary>A sample as rows, columns and channels: [H, W, C], [H, W] with C = 1, or a waveform [T] with W = C = 1.</summary>
internal readonly record struct SampleLayout(int Height, int Width, int Channels, bool IsWaveform)
{
    public int RowLength => Width * Channels;

    public static SampleLayout Of(Shape shape) => shape.Rank switch
    {
        0 => new(1, 1, 1, true),
        1 => new(shape[0], 1, 1, true),
        2 => new(shape[0], shape[1], 1, false),
        3 => new(shape[0], shape[1], shape[2], false),
        _ => new(shape[0], 1, (int)(shape.ElementCount / Math.Max(1, shape[0])), false),
    };

    /// <summary>Mean of each channel.</summary>
    public void Means(ReadOnlySpan<float> x, Span<double> means)
    {
        means.Clear();
        for (int i = 0; i < x.Length; i += Channels)
        {
            for (int c = 0; c < Channels; c++)
            {
                means[c] += x[i + c];
            }
        }

        for (int c = 0; c < Channels; c++)
        {
            means[c] /= Math.Max(1, Height * Width);
        }
    }

    /// <summary>
    /// The picture moved down and right, what comes in from outside filled by <paramref name="reflect"/> or with the border.
    /// </summary>
    public void Move(Span<float> x, int down, int right, bool reflect, Span<float> scratch)
    {
        if (down == 0 && right == 0)
        {
            return;
        }

        x.CopyTo(scratch);
        for (int row = 0; row < Height; row++)
        {
            ReadOnlySpan<float> source = scratch.Slice(Inside(row - down, Height, reflect) * RowLength, RowLength);
            Span<float> target = x.Slice(row * RowLength, RowLength);
            for (int column = 0; column < Width; column++)
            {
                source.Slice(Inside(column - right, Width, reflect) * Channels, Channels).CopyTo(target[(column * Channels)..]);
            }
        }
    }

    /// <summary>The position inside 0 .. size - 1 that stands for one outside: the border, or its mirror image at the border.</summary>
    private static int Inside(int position, int size, bool reflect)
    {
        if (!reflect || size == 1)
        {
            return Math.Clamp(position, 0, size - 1);
        }

        int period = 2 * (size - 1);
        int folded = ((position % period) + period) % period;
        return folded < size ? folded : period - folded;
    }
}
