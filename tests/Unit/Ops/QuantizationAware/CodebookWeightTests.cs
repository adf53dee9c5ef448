using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops.QuantizationAware;

public sealed class CodebookWeightTests
{
    /// <summary>The docstring's formula, whichever the axis, and nothing of the latent weight.</summary>
    [Fact]
    public void Values_are_scale_times_the_entry_on_its_grid()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            int groups = random.Next(1, 4);
            int channels = groups * random.Next(1, 4);
            int codes = random.Next(1, 300);
            int largest = random.Next(3) switch { 0 => 0, 1 => 7, _ => 127 };
            (Shape shape, int axis) = random.Next(2) == 0 ? (Shape.Of([channels, 3, 5]), 0) : (Shape.Of([2, 4, channels]), 2);
            float[] index = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => (float)random.Next(codes))];
            float[] values = [.. Enumerable.Range(0, groups * codes).Select(_ => (float)((random.NextDouble() * 2) - 1))];
            float[] steps = [.. Enumerable.Range(0, groups).Select(_ => (float)((0.5 + random.NextDouble()) / Math.Max(1, largest)))];
            float[] logScale = [.. Enumerable.Range(0, random.Next(2) == 0 ? 1 : channels).Select(_ => (float)random.NextDouble())];

            float[] w = Case(new(axis, largest), shape, index, values, [groups, codes], steps, logScale).Run<float>();

            for (int i = 0; i < w.Length; i++)
            {
                int channel = new ChannelMap(shape, axis).ChannelOf(i);
                int group = channel / (channels / groups);
                float value = values[(group * codes) + (int)index[i]];
                double snapped = largest == 0 ? value : steps[group] * Math.Clamp(MathF.Round(value / steps[group]), -largest, largest);
                double expected = Math.Exp(logScale[logScale.Length == 1 ? 0 : channel]) * snapped;
                Assert.Equal(expected, w[i], 1e-6 * Math.Max(1, Math.Abs(expected)));
            }

            float[] outside = new float[w.Length];
            new CodebookWeight(axis, largest).Expand(shape, index, values, [groups, codes], steps, logScale, outside);
            Assert.Equal(w, outside);
        }
    }

    /// <summary>Integers of a channel are whole and the same in every channel that shares the codebook.</summary>
    [Fact]
    public void Channels_of_different_scales_share_their_codes()
    {
        float[] w = Case(new(0, 127), [2, 3], [0, 1, 2, 2, 1, 0], [-1, 0, 0.337f], [1, 3], [0.01f], [0, 5]).Run<float>();

        WeightStructure structure = new() { Codebook = new(3), Grid = new([0.01f, 0.01f * MathF.Exp(5)], 0) };
        TensorData data = TensorData.FromFloats([2, 3], w);
        Assert.Empty(structure.Check(data));
        Assert.Equal([-100L, 0, 34, 34, 0, -100], structure.Codes(data).AsEnumerable());
    }

    [Theory]
    [InlineData(2, 3, 2)] // a scale for each channel, or one
    [InlineData(3, 4, 3)] // groups that do not divide the channels
    public void Scales_and_codebooks_that_do_not_fit_are_refused(int groups, int channels, int scales) => Assert.Throws<DiagnosticException>(() =>
        Case(new(0, 127), [channels, 2], new float[channels * 2], new float[groups * 2], [groups, 2], new float[groups], new float[scales]).Run<float>());

    [Fact]
    public void Indices_of_another_shape_are_refused() => Assert.Throws<OpRuleException>(() =>
        new OpCase(new CodebookWeight(0, 0)).Input<float>(DType.F32, [2, 2], new float[4]).Input<float>(DType.F32, [4], new float[4])
            .Input<float>(DType.F32, [1, 1], 1).Input<float>(DType.F32, [1], 0).Input<float>(DType.F32, [1], 0).Infer());

    [Fact]
    public void Attributes_survive_text() => Assert.Equal(new CodebookWeight(3, 7, Mean: true), OpCase.Reparse(new CodebookWeight(3, 7, Mean: true)));

    private static OpCase Case(CodebookWeight op, Shape shape, float[] index, float[] values, Shape books, float[] steps, float[] logScale) =>
        new OpCase(op).Input<float>(DType.F32, shape, [.. index.Select(_ => float.NaN)]).Input<float>(DType.F32, shape, index)
            .Input<float>(DType.F32, books, values).Input<float>(DType.F32, [steps.Length], steps).Input<float>(DType.F32, [logScale.Length], logScale);
}
