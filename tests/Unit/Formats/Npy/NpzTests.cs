using System.IO.Compression;
using System.Security.Cryptography;
using Optc.Formats;
using Optc.Formats.Npy;
using Xunit;

namespace Optc.Tests.Unit.Formats.Npy;

public sealed class NpzTests
{
    private static readonly NpyArray X =
        NpyArray.Of<short>([.. Enumerable.Range(0, 3000).Select(i => (short)i)], 100, 10, 3);
    private static readonly NpyArray Y =
        NpyArray.Of<byte>([.. Enumerable.Range(0, 100).Select(i => (byte)i)], 100);
    private static readonly NpyArray Scalar = NpyArray.Of<double>([0.5]);

    public static TheoryData<NpzCompression> Compressions() => [NpzCompression.Stored, NpzCompression.Deflated];

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Reads_back_what_was_written(NpzCompression compression)
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(compression, ("x", X), ("a/y", Y), ("scalar", Scalar)));

        Assert.Equal(["x", "a/y", "scalar"], reader.Entries.Select(entry => entry.Name));
        Assert.Equal([6128, 228, 136], reader.Entries.Select(entry => entry.Length));
        Assert.Equal(X, reader.Read("x"));
        Assert.Equal(Y, reader.Read("a/y"));
        Assert.Equal(Scalar, reader.Read("scalar"));
        Assert.Equal<int>([100, 10, 3], reader.ReadHeader("x").Shape);
    }

    [Fact]
    public void Stored_archive_has_the_same_bytes_everywhere()
    {
        byte[] file = NpzFile.Write(NpzCompression.Stored, ("x", X), ("y", Y));

        // Python's zipfile makes these bytes too, where create_system and the upper half of external_attr are zero.
        Assert.Equal(
            "7fbba03de6c8cdb798ae0a42a98bcd46022ebe2eeef56e4367600768dc87ca14",
            Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    [Fact]
    public void Elements_of_a_stored_archive_are_stored()
    {
        byte[] file = NpzFile.Write(NpzCompression.Stored, ("x", X));

        Assert.True(file.AsSpan().IndexOf(NpyFile.Write(X)) > 0);
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Rows_of_two_arrays_are_read_in_turn(NpzCompression compression)
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(compression, ("x", X), ("y", Y)));
        using NpyRowReader xs = reader.OpenRows("x");
        using NpyRowReader ys = reader.OpenRows("y");

        Assert.Equal((NpyType.Int16, 100), (xs.Type, xs.Rows));
        while (ys.Position < ys.Rows)
        {
            int at = xs.Position;
            NpyArray x = xs.Read(7)!;
            NpyArray y = ys.Read(7)!;
            Assert.Equal(X.Rows(at, x.Shape[0]), x);
            Assert.Equal(Y.Rows(at, x.Shape[0]), y);
        }

        Assert.Null(xs.Read(7));
    }

    [Fact]
    public void Rows_can_be_skipped()
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(NpzCompression.Deflated, ("x", X)));
        using NpyRowReader rows = reader.OpenRows("x");

        rows.Skip(42);
        Assert.Equal(X.Rows(42, 1), rows.Read(1));
        rows.Skip(1000);
        Assert.Equal(100, rows.Position);
        Assert.Null(rows.Read(1));
    }

    [Fact]
    public void Batch_of_rows_is_all_that_is_held()
    {
        NpyArray large = new(NpyType.UInt8, [4096, 4096], new byte[4096 * 4096]);
        byte[] archive = NpzFile.Write(NpzCompression.Deflated, ("x", large));
        using NpzReader reader = NpzReader.Open(archive, maxBytes: 64 * 4096);
        using NpyRowReader rows = reader.OpenRows("x");

        Assert.Equal(64, rows.Batches(64).Count());

        using NpyRowReader again = reader.OpenRows("x");
        MalformedDataException batch = Assert.Throws<MalformedDataException>(() => again.Read(65));
        MalformedDataException whole = Assert.Throws<MalformedDataException>(() => reader.Read("x"));
        Assert.Equal("at most 262144 bytes at once", batch.Expected);
        Assert.Equal("an array of 16777216 bytes", whole.Found);
    }

    [Fact]
    public void Arrays_without_elements_have_rows_too()
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(
            NpzCompression.Deflated,
            ("wide", new NpyArray(NpyType.Float32, [int.MaxValue, 0], default)),
            ("none", new NpyArray(NpyType.Float32, [0, 5], default))));
        using NpyRowReader wide = reader.OpenRows("wide");
        using NpyRowReader none = reader.OpenRows("none");

        Assert.Equal<int>([int.MaxValue, 0], wide.Read(int.MaxValue)!.Shape);
        Assert.Null(none.Read(1));
        Assert.Equal<int>([0, 5], reader.Read("none").Shape);
    }

    [Fact]
    public void Scalar_has_no_rows()
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(NpzCompression.Stored, ("s", Scalar)));

        Assert.Equal("s > header.shape", Assert.Throws<MalformedDataException>(() => reader.OpenRows("s")).Path);
    }

    [Fact]
    public void Unknown_name_lists_the_known_ones()
    {
        using NpzReader reader = NpzReader.Open(NpzFile.Write(NpzCompression.Stored, ("x", X), ("y", Y)));

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => reader.Read("z"));

        Assert.Equal(("no array 'z'", "one of 'x', 'y'"), (refusal.Found, refusal.Expected));
    }

    [Fact]
    public void Files_that_are_no_arrays_are_not_listed()
    {
        byte[] archive = Zip(("readme.txt", [1]), ("x.npy", NpyFile.Write(Y)));
        using NpzReader reader = NpzReader.Open(archive);

        Assert.Equal("x", Assert.Single(reader.Entries).Name);
    }

    [Fact]
    public void Name_that_appears_twice_is_refused()
    {
        byte[] archive = Zip(("x.npy", NpyFile.Write(Y)), ("x.npy", NpyFile.Write(Scalar)));

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => NpzReader.Open(archive));

        Assert.Equal("two arrays named 'x'", refusal.Found);
    }

    [Fact]
    public void Changed_element_is_found_by_the_check_sum()
    {
        byte[] archive = NpzFile.Write(NpzCompression.Stored, ("x", X));
        int at = archive.AsSpan().IndexOf(NpyFile.Write(X)) + 128 + 77;
        archive[at] ^= 0x10;
        using NpzReader reader = NpzReader.Open(archive);

        using NpyRowReader rows = reader.OpenRows("x");
        rows.Skip(99);

        MalformedDataException whole = Assert.Throws<MalformedDataException>(() => reader.Read("x"));
        MalformedDataException lastRow = Assert.Throws<MalformedDataException>(() => rows.Read(1));

        Assert.Contains("check sum", whole.Found, StringComparison.Ordinal);
        Assert.Equal(whole.Found, lastRow.Found);
    }

    [Fact]
    public void Declared_length_beyond_what_deflate_can_hold_is_refused_before_it_is_allocated()
    {
        byte[] archive = NpzFile.Write(NpzCompression.Deflated, ("x", X));
        int directory = archive.AsSpan().LastIndexOf("PK\x01\x02"u8);
        BitConverter.GetBytes(0x3fffffff).CopyTo(archive, directory + 24);
        using NpzReader reader = NpzReader.Open(archive, maxBytes: int.MaxValue);

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => reader.Read("x"));

        Assert.StartsWith("1073741823 bytes declared for ", refusal.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Header_that_asks_for_more_than_the_entry_has_is_refused_before_it_is_inflated()
    {
        byte[] file = NpyFile.Write(new(NpyType.UInt8, [100], new byte[100]));
        int shape = file.AsSpan().IndexOf("(100,)"u8);
        "(999,)"u8.CopyTo(file.AsSpan(shape));
        using NpzReader reader = NpzReader.Open(Zip(("x.npy", file)));

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => reader.OpenRows("x"));

        Assert.Equal(("x > data", "100 bytes after the header"), (refusal.Path, refusal.Found));
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Damage_is_malformed_data_and_nothing_else(NpzCompression compression)
    {
        NpyArray array = NpyArray.Of<int>([.. Enumerable.Range(0, 60)], 20, 3);
        byte[] valid = NpzFile.Write(compression, ("x", array), ("y", Scalar));

        int refused = Mutations.Refused(valid, 5000, static archive =>
        {
            using NpzReader reader = NpzReader.Open(archive);
            foreach (NpzEntry entry in reader.Entries)
            {
                reader.Read(entry.Name);
                if (!reader.ReadHeader(entry.Name).Shape.IsEmpty)
                {
                    using NpyRowReader rows = reader.OpenRows(entry.Name);
                    rows.Skip(1);
                    _ = rows.Batches(7).Count();
                }
            }
        });

        Assert.InRange(refused, 1250, 5000);
    }

    private static byte[] Zip(params (string Name, byte[] Content)[] files)
    {
        using MemoryStream stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in files)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }
}
