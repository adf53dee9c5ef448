using Optc.Formats.Npy;
using Xunit;

namespace Optc.Tests.Unit.Formats.Npy;

public sealed class NpyArrayTests
{
    [Fact]
    public void Elements_are_little_endian()
    {
        Assert.Equal([0x02, 0x01, 0x04, 0x03], NpyArray.Of<short>([0x0102, 0x0304], 2).Data.ToArray());
        Assert.Equal([0x0102, 0x0304], NpyArray.Of<short>([0x0102, 0x0304], 2).AsSpan<short>().ToArray());
    }

    [Fact]
    public void View_of_another_type_is_refused() =>
        Assert.Throws<InvalidOperationException>(() => NpyArray.Of<short>([1], 1).AsSpan<ushort>().Length);

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Shape_must_fit_the_data(params int[] shape) =>
        Assert.Throws<ArgumentException>(() => new NpyArray(NpyType.Int16, [.. shape], new byte[4]));

    [Fact]
    public void Booleans_are_zero_or_one() =>
        Assert.Throws<ArgumentException>(() => new NpyArray(NpyType.Boolean, [2], new byte[] { 1, 2 }));

    [Fact]
    public void Equality_is_by_content()
    {
        NpyArray array = NpyArray.Of<byte>([1, 2], 2);

        Assert.Equal(array, NpyArray.Of<byte>([1, 2], 2));
        Assert.Equal(array.GetHashCode(), NpyArray.Of<byte>([1, 2], 2).GetHashCode());
        Assert.NotEqual(array, NpyArray.Of<byte>([1, 3], 2));
        Assert.NotEqual(array, NpyArray.Of<byte>([1, 2], 2, 1));
        Assert.NotEqual(array, NpyArray.Of<sbyte>([1, 2], 2));
    }

    [Fact]
    public void Every_type_converts_to_float()
    {
        Assert.Equal([0, 1], NpyArray.Of([false, true], 2).ToSingles());
        Assert.Equal([-128, 127], NpyArray.Of<sbyte>([-128, 127], 2).ToSingles());
        Assert.Equal([0, 255], NpyArray.Of<byte>([0, 255], 2).ToSingles());
        Assert.Equal([-32768, 32767], NpyArray.Of<short>([-32768, 32767], 2).ToSingles());
        Assert.Equal([65535], NpyArray.Of<ushort>([65535], 1).ToSingles());
        Assert.Equal([-2147483648f], NpyArray.Of<int>([int.MinValue], 1).ToSingles());
        Assert.Equal([4294967296f], NpyArray.Of<uint>([uint.MaxValue], 1).ToSingles());
        Assert.Equal([9007199254740992.0], NpyArray.Of<long>([9007199254740993], 1).ToDoubles());
        Assert.Equal([18446744073709551616f], NpyArray.Of<ulong>([ulong.MaxValue], 1).ToSingles());
        Assert.Equal([0.5f, -65504f], NpyArray.Of<Half>([(Half)0.5, Half.MinValue], 2).ToSingles());
        Assert.Equal([0.1f], NpyArray.Of<float>([0.1f], 1).ToSingles());
        Assert.Equal([0.1f, float.PositiveInfinity], NpyArray.Of<double>([0.1, 1e300], 2).ToSingles());
    }

    [Fact]
    public void Labels_convert_exactly_or_not_at_all()
    {
        Assert.Equal([3, -4], NpyArray.Of<float>([3, -4], 2).ToInt32s());
        Assert.Equal([9007199254740993], NpyArray.Of<long>([9007199254740993], 1).ToInt64s());
        Assert.Throws<OverflowException>(() => NpyArray.Of<float>([0.5f], 1).ToInt32s());
        Assert.Throws<OverflowException>(() => NpyArray.Of<double>([double.NaN], 1).ToInt32s());
        Assert.Throws<OverflowException>(() => NpyArray.Of<double>([2147483648.0], 1).ToInt32s());
        Assert.Throws<OverflowException>(() => NpyArray.Of<uint>([uint.MaxValue], 1).ToInt32s());
    }

    [Fact]
    public void Rows_share_the_data()
    {
        NpyArray array = NpyArray.Of<byte>([1, 2, 3, 4, 5, 6], 3, 2);

        Assert.Equal(NpyArray.Of<byte>([3, 4, 5, 6], 2, 2), array.Rows(1, 2));
        Assert.Equal(NpyArray.Of<byte>([], 0, 2), array.Rows(3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Rows(2, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Rows(-1, 1));
        Assert.Throws<InvalidOperationException>(() => NpyArray.Of<byte>([1]).Rows(0, 1));
    }

    [Fact]
    public void Check_sum_is_that_of_zip() =>
        Assert.Equal(0xCBF43926u, Crc32.Append(Crc32.Append(0, "1234"u8), "56789"u8));
}
