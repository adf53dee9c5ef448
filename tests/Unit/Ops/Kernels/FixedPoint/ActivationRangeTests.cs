using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class ActivationRangeTests
{
    [Theory]
    [InlineData(FusedActivation.None, 0.1f, 5, -128, 127)]
    [InlineData(FusedActivation.Relu, 0.1f, 5, 5, 127)]
    [InlineData(FusedActivation.Relu6, 0.1f, 5, 5, 65)]
    [InlineData(FusedActivation.Relu6, 0.01f, 5, 5, 127)]
    [InlineData(FusedActivation.ReluN1To1, 0.1f, 5, -5, 15)]
    [InlineData(FusedActivation.Tanh, 0.1f, 5, -128, 127)]
    [InlineData(FusedActivation.SignBit, 0.1f, 5, -128, 127)]
    [InlineData(FusedActivation.Relu6, 4f, 0, 0, 2)] // 1.5 goes away from zero
    [InlineData(FusedActivation.ReluN1To1, 0.4f, 0, -3, 3)] // and so does -2.5
    [InlineData(FusedActivation.Relu6, 1e-30f, 127, 127, 127)]
    [InlineData(FusedActivation.Relu, 1f, 300, 300, 127)]
    public void Narrows_the_type(FusedActivation activation, float scale, int zeroPoint, int low, int high) =>
        Assert.Equal(
            new ActivationRange(low, high),
            ActivationRange.Of(activation, scale, zeroPoint, ActivationRange.Int8));

    [Theory]
    [InlineData(-200, -128)]
    [InlineData(4, 4)]
    [InlineData(200, 127)]
    public void Limits_values(int value, int expected) => Assert.Equal(expected, ActivationRange.Int8.Clamp(value));

    [Fact]
    public void Lets_the_upper_end_of_an_empty_range_win() => Assert.Equal(127, new ActivationRange(300, 127).Clamp(0));

    [Fact]
    public void Numbers_activations_as_the_file_format_does() =>
        Assert.Equal(
            [0, 1, 2, 3, 4, 5],
            ((FusedActivation[])[
                FusedActivation.None, FusedActivation.Relu, FusedActivation.ReluN1To1,
                FusedActivation.Relu6, FusedActivation.Tanh, FusedActivation.SignBit,
            ]).Select(activation => (int)activation));
}
