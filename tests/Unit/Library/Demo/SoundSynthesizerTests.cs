using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Optc.Demo;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class SoundSynthesizerTests
{
    public static TheoryData<SoundClass> Classes => [.. Enum.GetValues<SoundClass>()];

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_clip_is_a_second_within_full_scale_that_differs_by_seed(SoundClass sound)
    {
        float[][] clips = [.. Enumerable.Range(0, 10).Select(seed => SoundSynthesizer.Synthesize(sound, (ulong)seed))];

        Assert.All(clips, clip => Assert.Equal(16_000, clip.Length));
        Assert.All(clips, clip => Assert.All(clip, x => Assert.InRange(x, -1f, 1f)));
        Assert.Equal(clips.Length, clips.Select(Hash).Distinct().Count());
        Assert.Equal(clips[3], SoundSynthesizer.Synthesize(sound, 3));
    }

    [Fact]
    public void Silence_is_below_every_other_sound()
    {
        static double[] Levels(SoundClass sound) => [.. Enumerable.Range(0, 20).Select(seed => Level(SoundSynthesizer.Synthesize(sound, (ulong)seed)))];
        double loudest = Levels(SoundClass.Silence).Max();

        Assert.True(loudest < -67);
        Assert.All([SoundClass.SmokeAlarm, SoundClass.Siren, SoundClass.Speech, SoundClass.Noise], sound =>
            Assert.True(Levels(sound).Min() > loudest + 10));
    }

    [Fact]
    public void An_alarm_is_loudest_near_three_kilohertz_and_beeps()
    {
        // Centres of the bands around 2.9 to 3.4 kHz.
        int[] beep = [26, 27, 28, 29];
        for (ulong seed = 0; seed < 20; seed++)
        {
            float[] features = LogMelFeatures.Extract(SoundSynthesizer.Synthesize(SoundClass.SmokeAlarm, seed)).AsFloats().ToArray();
            float[] inBand = [.. Enumerable.Range(0, LogMelFeatures.Frames).Select(t => beep.Max(band => features[(t * LogMelFeatures.Bands) + band]))];
            int loudest = Array.IndexOf(features, features.Max()) % LogMelFeatures.Bands;

            Assert.Contains(loudest, beep);
            Assert.True(inBand.Max() - inBand.Min() > 0.25, $"seed {seed}: {inBand.Min()} to {inBand.Max()}");
        }
    }

    [Fact]
    public void An_unknown_class_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SoundSynthesizer.Synthesize((SoundClass)5, 0));

    /// <summary>The golden file was made on one machine; equality on another is what "the same on every machine" means.</summary>
    [Fact]
    public void Sounds_and_features_are_the_same_on_every_machine()
    {
        StringBuilder text = new();
        foreach (SoundClass sound in Enum.GetValues<SoundClass>())
        {
            for (ulong seed = 0; seed < 3; seed++)
            {
                float[] clip = SoundSynthesizer.Synthesize(sound, seed);
                string features = Convert.ToHexStringLower(SHA256.HashData(LogMelFeatures.Extract(clip).Bytes.Span));
                text.Append(CultureInfo.InvariantCulture, $"{sound} {seed}: {Level(clip):0.00} dB, clip {Hash(clip)[..16]}, features {features[..16]}\n");
            }
        }

        GoldenFile.At("golden/demo/sounds.txt").ShouldMatch(text.ToString());
    }

    private static double Level(float[] clip) => 10 * Math.Log10(clip.Average(x => (double)x * x));

    private static string Hash(float[] clip) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(clip)));
}
