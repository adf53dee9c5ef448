using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Ops.QuantizationAware;

/// <summary>Weights and activations that are rounded to their grids and stay float.</summary>
public sealed class RoundedValuesTests
{
    /// <summary>What training sees of a weight is what post-training quantization stores of it.</summary>
    [Fact]
    public void Weights_of_8_bits_are_those_of_the_quantizer()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            (Shape shape, int axis) = random.Next(2) == 0 ? (Shape.Of([4, 3, 5]), 0) : (Shape.Of([2, 4, 5]), 2);
            bool perChannel = random.Next(2) == 0;
            float[] w = Numbers(random, (int)shape.ElementCount, 3);

            float[] y = new OpCase(new FakeQuantWeights(8, perChannel ? axis : -1)).Input<float>(DType.F32, shape, w).Run<float>();

            QuantizedWeights stored = WeightQuantizer.Quantize(TensorData.FromFloats(shape, w), axis, perChannel);
            float[] expected = AffineGrid.Dequantize(stored.Data, stored.Quant);
            Assert.All(expected.Zip(y), pair => Assert.Equal(pair.First, pair.Second, 1e-6f * 3));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Weights_have_the_codes_of_their_bits_and_keep_zeros(int bits)
    {
        float[] w = [.. Numbers(new(bits), 64, 1), 0, -0f];
        float[] y = new float[66];
        float[] scales = new float[1];

        new FakeQuantWeights(bits, -1).Round(w, [66], y, scales);

        WeightStructure grid = new() { Grid = new([scales[0]], 0, bits), Mask = new("elements", [.. w.Select(v => v != 0)]) };
        Assert.Empty(grid.Check(TensorData.FromFloats([66], y)));
        Assert.InRange(y.Distinct().Count(), 2, (1 << bits) - 1);
    }

    [Fact]
    public void A_channel_of_zeros_has_the_step_of_the_tensor()
    {
        float[] scales = new float[2];
        new FakeQuantWeights(8, 0).Round([0, 0, 127, 1], [2, 2], new float[4], scales);

        Assert.Equal([1f, 1], scales);
    }

    [Fact]
    public void What_is_no_number_stays_visible_and_breaks_nothing()
    {
        float[] y = new OpCase(new FakeQuantWeights(8, 0)).Input<float>(DType.F32, [3, 2], float.NaN, 1, float.PositiveInfinity, 1, 3, 1).Run<float>();

        Assert.True(float.IsNaN(y[0]));
        Assert.Equal(3, y[4], 1e-6f);
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, .. new float[8]];
        float[] activations = Activations(new(-8, 7), x, 0, 0, 1);
        Assert.True(float.IsNaN(activations[0]));
        Assert.Equal([7f, -8], activations[1..3]);
    }

    /// <summary>Every result is a code of the grid, nearest to the limited operand, for any number of threads.</summary>
    [Fact]
    public void Activations_lie_on_their_grid()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Random random = new(seed);
            (int low, int high) = random.Next(3) switch { 0 => (-128, 127), 1 => (-8, 7), _ => (short.MinValue, short.MaxValue) };
            float step = (float)Math.Exp(-random.NextDouble() * 4);
            int zero = random.Next(low, high + 1);
            float[] x = Numbers(random, (2 * LearnedFakeQuant.Chunk) + 13, step * (high - low));

            float[] y = Activations(new(low, high), x, MathF.Log(step), zero, threads: 1);

            double real = (float)Math.Exp(MathF.Log(step));
            for (int i = 0; i < x.Length; i++)
            {
                double code = (y[i] / real) + zero;
                Assert.Equal(Math.Round(code), code, 0.01);
                Assert.InRange(Math.Round(code), low, high);
                double limited = Math.Clamp(x[i] / real, low - zero, high - zero);
                Assert.True(Math.Abs((y[i] / real) - limited) <= 0.51, $"seed {seed}: {x[i]} became {y[i]}");
            }

            Assert.Equal(y, Activations(new(low, high), x, MathF.Log(step), zero, threads: 3));
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(9, 0)]
    [InlineData(8, 2)]
    [InlineData(8, -2)]
    public void Weights_refuse_what_is_no_grid(int bits, int axis) => Assert.Throws<DiagnosticException>(
        () => new OpCase(new FakeQuantWeights(bits, axis)).Input<float>(DType.F32, [1, 2], 1, 2).Run<float>());

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, -5)]
    [InlineData(0, 40000)]
    public void Activations_refuse_what_is_no_range(int low, int high) => Assert.Throws<OpRuleException>(
        () => new OpCase(new LearnedFakeQuant(low, high)).Input<float>(DType.F32, [1], 1).Input<float>(DType.F32, [], 0).Input<float>(DType.F32, [], 0).Infer());

    [Fact]
    public void Activations_refuse_more_than_one_step() => Assert.Throws<OpRuleException>(
        () => new OpCase(new LearnedFakeQuant(-8, 7)).Input<float>(DType.F32, [2], 1, 2).Input<float>(DType.F32, [2], 0, 0).Input<float>(DType.F32, [], 0).Infer());

    [Fact]
    public void Attributes_survive_text()
    {
        IOp[] ops = [new FakeQuantWeights(4, 3), new LearnedFakeQuant(-8, 7), new LearnedFakeQuantGradient(-8, 7), new CodebookWeightGradient(1, 7, Mean: true)];
        Assert.All(ops, op => Assert.Equal(op, OpCase.Reparse(op)));
    }

    private static float[] Activations(LearnedFakeQuant op, float[] x, float logScale, float zero, int threads) =>
        new OpCase(op).Input<float>(DType.F32, [x.Length], x).Input<float>(DType.F32, [], logScale).Input<float>(DType.F32, [], zero)
            .Run<float>(options: new() { Threads = threads });

    private static float[] Numbers(Random random, int count, double scale) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(((random.NextDouble() * 2) - 1) * scale))];
}
