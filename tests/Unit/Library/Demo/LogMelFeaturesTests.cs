using Optc.Demo;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class LogMelFeaturesTests
{
    [Fact]
    public void Nothing_gives_zeros()
    {
        TensorData features = LogMelFeatures.Extract(new float[16_000]);

        Assert.Equal([49, 40, 1], features.Shape);
        Assert.All(features.AsFloats().ToArray(), x => Assert.Equal(0f, x));
    }

    // The level of a sine of full scale is 0 dB, a feature of log10(1 + 1e8) = 8, less what falls into the neighbour band.
    [Theory]
    [InlineData(500)]
    [InlineData(1000)]
    [InlineData(3100)]
    public void A_sine_of_full_scale_reaches_eight_in_the_band_of_its_pitch(double frequency)
    {
        float[] features = LogMelFeatures.Extract(Sine(frequency, 1)).AsFloats().ToArray();
        int band = Array.IndexOf(features, features.Max()) % LogMelFeatures.Bands;

        Assert.InRange(features.Max(), 7.6f, 8.05f);
        Assert.Equal(ExpectedBand(frequency), band);
    }

    [Fact]
    public void Ten_times_the_amplitude_is_two_more()
    {
        float loud = LogMelFeatures.Extract(Sine(1000, 1)).AsFloats().ToArray().Max();
        float soft = LogMelFeatures.Extract(Sine(1000, 0.1)).AsFloats().ToArray().Max();

        Assert.Equal(2, loud - soft, 1e-4);
    }

    [Fact]
    public void A_click_is_seen_in_the_windows_that_hold_it_and_in_no_other()
    {
        float[] clip = new float[16_000];
        clip[8_160] = 1;
        float[] features = LogMelFeatures.Extract(clip).AsFloats().ToArray();
        int[] frames = [.. Enumerable.Range(0, 49).Where(t => features.AsSpan(t * 40, 40).ContainsAnyExcept(0f))];

        // Window t holds samples 320 t to 320 t + 479.
        Assert.Equal([25], frames);
    }

    [Fact]
    public void Another_length_is_refused() => Assert.Throws<ArgumentException>(() => LogMelFeatures.Extract(new float[15_999]));

    private static int ExpectedBand(double frequency)
    {
        static double Mel(double f) => 1127 * Math.Log(1 + (f / 700));
        double width = (Mel(7600) - Mel(60)) / 41;
        return (int)Math.Round((Mel(frequency) - Mel(60)) / width) - 1;
    }

    private static float[] Sine(double frequency, double amplitude) =>
        [.. Enumerable.Range(0, 16_000).Select(i => (float)(amplitude * Math.Sin(2 * Math.PI * frequency * i / 16_000)))];
}
