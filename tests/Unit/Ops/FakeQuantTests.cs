using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class FakeQuantTests
{
    /// <summary>Every result is a code of the grid, nearest to the limited operand, and the grid has an exact 0.</summary>
    [Fact]
    public void Rounds_to_a_grid_with_zero_on_it()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            int bits = random.Next(2, 17);
            bool narrow = random.Next(2) == 0;
            float min = (float)((random.NextDouble() * 4) - 3);
            float max = (float)(min + 0.01 + (random.NextDouble() * 4));
            float[] x = [0, min, max, -1e9f, 1e9f, .. ElementModel.Fill([50], () => (float)((random.NextDouble() * 10) - 5))];

            float[] y = new OpCase(new FakeQuant(min, max, bits, narrow)).Input<float>(DType.F32, [x.Length], x).Run<float>();

            int codes = (1 << bits) - (narrow ? 1 : 0);
            double step = ((double)max - min) / (codes - 1);
            double zero = Math.Clamp(Math.Round(-min / step), 0, codes - 1);
            double tolerance = 2e-6 * (Math.Abs(min) + Math.Abs(max) + 1);
            for (int i = 0; i < x.Length; i++)
            {
                double code = (y[i] / step) + zero;
                Assert.True(Math.Abs(code - Math.Round(code)) * step <= tolerance, $"seed {seed}: {y[i]} is not on the grid");
                double limited = Math.Clamp(x[i], -zero * step, (codes - 1 - zero) * step);
                Assert.True(Math.Abs(y[i] - limited) <= (step / 2) + tolerance, $"seed {seed}: {x[i]} became {y[i]}");
            }

            bool spansZero = min <= 0 && max >= 0;
            Assert.True(!spansZero || Math.Abs(y[0]) <= tolerance, $"seed {seed}: 0 became {y[0]}");
        }
    }

    [Fact]
    public void Halves_go_away_from_the_lower_end() => Assert.Equal(
        [-1f, -1, 0, 0, 1, 1, 2, 2, -1],
        new OpCase(new FakeQuant(-1, 2, 2)).Input<float>(DType.F32, [9], -7, -0.75f, -0.5f, 0.25f, 0.5f, 1.25f, 1.5f, 9, float.NaN).Run<float>());

    [Fact]
    public void The_narrow_range_gives_up_the_lowest_code() => Assert.Equal(
        [-1f, 0, 0, 1],
        new OpCase(new FakeQuant(-1, 1, 2, NarrowRange: true)).Input<float>(DType.F32, [4], -3, -0.4f, 0.4f, 3).Run<float>());

    [Fact]
    public void The_empty_range_gives_zero() => Assert.Equal(
        [0f, 0], new OpCase(new FakeQuant(0, 0)).Input<float>(DType.F32, [2], -3, 3).Run<float>());

    [Theory]
    [InlineData(1, -1, 8)]
    [InlineData(1, 1, 8)]
    [InlineData(-1, 1, 1)]
    [InlineData(-1, 1, 17)]
    [InlineData(float.NaN, 1, 8)]
    [InlineData(-1, float.PositiveInfinity, 8)]
    [InlineData(-3e38f, 3e38f, 8)]
    [InlineData(0, 1e-44f, 16)]
    public void Refuses_what_is_no_range(float min, float max, int bits) => Assert.Throws<DiagnosticException>(
        () => new OpCase(new FakeQuant(min, max, bits)).Input<float>(DType.F32, [1], 1).Run<float>());

    [Fact]
    public void Attributes_survive_text_and_file()
    {
        FakeQuant op = new(-0.1f, 0.3f, 7, NarrowRange: true);
        Assert.Equal(op, OpCase.Reparse(op));
        TfLiteEncoding encoding = op.Write(new(new(new TensorType(DType.F32, [1])), []));
        Assert.Equal(2, encoding.Version);
        Assert.Equal(new FakeQuantOptions { Min = -0.1f, Max = 0.3f, NumBits = 7, NarrowRange = true }, encoding.Options);
        Assert.Equal(1, (op with { NarrowRange = false }).Write(new(new(new TensorType(DType.F32, [1])), [])).Version);
    }
}
