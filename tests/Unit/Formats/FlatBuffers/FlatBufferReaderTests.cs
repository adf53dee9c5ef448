using System.Buffers.Binary;
using Optc.Formats;
using Optc.Formats.FlatBuffers;
using Xunit;

namespace Optc.Tests.Unit.Formats.FlatBuffers;

public sealed class FlatBufferReaderTests
{
    private const int Root = 20;
    private const int Vtable = 8;
    private const int TextField = 28;
    private const int Text = 32;

    /// <summary>Laid out in <c>A_table_is_laid_out_as_the_format_says</c>.</summary>
    private static byte[] Sample()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset text = writer.String("hi");
        writer.Add(0, (byte)7);
        writer.Add(1, text);
        writer.Add(3, (short)-2);
        return writer.Finish(writer.FinishTable(), "TEST").ToArray();
    }

    private static (int Small, string? Text, int Number) Read(byte[] file) =>
        new FlatBufferReader(file).ReadRoot("Root", "TEST", table =>
            (table.Scalar<byte>(0, "small"), table.String(1, "text"), table.Scalar<short>(3, "number")));

    [Fact]
    public void A_sample_is_read() => Assert.Equal<(int, string?, int)>((7, "hi", -2), Read(Sample()));

    [Fact]
    public void No_alignment_is_assumed()
    {
        byte[] file = [.. Sample().AsSpan(0, 8), 0xaa, .. Sample().AsSpan(8)];
        file[0]++;

        Assert.Equal<(int, string?, int)>((7, "hi", -2), Read(file));
    }

    [Theory]
    [InlineData(0, 0u, "Root")] // the root is no object
    [InlineData(0, 40u, "Root")] // at the end of the file
    [InlineData(0, 0xfffffff0u, "Root")] // never negative
    [InlineData(Root, 0x7fffffffu, "Root")] // vtable in front of the file
    [InlineData(Root, 0x80000000u, "Root")] // vtable far behind the file
    [InlineData(Root, 0xffffffedu, "Root")] // vtable at the last byte
    [InlineData(Vtable, 0x000c0002u, "Root")] // vtable too short
    [InlineData(Vtable, 0x000c0005u, "Root")] // vtable of an odd length
    [InlineData(Vtable, 0x000cfffeu, "Root")] // vtable too long
    [InlineData(Vtable, 0x0002000cu, "Root")] // table too short
    [InlineData(Vtable, 0x0100000cu, "Root")] // table too long
    [InlineData(Vtable + 4, 0x00080003u, "Root.small")] // field over the vtable offset
    [InlineData(Vtable + 4, 0x0008000cu, "Root.small")] // field behind the table
    [InlineData(Vtable + 4, 0x00090005u, "Root.text")] // field half behind the table
    [InlineData(TextField, 0u, "Root.text")]
    [InlineData(TextField, 12u, "Root.text")]
    [InlineData(TextField, 9u, "Root.text")] // the length itself is cut off
    [InlineData(Text, 5u, "Root.text")] // longer than the file
    [InlineData(Text, 4u, "Root.text")] // no room for the zero byte
    [InlineData(Text, 1u, "Root.text")] // no zero byte
    [InlineData(Text, 0xffffffffu, "Root.text")]
    public void A_wrong_number_is_refused_with_its_place(int position, uint value, string path)
    {
        byte[] file = Sample();
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(position), value);

        Assert.Equal(path, Assert.Throws<MalformedDataException>(() => Read(file)).Path);
    }

    [Fact]
    public void Endless_nesting_is_refused()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset inner = default;
        for (int i = 0; i < 100; i++)
        {
            writer.Add(0, inner);
            inner = writer.FinishTable();
        }

        byte[] file = writer.Finish(inner, "TEST").ToArray();

        MalformedDataException error = Assert.Throws<MalformedDataException>(
            () => new FlatBufferReader(file).ReadRoot("Root", "TEST", Descend));

        Assert.Equal($"at most {FlatBufferReader.MaximumDepth} levels", error.Expected);
        static object Descend(FlatTable table) => table.Table(0, "inner", Descend) ?? "end";
    }

    [Fact]
    public void Equal_vectors_of_a_file_are_one_object()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset first = writer.Vector<int>([1, 2, 3]);
        FlatOffset second = writer.Vector<int>([1, 2, 3]);
        writer.Add(0, first);
        writer.Add(1, second);
        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        bool isShared = new FlatBufferReader(file).ReadRoot("Root", "TEST", table =>
            table.Vector<int>(0, "a") == table.Vector<int>(1, "b"));

        Assert.True(isShared);
    }

    [Fact]
    public void Booleans_other_than_one_are_true()
    {
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset vector = writer.ByteVector(new byte[] { 0, 1, 2, 255 });
        writer.Add(0, vector);
        writer.Add(1, (byte)4);
        byte[] file = writer.Finish(writer.FinishTable(), "TEST").ToArray();

        FlatBufferReader reader = new(file);
        bool[] read = reader.ReadRoot("Root", "TEST", table => table.BoolVector(0, "v").ToArray());
        Assert.Equal([false, true, true, true], read);
        Assert.True(new FlatBufferReader(file).ReadRoot("Root", "TEST", table => table.Bool(1, "b")));
    }
}
