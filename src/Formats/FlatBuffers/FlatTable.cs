using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Optc.Formats.FlatBuffers;

/// <summary>A table of a FlatBuffer, whose vtable and inline bytes lie inside of the file.</summary>
/// <remarks>
/// Every accessor takes the slot number of the schema and the field's name there, which only messages use. A field that
/// is absent gives the default of a scalar, null for a string or table, and no elements for a vector.
/// </remarks>
internal readonly struct FlatTable(
    FlatBufferReader reader, int position, int vtable, int vtableSize, int inlineSize, FlatPath path, int depth)
{
    /// <summary>Bytes of a vtable before the first slot.</summary>
    public const int FirstSlot = 2 * sizeof(ushort);

    private const int OffsetSize = sizeof(uint);

    public FlatBufferReader Reader => reader;

    public int Position => position;

    public FlatPath Path => path;

    /// <summary>Notes the fields that the schema does not know.</summary>
    /// <param name="table">Name of the table in the schema.</param>
    /// <param name="known">How many slots the schema knows.</param>
    public FlatTable Expect(string table, int known)
    {
        for (int slot = known; FirstSlot + (slot * sizeof(ushort)) < vtableSize; slot++)
        {
            if (reader.Scalar<ushort>(vtable + FirstSlot + (slot * sizeof(ushort)), path) != 0)
            {
                reader.ReportUnknownField(table, slot);
            }
        }

        return this;
    }

    public T Scalar<T>(int slot, string name, T absent = default)
        where T : unmanaged =>
        Locate(slot, name, Unsafe.SizeOf<T>()) is int place ? reader.Scalar<T>(place, path) : absent;

    public bool Bool(int slot, string name, bool absent = false) =>
        Locate(slot, name, sizeof(byte)) is int place ? reader.Scalar<byte>(place, path) != 0 : absent;

    public string? String(int slot, string name)
    {
        if (Target(slot, name) is not (int target, FlatPath field))
        {
            return null;
        }

        FlatBufferReader from = reader;
        (int first, int count) = from.Vector(target, sizeof(byte), field);
        if (from.Scalar<byte>((long)first + count, field) != 0)
        {
            throw new MalformedDataException(
                (long)first + count, field.ToString(), "a string that goes on", "a zero byte at its end");
        }

        from.TraceTerminator(first + count, field);
        return from.Shared(target, (long)OffsetSize + count + 1, field,
            () => FlatString.Decode(from.File.Span.Slice(first, count)));
    }

    public ReadOnlyMemory<byte> ByteVector(int slot, string name)
    {
        if (Target(slot, name) is not (int target, FlatPath field))
        {
            return default;
        }

        FlatBufferReader from = reader;
        (int first, int count) = from.Vector(target, sizeof(byte), field);
        return from.Shared(target, (long)OffsetSize + count, field, () => from.File.Slice(first, count));
    }

    public ImmutableArray<T> Vector<T>(int slot, string name)
        where T : unmanaged
    {
        if (Target(slot, name) is not (int target, FlatPath field))
        {
            return [];
        }

        FlatBufferReader from = reader;
        (int first, int count) = from.Vector(target, Unsafe.SizeOf<T>(), field);
        return from.Shared(target, OffsetSize + ((long)count * Unsafe.SizeOf<T>()), field,
            () => from.Numbers<T>(first, count));
    }

    public ImmutableArray<bool> BoolVector(int slot, string name)
    {
        if (Target(slot, name) is not (int target, FlatPath field))
        {
            return [];
        }

        FlatBufferReader from = reader;
        (int first, int count) = from.Vector(target, sizeof(byte), field);
        return from.Shared<ImmutableArray<bool>>(target, (long)OffsetSize + count, field, () =>
        {
            bool[] elements = new bool[count];
            ReadOnlySpan<byte> bytes = from.File.Span.Slice(first, count);
            for (int i = 0; i < count; i++)
            {
                elements[i] = bytes[i] != 0;
            }

            return [.. elements];
        });
    }

    public T? Table<T>(int slot, string name, Func<FlatTable, T> read)
        where T : class =>
        Target(slot, name) is (int target, FlatPath field) ? reader.SharedTable(target, field, depth + 1, read) : null;

    public ImmutableArray<T> TableVector<T>(int slot, string name, Func<FlatTable, T> read)
        where T : class
    {
        if (Target(slot, name) is not (int target, FlatPath field))
        {
            return [];
        }

        (int first, int count) = reader.Vector(target, OffsetSize, field);
        reader.CountReference(target, OffsetSize + ((long)count * OffsetSize), field);
        ImmutableArray<T>.Builder elements = ImmutableArray.CreateBuilder<T>(count);
        for (int i = 0; i < count; i++)
        {
            FlatPath element = new(path, name, i);
            elements.Add(reader.SharedTable(reader.Follow(first + (i * OffsetSize), element), element, depth + 1, read));
        }

        return elements.MoveToImmutable();
    }

    /// <summary>The table of a union; <paramref name="select"/> reads it by its code.</summary>
    /// <param name="slot">Slot of the type code; the table is in the next one.</param>
    /// <param name="select">
    /// Gives what reads the table of a code (called with null where the table is absent in spite of a code), or null
    /// when the schema has no such code.
    /// </param>
    public T? Union<T>(int slot, string name, Func<byte, Func<FlatTable?, T>?> select)
        where T : class
    {
        byte code = Scalar<byte>(slot, name);
        (int, FlatPath)? target = Target(slot + 1, name);
        if (code == 0)
        {
            return target is not (int place, FlatPath field) ? null : throw new MalformedDataException(
                place, field.ToString(), "a table of a union without its type", "a type code above 0, or no table");
        }

        Func<FlatTable?, T> read = select(code) ?? throw new MalformedDataException(
            position,
            new FlatPath(path, name).ToString(),
            string.Create(CultureInfo.InvariantCulture, $"type code {code} of a union"),
            "a code of the known schema; the file follows a newer one or is damaged");
        return target is (int start, FlatPath at) ? reader.SharedTable(start, at, depth + 1, table => read(table), code) : read(null);
    }

    private (int Target, FlatPath Field)? Target(int slot, string name)
    {
        if (Locate(slot, name, OffsetSize) is not int place)
        {
            return null;
        }

        FlatPath field = new(path, name);
        return (reader.Follow(place, field), field);
    }

    /// <summary>Where the field of a slot stands; null when it is absent.</summary>
    private int? Locate(int slot, string name, int size)
    {
        int entry = FirstSlot + (slot * sizeof(ushort));
        if (entry >= vtableSize)
        {
            return null;
        }

        int offset = reader.Scalar<ushort>(vtable + entry, path);
        if (offset == 0)
        {
            return null;
        }

        return offset >= OffsetSize && offset + size <= inlineSize
            ? position + offset
            : throw new MalformedDataException(
                vtable + entry,
                new FlatPath(path, name).ToString(),
                string.Create(CultureInfo.InvariantCulture, $"a field of {size} bytes at {offset}"),
                string.Create(CultureInfo.InvariantCulture, $"a place in the table, which has {inlineSize} bytes"));
    }
}
