using System.Collections.Immutable;
using System.Text;
using Optc.Formats;
using Optc.Formats.Npy;
using Xunit;

namespace Optc.Tests.Unit.Formats.Npy;

public sealed class NpyFileTests
{
    public static TheoryData<NpyType> Types() => [.. Enum.GetValues<NpyType>()];

    [Fact]
    public void Writes_the_header_that_numpy_writes()
    {
        byte[] file = NpyFile.Write(NpyArray.Of<float>([1, 2, 3, 4, 5, 6], 2, 3));

        // numpy.save of float32 (2, 3): 118 bytes of header text, padded so that the elements begin at byte 128.
        string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".PadRight(117) + "\n";
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(text)], file[..128]);
        Assert.Equal([0, 0, 0x80, 0x3f], file[128..132]);
        Assert.Equal(128 + 24, file.Length);
    }

    [Theory]
    [InlineData("()")]
    [InlineData("(7,)", 7)]
    [InlineData("(0,)", 0)]
    [InlineData("(2, 0, 3)", 2, 0, 3)]
    public void Spells_shapes_like_a_Python_tuple(string expected, params int[] shape)
    {
        int count = shape.Aggregate(1, (product, axis) => product * axis);
        byte[] file = NpyFile.Write(new(NpyType.UInt8, [.. shape], new byte[count]));

        Assert.Contains($"'shape': {expected}, }}", Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Equal<int>(shape, NpyFile.Read(file).Shape);
    }

    [Fact]
    public void Leaves_room_for_the_first_axis_to_grow()
    {
        // 104 characters after 10 bytes would end before byte 128; with 20 spare ones for the first axis they do not.
        byte[] file = NpyFile.Write(new(NpyType.UInt8, [.. Enumerable.Repeat(1, 17)], new byte[1]));

        Assert.Equal(192 + 1, file.Length);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Reads_back_every_type_in_both_byte_orders_and_layouts(NpyType type)
    {
        byte[] data = new byte[2 * 3 * 4 * type.ByteSize()];
        new Random(1).NextBytes(data);
        if (type == NpyType.Boolean)
        {
            Array.ForEach([.. Enumerable.Range(0, data.Length)], i => data[i] &= 1);
        }

        NpyArray array = new(type, [2, 3, 4], data);

        Assert.Equal(array, NpyFile.Read(NpyFile.Write(array)));
        foreach (bool bigEndian in new[] { false, true })
        {
            foreach (bool fortran in new[] { false, true })
            {
                Assert.Equal(array, NpyFile.Read(Foreign(array, bigEndian, fortran)));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reads_all_versions(byte version)
    {
        byte[] file = WithHeader("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", [8, 9], version);

        Assert.Equal(NpyArray.Of<byte>([8, 9], 2), NpyFile.Read(file));
    }

    [Theory]
    [InlineData("{'descr':'|u1','fortran_order':False,'shape':(2,)}")]
    [InlineData("  { \"shape\" : ( 2 , ) , 'fortran_order' : False , \"descr\" : \"u1\" , }  \t\n")]
    [InlineData("{'shape': (2L,), 'descr': '<u1', 'fortran_order': True}")]
    [InlineData("{'shape': (1, 2), 'descr': '>u1', 'fortran_order': False}")]
    [InlineData("{'shape': (1, 2, ), 'descr': '>u1', 'fortran_order': False}")]
    public void Accepts_other_spellings_of_the_same(string header) =>
        Assert.Equal([8, 9], NpyFile.Read(WithHeader(header, [8, 9])).AsSpan<byte>().ToArray());

    [Theory]
    [InlineData("", "header", "the end of the header")]
    [InlineData("{}", "header", "no key 'descr'")]
    [InlineData("{'descr': '|u1', 'shape': (2,)}", "header", "no key 'fortran_order'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False}", "header", "no key 'shape'")]
    [InlineData("{'descr': '|u1', 'descr': '|u1'}", "header", "the key 'descr'")]
    [InlineData("{'descr': '|u1', 'extra': 1}", "header", "the key 'extra'")]
    [InlineData("{'descr': '|u1' 'shape': (2,)}", "header", "''shape': (2,)}'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x", "header", "'x'")]
    [InlineData("{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}", "header.fortran_order", "'0, 'shape': (2,)'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': 2}", "header.shape", "'2}'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2)}", "header.shape", "')}'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}", "header.shape", "'-2,)}'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (02,)}", "header.shape", "'02,)}'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2147483648,)}", "header.shape", "an axis beyond 2147483647")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", "header.descr", "'<c8' (complex numbers)")]
    [InlineData("{'descr': '<U4', 'fortran_order': False, 'shape': (2,)}", "header.descr", "'<U4' (strings)")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "header.descr", "'|O' (pickled Python objects)")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False}", "header.descr", "a structured type with named fields")]
    [InlineData("{'descr': 'f4', 'fortran_order': False, 'shape': ()}", "header.descr", "'f4', without a byte order")]
    [InlineData("{'descr': '<f16', 'fortran_order': False, 'shape': ()}", "header.descr", "'<f16'")]
    [InlineData("{'descr': '|u1", "header.descr", "a string that does not end or has escapes or other characters")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "data", "2 bytes after the header")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "data", "2 bytes after the header")]
    [InlineData("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "data", "a boolean of 8")]
    public void Says_where_and_what_it_refuses(string header, string path, string found)
    {
        MalformedDataException refusal =
            Assert.Throws<MalformedDataException>(() => NpyFile.Read(WithHeader(header, [8, 9])));

        Assert.Equal(path, refusal.Path);
        Assert.Equal(found, refusal.Found);
    }

    [Theory]
    [InlineData("(2147483647, 2147483647, 2147483647)")]
    [InlineData("(0, 2147483647, 2147483647, 2147483647)")]
    [InlineData("(2147483647, 2147483647, 2147483647, 2147483647, 0)")]
    [InlineData("(4294967296, 4294967296)")]
    public void Absurd_shapes_are_refused_before_anything_is_allocated(string shape)
    {
        byte[] file = WithHeader($"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}", []);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<MalformedDataException>(() => NpyFile.Read(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void More_axes_than_numpy_allows_are_refused()
    {
        string axes = string.Concat(Enumerable.Repeat("1, ", 65));

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(
            () => NpyFile.Read(WithHeader($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({axes})}}", [1])));

        Assert.Equal("at most 64 axes", refusal.Expected);
    }

    [Fact]
    public void Header_that_leaves_the_file_is_refused()
    {
        byte[] file = NpyFile.Write(NpyArray.Of<byte>([1], 1));
        file[8] = 0xff;
        file[9] = 0xff;

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(() => NpyFile.Read(file));

        Assert.Equal(("header length", 8, "a header of 65535 bytes"), (refusal.Path, refusal.Offset, refusal.Found));
    }

    [Fact]
    public void Fortran_order_is_the_transpose()
    {
        // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]) is stored as 1 4 2 5 3 6.
        byte[] file = WithHeader("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}", [1, 4, 2, 5, 3, 6]);

        Assert.Equal([1, 2, 3, 4, 5, 6], NpyFile.Read(file).AsSpan<sbyte>().ToArray());
    }

    [Fact]
    public void Little_endian_elements_are_not_copied()
    {
        byte[] file = NpyFile.Write(NpyArray.Of<int>([1, 2], 2));
        NpyArray array = NpyFile.Read(file);

        file[^4] = 9;

        Assert.Equal([1, 9], array.AsSpan<int>().ToArray());
    }

    [Fact]
    public void Damage_is_malformed_data_and_nothing_else()
    {
        NpyArray array = NpyArray.Of<short>([1, 2, 3, 4, 5, 6], 2, 3);
        Action<byte[]> read = static file => NpyFile.Read(file);

        int refused = Mutations.Refused(NpyFile.Write(array), 5000, read)
            + Mutations.Refused(Foreign(array, bigEndian: true, fortran: true), 5000, read);

        Assert.InRange(refused, 5000, 10000);
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(5, 5)]
    [InlineData(5, 100)]
    public void Rows_of_a_file_come_in_batches(int rows, int batch)
    {
        NpyArray array = NpyArray.Of<int>([.. Enumerable.Range(0, rows * 3)], rows, 3);
        foreach (byte[] file in (byte[][])[NpyFile.Write(array), Foreign(array, bigEndian: true, fortran: true)])
        {
            string path = Path.GetTempFileName();
            try
            {
                File.WriteAllBytes(path, file);
                using NpyRowReader reader = NpyFile.OpenRows(path);
                List<int> all = [];
                foreach (NpyArray part in reader.Batches(batch))
                {
                    Assert.Equal<int>([Math.Min(batch, rows - (all.Count / 3)), 3], part.Shape);
                    all.AddRange(part.AsSpan<int>().ToArray());
                }

                Assert.Equal(Enumerable.Range(0, rows * 3), all);
                Assert.Equal(rows, reader.Position);
                Assert.Null(reader.Read(1));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    private static byte[] WithHeader(string header, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.Latin1.GetBytes(header);
        byte[] length = version == 1
            ? BitConverter.GetBytes((ushort)text.Length)
            : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }

    /// <summary>The same array as another program may store it, element by element.</summary>
    private static byte[] Foreign(NpyArray array, bool bigEndian, bool fortran)
    {
        int size = array.Type.ByteSize();
        ImmutableArray<int> shape = array.Shape;
        byte[] data = new byte[array.Data.Length];
        for (int c = 0; c < array.Count; c++)
        {
            int rest = c;
            int f = 0;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                f += rest % shape[axis] * shape.Take(axis).Aggregate(1, (product, length) => product * length);
                rest /= shape[axis];
            }

            Span<byte> element = data.AsSpan((fortran ? f : c) * size, size);
            array.Data.Span.Slice(c * size, size).CopyTo(element);
            if (bigEndian)
            {
                element.Reverse();
            }
        }

        string order = size == 1 ? "|" : bigEndian ? ">" : "<";
        return WithHeader(
            $"{{'descr': '{order}{array.Type.Code()}', 'fortran_order': {(fortran ? "True" : "False")}, "
            + $"'shape': ({string.Join(", ", shape)}), }}\n",
            data);
    }
}
