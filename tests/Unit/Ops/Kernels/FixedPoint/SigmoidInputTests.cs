using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class SigmoidInputTests
{
    private const float TwoToMinus11 = 1f / 2048;
    private const float TwoToMinus12 = 1f / 4096;
    private const float TwoToMinus13 = 1f / 8192;

    [Theory]
    [InlineData(TwoToMinus12, 3, 0)]
    [InlineData(TwoToMinus12 * 1.0005f, 3, 0)] // within 1e-3 of a power of two
    [InlineData(TwoToMinus11, 24576, 12)]
    [InlineData(TwoToMinus13, 24576, 14)]
    [InlineData(1f, 24576, 1)]
    [InlineData(0.001f, 25165, 11)]
    [InlineData(4f, 49152, 0)]
    public void Scales_the_input_of_a_logistic_operator(float scale, int multiplier, int shift) =>
        Assert.Equal(new SigmoidInput(multiplier, shift), SigmoidInput.ForLogistic(scale));

    [Theory]
    [InlineData(TwoToMinus12, 3, 0)]
    [InlineData(TwoToMinus11, 6, 0)]
    [InlineData(TwoToMinus13, 24576, 14)]
    public void Scales_the_input_of_a_tanh_operator(float scale, int multiplier, int shift) =>
        Assert.Equal(new SigmoidInput(multiplier, shift), SigmoidInput.ForTanh(scale));

    [Theory]
    [InlineData(TwoToMinus12, 3, 0)]
    [InlineData(TwoToMinus11, 6, 0)]
    [InlineData(TwoToMinus13, 3, 1)]
    [InlineData(1f / 32768, 3, 3)]
    [InlineData(1.1f / 32768, 3, 3)]
    public void Scales_the_cell_state(float scale, int multiplier, int shift) =>
        Assert.Equal(new SigmoidInput(multiplier, shift), SigmoidInput.ForCellState(scale));

    [Theory]
    [InlineData(3, 0, 100, 300)]
    [InlineData(3, 1, 1, 2)]
    [InlineData(3, 1, -1, -1)]
    [InlineData(24576, 14, -32768, -49152)]
    public void Rounds_halves_up(int multiplier, int shift, short x, int expected) =>
        Assert.Equal(expected, new SigmoidInput(multiplier, shift).Scale(x));

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Rejects_what_is_no_scale(float scale)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SigmoidInput.ForLogistic(scale));
        Assert.Throws<ArgumentOutOfRangeException>(() => SigmoidInput.ForTanh(scale));
        Assert.Throws<ArgumentOutOfRangeException>(() => SigmoidInput.ForCellState(scale));
    }

    [Fact]
    public void Stops_doubling_a_tiny_scale() => Assert.Equal(31, SigmoidInput.ForLogistic(1e-30f).Shift);
}
