using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Ir;

public sealed class CodableWeightsTests
{
    [Fact]
    public void Signed_bytes_are_codes() =>
        Assert.Equal([-128, 0, 127], CodableWeights.Of(new(DType.I8, Shape.Of([3]), new byte[] { 0x80, 0, 0x7f }), new(0.5f, 0))!);

    [Fact]
    public void Zero_points_are_taken_off_channel_by_channel() => Assert.Equal(
        [0 - 10, 255 - 20, 10 - 10, 20 - 20],
        CodableWeights.Of(new(DType.U8, Shape.Of([2, 2]), new byte[] { 0, 255, 10, 20 }), new([1, 1], [10, 20], Axis: 1))!);

    [Fact]
    public void Four_bits_have_the_low_nibble_first() => Assert.Equal(
        [1, -8, -1], CodableWeights.Of(new(DType.I4, Shape.Of([3]), new byte[] { 0x81, 0x0f }), new(0.5f, 0))!);

    [Fact]
    public void Other_types_and_zero_points_have_no_codes()
    {
        Assert.Null(CodableWeights.Of(TensorData.Scalar(1f), null));
        Assert.Null(CodableWeights.Of(new(DType.I8, Shape.Of([1]), new byte[] { 0x80 }), new(1, 200)));
        Assert.Null(CodableWeights.Of(new(DType.I8, Shape.Of([1]), new byte[] { 0 }), new(1, 100000)));
    }
}
