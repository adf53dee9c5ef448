using Optc.Formats;
using Optc.Formats.Npy;
using Optc.Formats.RawBin;
using Xunit;

namespace Optc.Tests.Unit.Formats.RawBin;

public sealed class RawBinFileTests
{
    private static readonly byte[] Bytes = [1, 0, 2, 0, 3, 0, 4, 0];

    [Fact]
    public void Elements_are_little_endian() =>
        Assert.Equal(NpyArray.Of<short>([1, 2, 3, 4], 2, 2), RawBinFile.Read(Bytes, NpyType.Int16, [2, 2]));

    [Fact]
    public void First_axis_may_be_left_open() =>
        Assert.Equal<int>([4, 1], RawBinFile.Read(Bytes, NpyType.Int16, [-1, 1]).Shape);

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(-1, 3)]
    [InlineData(-1, 0)]
    public void Length_must_fit(params int[] shape) =>
        Assert.Throws<MalformedDataException>(() => RawBinFile.Read(Bytes, NpyType.Int16, [.. shape]));

    [Theory]
    [InlineData(4, -1)]
    [InlineData(-2)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Other_negative_or_absurd_axes_are_the_callers_mistake(params int[] shape) =>
        Assert.Throws<ArgumentException>(() => RawBinFile.Read(Bytes, NpyType.Int16, [.. shape]));

    [Fact]
    public void Booleans_are_zero_or_one() => Assert.Equal(
        2, Assert.Throws<MalformedDataException>(() => RawBinFile.Read(Bytes, NpyType.Boolean, [8])).Offset);
}
