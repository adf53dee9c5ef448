using Optc.Ir;
using Optc.Numerics;
using Optc.Training;
using Optc.Training.Augmentations;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

public sealed class AugmentationTests
{
    [Theory]
    [InlineData("flip", "flip:0.5")]
    [InlineData("flip:0.25", "flip:0.25")]
    [InlineData("shift:2", "shift:2")]
    [InlineData("crop:4", "crop:4")]
    [InlineData("brightness:0.2", "brightness:0.2")]
    [InlineData("cutout:8", "cutout:8")]
    [InlineData("mixup:0.2", "mixup:0.2")]
    [InlineData("noise:0.1", "noise:0.1")]
    [InlineData("silence:0.1", "silence:0.1")]
    [InlineData("time-shift:1600", "time-shift:1600")]
    [InlineData("mix:0.3", "mix:0.3")]
    public void The_text_form_is_read_and_written(string text, string written)
    {
        Augmentation augmentation = Assert.Single(Augmentation.Parse(text));

        Assert.Equal(written, augmentation.ToString());
        Assert.Equal(augmentation, Assert.Single(Augmentation.Parse(written)));
    }

    [Fact]
    public void The_list_names_each_augmentation_once() =>
        Assert.Equal(10, Augmentation.All.Select(a => a.Syntax.Split(':', '[')[0]).Distinct().Count());

    [Theory]
    [InlineData("rotate:3", "there is no such augmentation")]
    [InlineData("shift", "the augmentation 'shift' needs a number")]
    [InlineData("shift:1.5", "the augmentation 'shift' does not take this number")]
    [InlineData("shift:-1", "the augmentation 'shift' does not take this number")]
    [InlineData("mixup:0", "the augmentation 'mixup' does not take this number")]
    [InlineData("flip,noise:much", "the augmentation 'noise' does not take this number")]
    public void Other_texts_are_refused(string text, string message) =>
        Assert.Equal(message, Assert.Single(Assert.Throws<DiagnosticException>(() => Augmentation.Parse(text)).Diagnostics).Message);

    [Fact]
    public void A_flip_mirrors_each_row_with_its_channels() =>
        Assert.Equal([3, 30, 2, 20, 1, 10, 6, 60, 5, 50, 4, 40], Apply(new Flip(1), [2, 3, 2], [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]));

    [Fact]
    public void A_flip_happens_with_its_probability()
    {
        int flipped = Enumerable.Range(0, 4000).Count(i => Apply(new Flip(0.25), [1, 2], [1, 2], (ulong)i)[0] == 2);

        Assert.InRange(flipped, 1000 - 110, 1000 + 110);
    }

    [Fact]
    public void Moves_repeat_the_border_and_crops_mirror_it()
    {
        float[] x = [1, 2, 3, 4, 5];
        HashSet<string> shifts = [.. Enumerable.Range(0, 200).Select(i => string.Join(' ', Apply(new Shift(2), [1, 5], x, (ulong)i)))];
        HashSet<string> crops = [.. Enumerable.Range(0, 200).Select(i => string.Join(' ', Apply(new Crop(2), [1, 5], x, (ulong)i)))];

        Assert.Equal(["1 1 1 2 3", "1 1 2 3 4", "1 2 3 4 5", "2 3 4 5 5", "3 4 5 5 5"], shifts.Order(StringComparer.Ordinal));
        Assert.Equal(["1 2 3 4 5", "2 1 2 3 4", "2 3 4 5 4", "3 2 1 2 3", "3 4 5 4 3"], crops.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_move_longer_than_the_picture_stays_inside()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            Assert.All(Apply(new Crop(50), [3, 1, 1], [1, 2, 3], seed), v => Assert.InRange(v, 1, 3));
            Assert.All(Apply(new Shift(50), [3, 1, 1], [1, 2, 3], seed), v => Assert.InRange(v, 1, 3));
        }
    }

    [Fact]
    public void Brightness_multiplies_by_one_number()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            float[] y = Apply(new Brightness(0.2), [3], [1, 2, 4], seed);
            Assert.InRange(y[0], 0.8f, 1.2f);
            Assert.Equal(2 * y[0], y[1]);
            Assert.Equal(4 * y[0], y[2]);
        }
    }

    [Fact]
    public void Cutout_fills_a_square_with_the_mean_of_each_channel()
    {
        float[] x = [.. Enumerable.Range(0, 2 * 36).Select(i => i % 2 == 0 ? i / 2 : 100f - (i / 2))];
        HashSet<int> sizes = [];
        for (ulong seed = 0; seed < 300; seed++)
        {
            float[] y = Apply(new Cutout(3), [6, 6, 2], x, seed);
            int[] changed = [.. Enumerable.Range(0, 36).Where(i => y[2 * i] != x[2 * i])];
            Assert.All(changed, i => Assert.Equal((17.5f, 82.5f), (y[2 * i], y[(2 * i) + 1])));
            int height = changed.Max(i => i / 6) - changed.Min(i => i / 6) + 1;
            int width = changed.Max(i => i % 6) - changed.Min(i => i % 6) + 1;
            Assert.Equal(changed.Length, height * width);
            sizes.Add(changed.Length);
        }

        Assert.Equal([4, 6, 9], sizes.Order());
    }

    [Fact]
    public void Noise_has_a_level_relative_to_the_sample()
    {
        float[] x = [.. Enumerable.Range(0, 4000).Select(i => i % 2 == 0 ? 5f : 9f)];
        double[] levels = [.. Enumerable.Range(0, 50).Select(seed => Deviation(Apply(new Noise(0.5), [4000], x, (ulong)seed), x))];

        Assert.InRange(levels.Max(), 0.8, 1.05);
        Assert.InRange(levels.Min(), 0, 0.2);
        Assert.InRange(levels.Average(), 0.4, 0.6);
    }

    [Fact]
    public void Silence_is_zero_in_a_waveform_and_the_mean_in_a_map()
    {
        bool[] waveform = new bool[6];
        for (ulong seed = 0; seed < 300; seed++)
        {
            float[] y = Apply(new Silence(0.5), [10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], seed);
            int silent = y.Count(v => v == 0);
            waveform[silent] = true;
            Assert.Equal(10 - silent, y.Zip([1f, 2, 3, 4, 5, 6, 7, 8, 9, 10]).Count(p => p.First == p.Second));

            float[] map = Apply(new Silence(1), [2, 2], [1, 10, 3, 30], seed);
            Assert.True(map is [1 or 2, 10 or 20, 3 or 2, 30 or 20]);
        }

        Assert.Equal([true, true, true, true, true, true], waveform);
    }

    [Fact]
    public void A_time_shift_brings_silence_into_a_waveform_and_repeats_the_border_of_a_map()
    {
        HashSet<string> waveforms = [.. Enumerable.Range(0, 100).Select(i => string.Join(' ', Apply(new TimeShift(1), [3], [1, 2, 3], (ulong)i)))];
        HashSet<string> maps = [.. Enumerable.Range(0, 100).Select(i => string.Join(' ', Apply(new TimeShift(1), [2, 2], [1, 2, 3, 4], (ulong)i)))];

        Assert.Equal(["0 1 2", "1 2 3", "2 3 0"], waveforms.Order(StringComparer.Ordinal));
        Assert.Equal(["1 2 1 2", "1 2 3 4", "3 4 3 4"], maps.Order(StringComparer.Ordinal));
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(3, Apply(new TimeShift(9), [3], [1, 2, 3], (ulong)i).Length));
    }

    [Theory]
    [InlineData(0.2, 0.1786)]
    [InlineData(1, 0.0833)]
    [InlineData(2, 0.05)]
    public void The_weights_of_mixup_follow_the_beta_distribution(double alpha, double variance)
    {
        SplitMix64 random = new(1);
        double[] weights = [.. Enumerable.Range(0, 20_000).Select(_ => (double)new Mixup(alpha).DrawWeight(random))];

        // Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)).
        Assert.Equal(0.5, weights.Average(), 0.015);
        Assert.Equal(variance, weights.Average(w => (w - 0.5) * (w - 0.5)), 0.006);
        Assert.All(weights, w => Assert.InRange(w, 0, 1));
    }

    [Fact]
    public void Augmentations_that_do_not_fit_are_refused()
    {
        TrainingData sounds = TrainingData.Of(Dataset.Of(TensorData.FromFloats([2, 4], new float[8])));

        Diagnostic flip = Refusal(() => _ = new BatchSource(sounds, new() { Augmentations = [new Flip()] }));
        Diagnostic mixup = Refusal(() => _ = new BatchSource(sounds, new() { Augmentations = [new Mixup(1)] }));

        Assert.Equal("a picture or map [H, W, C] or [H, W]", flip.Expected);
        Assert.Equal("augmentation 'flip:0.5'", flip.At[1]);
        Assert.Equal("no labels", mixup.Found);
    }

    private static float[] Apply(SampleAugmentation augmentation, Shape shape, float[] x, ulong seed = 0)
    {
        Assert.Null(augmentation.WhyNot(shape));
        float[] y = [.. x];
        augmentation.Apply(y, SampleLayout.Of(shape), SplitMix64.Of(seed), new float[x.Length]);
        return y;
    }

    private static double Deviation(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Average(p => (p.First - p.Second) * (double)(p.First - p.Second)));

    private static Diagnostic Refusal(Action action) => Assert.Single(Assert.Throws<DiagnosticException>(action).Diagnostics);
}
