using Optc.Ir;
using Optc.Numerics;

namespace Optc.Training.Augmentations;

/// <summary>Adds white, nearly normal noise to a sample of any shape.</summary>
/// <param name="Level">
/// Greatest standard deviation of the noise, relative to that of the sample; the one that is used is uniform below it. 0.1 is a signal to noise ratio
/// of 20 dB or better.
/// </param>
public sealed record Noise(double Level) : SampleAugmentation
{
    public override string ToString() => Text("noise", Level);

    internal override string? WhyNot(Shape shape) => null;

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        (double sum, double squares) = (0, 0);
        foreach (float value in x)
        {
            sum += value;
            squares += (double)value * value;
        }

        double mean = sum / Math.Max(1, x.Length);
        double deviation = Math.Sqrt(Math.Max(0, (squares / Math.Max(1, x.Length)) - (mean * mean)));
        double level = Level * random.NextUnit() * deviation;
        for (int i = 0; i < x.Length; i++)
        {
            x[i] += (float)(level * random.NextNormal());
        }
    }
}

/// <summary>Silences a stretch of time: zeros in a waveform [T], the mean of each column and channel in a map [T, F, C].</summary>
/// <param name="Part">Greatest part of the time, in [0, 1]; length and place are uniform.</param>
/// <remarks>Source: the time masks of Park et al., "SpecAugment", Interspeech 2019.</remarks>
public sealed record Silence(double Part) : SampleAugmentation
{
    public override string ToString() => Text("silence", Part);

    internal override string? WhyNot(Shape shape) => shape.Rank is >= 1 and <= 3 ? null : "a sound [T] or a map [T, F] or [T, F, C]";

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        int length = random.NextWithin(0, (int)(Part * layout.Height));
        int start = random.NextWithin(0, layout.Height - length);
        Span<float> fill = scratch[..layout.RowLength];
        fill.Clear();
        if (!layout.IsWaveform)
        {
            for (int i = 0; i < fill.Length; i++)
            {
                double sum = 0;
                for (int row = 0; row < layout.Height; row++)
                {
                    sum += x[(row * layout.RowLength) + i];
                }

                fill[i] = (float)(sum / layout.Height);
            }
        }

        for (int row = start; row < start + length; row++)
        {
            fill.CopyTo(x[(row * layout.RowLength)..]);
        }
    }
}

/// <summary>Moves a sound along time; silence comes into a waveform [T], the first or last step is repeated in a map [T, F, C].</summary>
/// <param name="Steps">Farthest move to and fro, along the first axis; each move to that is equally likely.</param>
public sealed record TimeShift(int Steps) : SampleAugmentation
{
    public override string ToString() => Text("time-shift", Steps);

    internal override string? WhyNot(Shape shape) => shape.Rank is >= 1 and <= 3 ? null : "a sound [T] or a map [T, F] or [T, F, C]";

    internal override void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch)
    {
        int later = random.NextWithin(-Steps, Steps);
        if (!layout.IsWaveform)
        {
            layout.Move(x, later, 0, reflect: false, scratch);
            return;
        }

        int kept = Math.Max(0, x.Length - Math.Abs(later));
        if (later >= 0)
        {
            x[..kept].CopyTo(x[(x.Length - kept)..]);
            x[..(x.Length - kept)].Clear();
        }
        else
        {
            x[(x.Length - kept)..].CopyTo(x);
            x[kept..].Clear();
        }
    }
}
