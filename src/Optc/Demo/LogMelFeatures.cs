using Optc.Ir;
using Optc.Numerics;

namespace Optc.Demo;

/// <summary>Levels of a sound over time and mel frequency, the picture that the classifier of the demo sees.</summary>
/// <remarks>
/// <para>Windows of 30 ms (Hann) every 20 ms, power spectrum of 512 points, 40 triangular bands of equal width on the mel scale
/// <c>1127 ln(1 + f / 700 Hz)</c> from 60 Hz to 7,600 Hz. The feature is <c>log10(1 + p / 1e-8)</c>, p the power of the band
/// relative to that of a sine of full scale: 0 for nothing, 1 for -70 dB, about 8 at most. Zeros around the picture are
/// thus silence to a convolution.</para>
/// <para>The same to the last bit on every machine. Source of the scale: Makhoul and Cosell, "LPCW: an LPC vocoder with linear
/// predictive spectral warping", ICASSP 1976.</para>
/// </remarks>
public static class LogMelFeatures
{
    /// <summary>Windows of a clip.</summary>
    public const int Frames = ((SoundSynthesizer.ClipLength - WindowLength) / Hop) + 1;

    /// <summary>Mel bands.</summary>
    public const int Bands = 40;

    /// <summary>Samples of a window, 30 ms.</summary>
    public const int WindowLength = 480;

    /// <summary>Samples from one window to the next, 20 ms.</summary>
    public const int Hop = 320;

    private const int Points = 512;
    private const double Floor = 1e-8;
    private const double LowestFrequency = 60;
    private const double HighestFrequency = 7600;

    private static readonly double[] Window = [.. Enumerable.Range(0, WindowLength).Select(i => 0.5 - (0.5 * PortableMath.Cosine((i + 0.5) / WindowLength)))];

    // A sine of full scale has the amplitude sum(window) / 2 in its bin; the window spreads its power over 1.5 bins.
    private static readonly double PowerOfFullScale = 1.5 * Window.Sum() * Window.Sum() / 4;

    private static readonly (int First, double[] Weights)[] Filters = MelFilters();

    private static readonly FourierTransform Transform = new(Points);

    /// <summary>Shape of the features of a clip: time, frequency, 1.</summary>
    public static Shape Shape { get; } = [Frames, Bands, 1];

    /// <summary>The features of a clip.</summary>
    /// <param name="clip">[<see cref="SoundSynthesizer.ClipLength"/>], 16 kHz.</param>
    /// <returns>f32 [time = 49, frequency = 40, 1]</returns>
    /// <exception cref="ArgumentException">Another length.</exception>
    public static TensorData Extract(ReadOnlySpan<float> clip)
    {
        if (clip.Length != SoundSynthesizer.ClipLength)
        {
            throw new ArgumentException($"A clip has {SoundSynthesizer.ClipLength} samples, not {clip.Length}.", nameof(clip));
        }

        float[] features = new float[Frames * Bands];
        double[] real = new double[Points];
        double[] imaginary = new double[Points];
        for (int frame = 0; frame < Frames; frame++)
        {
            Array.Clear(real);
            Array.Clear(imaginary);
            for (int i = 0; i < WindowLength; i++)
            {
                real[i] = Window[i] * clip[(frame * Hop) + i];
            }

            Transform.Forward(real, imaginary);
            for (int band = 0; band < Bands; band++)
            {
                (int first, double[] weights) = Filters[band];
                double power = 0;
                for (int k = 0; k < weights.Length; k++)
                {
                    (double re, double im) = (real[first + k], imaginary[first + k]);
                    power += weights[k] * ((re * re) + (im * im));
                }

                features[(frame * Bands) + band] = (float)(PortableMath.Log(1 + (power / (PowerOfFullScale * Floor))) / PortableMath.NaturalLogOfTen);
            }
        }

        return TensorData.FromFloats(Shape, features);
    }

    private static (int First, double[] Weights)[] MelFilters()
    {
        double low = Mel(LowestFrequency);
        double width = (Mel(HighestFrequency) - low) / (Bands + 1);
        double[] bins = [.. Enumerable.Range(0, (Points / 2) + 1).Select(k => Mel((double)k * SoundSynthesizer.SampleRate / Points))];
        (int First, double[] Weights)[] filters = new (int, double[])[Bands];
        for (int band = 0; band < Bands; band++)
        {
            double centre = low + (width * (band + 1));
            double[] weights = [.. bins.Select(mel => Math.Max(0, 1 - (Math.Abs(mel - centre) / width)))];
            int first = Array.FindIndex(weights, w => w > 0);
            filters[band] = (first, weights[first..(Array.FindLastIndex(weights, w => w > 0) + 1)]);
        }

        return filters;
    }

    private static double Mel(double frequency) => 1127 * PortableMath.Log(1 + (frequency / 700));
}
