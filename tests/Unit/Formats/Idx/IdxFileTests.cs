using System.IO.Compression;
using Optc.Formats;
using Optc.Formats.Idx;
using Optc.Formats.Npy;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.Idx;

public sealed class IdxFileTests
{
    [Fact]
    public void Elements_are_big_endian()
    {
        NpyArray array = IdxFile.Read([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe]);

        Assert.Equal<int>([1, 2], array.Shape);
        Assert.Equal([0x0102, -2], array.AsSpan<short>().ToArray());
    }

    [Theory]
    [InlineData(0x08, NpyType.UInt8)]
    [InlineData(0x09, NpyType.Int8)]
    [InlineData(0x0B, NpyType.Int16)]
    [InlineData(0x0C, NpyType.Int32)]
    [InlineData(0x0D, NpyType.Float32)]
    [InlineData(0x0E, NpyType.Float64)]
    public void Reads_back_every_type_plain_and_compressed(byte code, NpyType type)
    {
        byte[] data = new byte[6 * type.ByteSize()];
        new Random(2).NextBytes(data);
        NpyArray array = new(type, [2, 3], data);

        byte[] file = IdxFile.Write(array);

        Assert.Equal(code, file[2]);
        Assert.Equal(array, IdxFile.Read(file));
        Assert.Equal(array, IdxFile.Read(Compress(file)));
    }

    [Fact]
    public void Types_that_the_format_lacks_are_refused()
    {
        Assert.Throws<NotSupportedException>(() => IdxFile.Write(NpyArray.Of<long>([1], 1)));
        Assert.Equal(2, Assert.Throws<MalformedDataException>(() => IdxFile.Read([0, 0, 0x0A, 1, 0, 0, 0, 0])).Offset);
    }

    [Theory]
    [InlineData("", "magic")]
    [InlineData("00000801", "shape")]
    [InlineData("0100080100000000", "magic")]
    [InlineData("00000801000000020a", "shape")]
    [InlineData("00000801000000010a0b", "data")]
    [InlineData("0000080180000000", "shape")]
    [InlineData("000008037fffffff7fffffff7fffffff", "shape")]
    [InlineData("000008ff", "shape")]
    public void Says_where_a_file_is_wrong(string hex, string path) =>
        Assert.Equal(path, Assert.Throws<MalformedDataException>(() => IdxFile.Read(Convert.FromHexString(hex))).Path);

    [Fact]
    public void Absurd_length_in_a_compressed_file_is_refused_before_it_is_allocated()
    {
        byte[] file = Compress([0, 0, 8, 1, 0x3f, 0xff, 0xff, 0xff]);

        Assert.Equal("shape", Assert.Throws<MalformedDataException>(() => IdxFile.Read(file)).Path);
    }

    [Fact]
    public void Limit_is_kept()
    {
        byte[] file = Compress(IdxFile.Write(new(NpyType.UInt8, [1000, 1000], new byte[1000000])));

        Assert.Equal(1000000, IdxFile.Read(file, maxBytes: 1000000).Count);
        Assert.Throws<MalformedDataException>(() => IdxFile.Read(file, maxBytes: 999999));
    }

    [Fact]
    public void Damage_is_malformed_data_and_nothing_else()
    {
        byte[] file = IdxFile.Write(NpyArray.Of<int>([.. Enumerable.Range(0, 60)], 20, 3));
        Action<byte[]> read = static damaged => IdxFile.Read(damaged);

        int refused = Mutations.Refused(file, 2500, read) + Mutations.Refused(Compress(file), 2500, read);

        Assert.InRange(refused, 1250, 5000);
    }

    [SharedFact]
    public void Mnist_test_set_is_as_documented()
    {
        string folder = Path.Combine(SharedFolder.Path, "data", "mnist");
        NpyArray images = IdxFile.Read(File.ReadAllBytes(Path.Combine(folder, "t10k-images-idx3-ubyte.gz")));
        NpyArray labels = IdxFile.Read(File.ReadAllBytes(Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")));

        Assert.Equal("u1 (10000, 28, 28)", images.ToString());
        Assert.Equal("u1 (10000,)", labels.ToString());

        // The first ten labels of the well-known file, and its 980 zeros.
        Assert.Equal([7, 2, 1, 0, 4, 1, 4, 9, 5, 9], labels.ToInt32s()[..10]);
        Assert.Equal(980, labels.ToInt32s().Count(label => label == 0));
    }

    private static byte[] Compress(byte[] file)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(file);
        }

        return stream.ToArray();
    }
}
