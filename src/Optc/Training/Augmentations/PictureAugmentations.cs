using Optc.Ir;
using Optc.Numerics;

namespace Optc.Training.Augmentations;

/// <summary>Mirrors a picture [H, W, C] left to right.</summary>
/// <param name="Probability">In [0, 1].</param>
public sealed record Flip(double Probability = 0.5) : SampleAugmentation
{
    public override string ToString() => Text("flip", Probability);

    internal override string? WhyNot(Shape shape) => UnlessMap(shape);

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        if (random.NextUnit() >= Probability)
        {
            return;
        }

        x.CopyTo(scratch);
        (int width, int channels) = (layout.Width, layout.Channels);
        for (int row = 0; row < layout.Height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                scratch.Slice(((row * width) + width - 1 - column) * channels, channels).CopyTo(x[(((row * width) + column) * channels)..]);
            }
        }
    }
}

/// <summary>Moves a picture [H, W, C]; the border is repeated into what comes in.</summary>
/// <param name="Pixels">Farthest move up, down, left and right; each move to that is equally likely.</param>
public sealed record Shift(int Pixels) : SampleAugmentation
{
    public override string ToString() => Text("shift", Pixels);

    internal override string? WhyNot(Shape shape) => UnlessMap(shape);

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        int down = random.NextWithin(-Pixels, Pixels);
        layout.Move(x, down, random.NextWithin(-Pixels, Pixels), reflect: false, scratch);
    }
}

/// <summary>Pads a picture [H, W, C] by its mirror image and cuts a window of the old size at a random place.</summary>
/// <param name="Pixels">Width of the border on each side.</param>
/// <remarks>
/// Source: the padding and cropping of He et al., "Deep residual learning for image recognition", 2016, section 4.2, who pad with
/// zeros after subtracting the mean; a mirror image needs no number that means nothing.
/// </remarks>
public sealed record Crop(int Pixels) : SampleAugmentation
{
    public override string ToString() => Text("crop", Pixels);

    internal override string? WhyNot(Shape shape) => UnlessMap(shape);

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        int down = random.NextWithin(-Pixels, Pixels);
        layout.Move(x, down, random.NextWithin(-Pixels, Pixels), reflect: true, scratch);
    }
}

/// <summary>Multiplies a sample of any shape by one random number, uniform in 1 ± range.</summary>
/// <param name="Range">In [0, 1].</param>
public sealed record Brightness(double Range) : SampleAugmentation
{
    public override string ToString() => Text("brightness", Range);

    internal override string? WhyNot(Shape shape) => null;

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        float factor = (float)random.Between(1 - Range, 1 + Range);
        for (int i = 0; i < x.Length; i++)
        {
            x[i] *= factor;
        }
    }
}

/// <summary>Fills a square of a picture [H, W, C] with the mean of each channel.</summary>
/// <param name="Pixels">Length of a side; what lies outside of the picture is cut off.</param>
/// <remarks>
/// The centre is uniform over the picture. Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with
/// cutout", 2017, whose zero is the mean of normalised pictures.
/// </remarks>
public sealed record Cutout(int Pixels) : SampleAugmentation
{
    private const int ChannelsOnStack = 64;

    public override string ToString() => Text("cutout", Pixels);

    internal override string? WhyNot(Shape shape) => UnlessMap(shape);

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        int top = random.NextBelow(layout.Height) - (Pixels / 2);
        int left = random.NextBelow(layout.Width) - (Pixels / 2);
        Span<double> means = layout.Channels <= ChannelsOnStack ? stackalloc double[layout.Channels] : new double[layout.Channels];
        layout.Means(x, means);
        for (int row = Math.Max(0, top); row < Math.Min(layout.Height, top + Pixels); row++)
        {
            for (int column = Math.Max(0, left); column < Math.Min(layout.Width, left + Pixels); column++)
            {
                for (int c = 0; c < layout.Channels; c++)
                {
                    x[(row * layout.RowLength) + (column * layout.Channels) + c] = (float)means[c];
                }
            }
        }
    }
}
