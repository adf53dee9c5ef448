using System.Buffers.Binary;
using Optc.Formats.FlatBuffers;
using Xunit;

namespace Optc.Tests.Unit.Formats.FlatBuffers;

public sealed class FlatBufferWriterTests
{
    [Fact]
    public void A_table_is_laid_out_as_the_format_says()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset text = writer.String("hi");
        writer.Add(0, (byte)7);
        writer.Add(1, text);
        writer.Add(3, (short)-2);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        byte[] expected =
        [
            20, 0, 0, 0, // root table at 20
            (byte)'T', (byte)'E', (byte)'S', (byte)'T',
            12, 0, 12, 0, 5, 0, 8, 0, 0, 0, 6, 0, // vtable: 12 bytes for 12; slots 0, 1 and 3
            12, 0, 0, 0, // table: its vtable is 12 bytes before
            0, 7, 0xfe, 0xff, // padding, slot 0, slot 3
            4, 0, 0, 0, // slot 1: string 4 bytes ahead
            2, 0, 0, 0, (byte)'h', (byte)'i', 0, 0,
        ];
        Assert.Equal(expected, file);
    }

    [Fact]
    public void Defaults_are_left_out()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        writer.Add(0, 5, absent: 5);
        writer.Add(1, 0);
        writer.Add(2, false, absent: true);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        FlatBufferReader reader = new(file);
        (int, int, bool) read = reader.ReadRoot("Root", "TEST", table =>
            (table.Scalar(0, "a", 99), table.Scalar(1, "b", 98), table.Bool(2, "c", absent: true)));
        Assert.Equal((99, 98, false), read);
    }

    [Fact]
    public void Equal_vtables_are_shared()
    {
        FlatBufferWriter writer = new(shareEqual: false);
        FlatOffset tables = writer.TableVector([1, 2, 3], (writer, value) =>
        {
            writer.Add(0, value);
            return writer.FinishTable();
        });
        writer.Add(1, tables);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        // head 8, root vtable 8 + 2 padding, root 8, vector 4 + 3 * 4, one vtable 6, three tables of 8
        Assert.InRange(file.Length, 72, 76);
        Assert.Equal([1, 2, 3], new FlatBufferReader(file).ReadRoot("Root", "TEST", root =>
            root.TableVector(1, "t", table => (object)table.Scalar<int>(0, "v")).Cast<int>()));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void Equal_vectors_are_shared_on_request(bool share, int copies)
    {
        FlatBufferWriter writer = new(share);
        FlatOffset first = writer.Vector<int>([0x11223344, 0x55667788]);
        FlatOffset second = writer.Vector<int>([0x11223344, 0x55667788]);
        writer.Add(0, first);
        writer.Add(1, second);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        Assert.Equal(copies, Count(file, [0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55]));
    }

    [Fact]
    public void Strings_and_vectors_of_equal_bytes_are_not_mixed_up()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset bytes = writer.ByteVector("abc"u8.ToArray());
        FlatOffset text = writer.String("abc");
        FlatOffset long64 = writer.Vector<long>([1]);
        FlatOffset int32 = writer.Vector<int>([1, 0]);

        Assert.Equal(4, new HashSet<FlatOffset> { bytes, text, long64, int32 }.Count);
    }

    [Fact]
    public void Equal_tables_are_shared_bottom_up()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset Leaf(int value, string name)
        {
            FlatOffset text = writer.String(name);
            writer.Add(0, value);
            writer.Add(1, text);
            return writer.FinishTable();
        }

        FlatOffset Owner(FlatOffset child)
        {
            writer.Add(0, child);
            return writer.FinishTable();
        }

        Assert.Equal(Owner(Leaf(5, "a")), Owner(Leaf(5, "a")));
        Assert.NotEqual(Leaf(5, "a"), Leaf(6, "a"));
        Assert.NotEqual(Leaf(5, "a"), Leaf(5, "b"));
        Assert.NotEqual(Owner(Leaf(5, "a")), Owner(Leaf(5, "b")));
    }

    /// <summary>Equal bits are not equal fields: an offset, a number of another size, another slot.</summary>
    [Fact]
    public void Tables_that_differ_are_never_merged()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset text = writer.String("target");
        HashSet<FlatOffset> tables = [];
        foreach (Action add in (Action[])[
            () => writer.Add(0, text),
            () => writer.Add(0, text.FromEnd),
            () => writer.Add(0, (long)text.FromEnd),
            () => writer.Add(0, (byte)text.FromEnd),
            () => writer.Add(1, text.FromEnd),
            () => writer.Add(2, text),
            () => { }])
        {
            add();
            tables.Add(writer.FinishTable());
        }

        Assert.Equal(7, tables.Count);
    }

    [Fact]
    public void Lists_of_tables_and_numbers_of_equal_bytes_are_not_merged()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            FlatBufferWriter writer = new(shareEqual: true);
            List<(FlatOffset Place, int[] Numbers, bool IsList)> written = [];
            FlatOffset[] tables = [.. Enumerable.Range(1, 4).Select(i =>
            {
                writer.Add(0, i);
                return writer.FinishTable();
            })];
            for (int n = 0; n < 100; n++)
            {
                FlatOffset[] targets = [.. Enumerable.Range(0, random.Next(4)).Select(_ => tables[random.Next(4)])];
                int[] numbers = [.. targets.Select(t => t.FromEnd)];
                bool isList = random.Next(2) == 0;
                FlatOffset place = isList ? writer.TableVector([.. targets], (_, t) => t) : writer.Vector<int>([.. numbers]);
                written.Add((place, numbers, isList));
            }

            foreach (((FlatOffset Place, int[] Numbers, bool IsList) a, (FlatOffset Place, int[] Numbers, bool IsList) b) in written.SelectMany(a => written.Select(b => (a, b))))
            {
                bool isSame = a.Numbers.SequenceEqual(b.Numbers) && (a.IsList == b.IsList || a.Numbers.Length == 0);
                Assert.Equal(isSame, a.Place == b.Place);
            }
        }
    }

    /// <summary>Beyond 2,048 bytes only samples are hashed.</summary>
    [Fact]
    public void Large_data_that_differ_in_one_byte_are_not_merged()
    {
        byte[] data = new byte[100_000];
        new Random(1).NextBytes(data);
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset first = writer.ByteVector(data);

        Assert.Equal(first, writer.ByteVector(data.ToArray()));
        for (int i = 0; i < data.Length; i += 997)
        {
            byte[] other = data.ToArray();
            other[i] ^= 1;
            Assert.NotEqual(first, writer.ByteVector(other));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void Gaps_are_filled_and_everything_is_read_back(int smallestRest)
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            FlatBufferWriter writer = new(shareEqual: true, smallestRest: smallestRest);
            byte[][] data = [.. Enumerable.Range(0, 8).Select(_ => new byte[random.Next(1, 60)])];
            long[][] longs = [.. Enumerable.Range(0, 8).Select(_ => new long[random.Next(0, 3)])];
            Array.ForEach(data, random.NextBytes);
            Array.ForEach(longs, l => Array.ForEach([.. Enumerable.Range(0, l.Length)], i => l[i] = random.Next(3)));
            FlatOffset[] aligned = [.. data.Select(d => writer.ByteVector(d, alignment: 16))];
            FlatOffset[] numbers = [.. longs.Select(l => writer.Vector<long>([.. l]))];
            for (int i = 0; i < 8; i++)
            {
                writer.Add(i, aligned[i]);
                writer.Add(8 + i, numbers[i]);
            }

            byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

            Assert.All(aligned, a => Assert.Equal(0, (file.Length - a.FromEnd + 4) % 16));
            Assert.All(numbers, n => Assert.Equal(0, (file.Length - n.FromEnd + 4) % 8));
            new FlatBufferReader(file).ReadRoot("Root", "TEST", root =>
            {
                for (int i = 0; i < 8; i++)
                {
                    Assert.Equal(data[i], root.ByteVector(i, "d").ToArray());
                    Assert.Equal(longs[i], root.Vector<long>(8 + i, "l").ToArray());
                }

                return 0;
            });
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(100_003)]
    public void Data_stands_on_the_alignment_asked_for(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset odd = writer.String("x");
        FlatOffset vector = writer.ByteVector(data, alignment: 16);
        FlatOffset longs = writer.Vector<long>([1, 2]);
        writer.Add(0, odd);
        writer.Add(1, vector);
        writer.Add(2, longs);
        writer.Add(3, 0.5);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        Assert.Equal(0, file.Length % 16);
        Assert.Equal(0, (file.Length - vector.FromEnd + 4) % 16);
        Assert.Equal(0, (file.Length - longs.FromEnd + 4) % 8);
        FlatBufferReader reader = new(file);
        Assert.Equal(data, reader.ReadRoot("Root", "TEST", root => root.ByteVector(1, "data")).ToArray());
        long[] read = new FlatBufferReader(file).ReadRoot("Root", "TEST", root => root.Vector<long>(2, "l").ToArray());
        Assert.Equal([1L, 2L], read);
        Assert.Equal(0.5, new FlatBufferReader(file).ReadRoot("Root", "TEST", root => root.Scalar<double>(3, "d")));
    }

    [Fact]
    public void Large_data_is_referenced_until_it_is_written_out()
    {
        byte[] data = new byte[4096];
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset vector = writer.ByteVector(data);
        writer.Add(0, vector);
        FlatBufferContent content = writer.Finish(writer.FinishTable(), "TEST");

        data[17] = 99;

        byte[] file = content.ToArray();
        Assert.Equal(content.Length, file.Length);
        Assert.Equal(99, file[file.Length - vector.FromEnd + 4 + 17]);
    }

    [Fact]
    public void A_table_without_fields_has_four_bytes()
    {
        FlatBufferWriter writer = new(shareEqual: true);

        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        Assert.Equal(16, file.Length);
        Assert.Equal(12u, BinaryPrimitives.ReadUInt32LittleEndian(file));
        Assert.Equal(4, BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12)));
    }

    private static int Count(ReadOnlySpan<byte> file, ReadOnlySpan<byte> pattern)
    {
        int count = 0;
        for (int place = file.IndexOf(pattern); place >= 0; place = file.IndexOf(pattern))
        {
            count++;
            file = file[(place + 1)..];
        }

        return count;
    }
}
