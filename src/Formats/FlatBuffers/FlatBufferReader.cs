using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Reads a FlatBuffer, believing nothing: each offset, length and vtable is checked before it is used, depth and total
/// work are bounded (<see cref="FlatBudget"/>), and no alignment is assumed. Whatever the bytes are, the only exception
/// is <see cref="MalformedDataException"/>.
/// </summary>
/// <remarks>
/// Source of the layout: the FlatBuffers internals document, https://flatbuffers.dev/internals/. Vectors, strings and
/// tables that a file shares are read once and shared by the objects that are read; work and memory are bounded by the
/// length of the file, however many paths lead to a table.
/// </remarks>
internal sealed class FlatBufferReader
{
    /// <summary>Tables inside of tables; the depth that the official verifier grants.</summary>
    public const int MaximumDepth = 64;

    private const int OffsetSize = sizeof(uint);
    private const int IdentifierSize = 4;
    private const int MaximumUnknownFields = 100;

    private readonly ReadOnlyMemory<byte> file;
    private readonly FlatBudget budget;
    private readonly Dictionary<(int Position, Type Element), object> vectors = [];
    private readonly Dictionary<(int Position, Type Record, int Code), object> tables = [];
    private readonly HashSet<int> offsetVectors = [];
    private readonly SortedSet<string> unknownFields = new(StringComparer.Ordinal);
    private readonly FlatTrace? trace;

    /// <param name="trace">Told of every part of the file that is read, as often as something refers to it.</param>
    public FlatBufferReader(ReadOnlyMemory<byte> file, FlatTrace? trace = null)
    {
        this.file = file;
        this.trace = trace;
        budget = new FlatBudget(file.Length);
    }

    public ReadOnlyMemory<byte> File => file;

    /// <summary>
    /// Fields that the file has and the schema does not know, as <c>Table.slot N</c>, sorted; no more than 100. A newer
    /// schema may have them; they are lost when the records are written again.
    /// </summary>
    public IReadOnlyCollection<string> UnknownFields => unknownFields;

    /// <summary>Reads the root table.</summary>
    /// <param name="name">Name of the root in paths.</param>
    /// <param name="identifier">The four characters that bytes 4 to 7 must be.</param>
    public T ReadRoot<T>(string name, string identifier, Func<FlatTable, T> read)
    {
        FlatPath path = new(null, name);
        ReadOnlySpan<byte> head = Bytes(0, OffsetSize + IdentifierSize, path);
        string found = Encoding.Latin1.GetString(head[OffsetSize..]);
        if (found != identifier)
        {
            throw new MalformedDataException(
                OffsetSize,
                path.ToString(),
                $"the file identifier {Convert.ToHexStringLower(head[OffsetSize..])}",
                $"{Convert.ToHexStringLower(Encoding.Latin1.GetBytes(identifier))} ('{identifier}')");
        }

        trace?.Invoke(0, head.Length, path, FlatPart.Head);
        return read(Table(Follow(0, path), path, depth: 1));
    }

    /// <summary>The bytes from a place to another, both inside of the file.</summary>
    public ReadOnlySpan<byte> Bytes(long position, long count, FlatPath path)
    {
        if (position < 0 || count < 0 || position > file.Length - count)
        {
            throw new MalformedDataException(
                position,
                path.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"{count} bytes that end at {position + count}"),
                string.Create(CultureInfo.InvariantCulture, $"bytes inside of the file, which has {file.Length}"));
        }

        return file.Span.Slice((int)position, (int)count);
    }

    public T Scalar<T>(long position, FlatPath path)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = Bytes(position, Unsafe.SizeOf<T>(), path);
        if (BitConverter.IsLittleEndian)
        {
            return MemoryMarshal.Read<T>(bytes);
        }

        Span<byte> reversed = stackalloc byte[bytes.Length];
        bytes.CopyTo(reversed);
        reversed.Reverse();
        return MemoryMarshal.Read<T>(reversed);
    }

    /// <summary>Where the offset at <paramref name="position"/> leads.</summary>
    public int Follow(int position, FlatPath path)
    {
        uint offset = BinaryPrimitives.ReadUInt32LittleEndian(Bytes(position, OffsetSize, path));
        long target = position + (long)offset;
        if (offset == 0 || target >= file.Length)
        {
            throw new MalformedDataException(
                position,
                path.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"an offset of {offset}"),
                string.Create(CultureInfo.InvariantCulture, $"1 to {file.Length - 1L - position}"));
        }

        return (int)target;
    }

    /// <summary>The table at <paramref name="position"/>, with a checked vtable.</summary>
    public FlatTable Table(int position, FlatPath path, int depth)
    {
        budget.ChargeTable(position, path);
        if (depth > MaximumDepth)
        {
            throw new MalformedDataException(
                position, path.ToString(), "a table at a greater depth", $"at most {MaximumDepth} levels");
        }

        long vtable = position - (long)Scalar<int>(position, path);
        if (vtable < 0 || vtable > file.Length - FlatTable.FirstSlot)
        {
            throw new MalformedDataException(
                position,
                path.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"a vtable at {vtable}"),
                string.Create(CultureInfo.InvariantCulture, $"a place in the file, which has {file.Length} bytes"));
        }

        int vtableSize = Scalar<ushort>(vtable, path);
        int inlineSize = Scalar<ushort>(vtable + sizeof(ushort), path);
        if (vtableSize < FlatTable.FirstSlot || vtableSize % sizeof(ushort) != 0 || inlineSize < OffsetSize)
        {
            throw new MalformedDataException(
                vtable,
                path.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"a vtable of {vtableSize} bytes for {inlineSize} bytes"),
                "an even number of bytes, at least 4, for at least 4 bytes");
        }

        _ = Bytes(vtable, vtableSize, path);
        _ = Bytes(position, inlineSize, path);
        trace?.Invoke((int)vtable, vtableSize, path, FlatPart.VTable);
        trace?.Invoke(position, inlineSize, path, FlatPart.Table);
        return new FlatTable(this, position, (int)vtable, vtableSize, inlineSize, path, depth);
    }

    /// <summary>The place of the first element and the number of elements of a vector.</summary>
    public (int First, int Count) Vector(int position, int elementSize, FlatPath path)
    {
        uint count = Scalar<uint>(position, path);
        int first = position + OffsetSize;
        int room = (file.Length - first) / elementSize;
        if (count > room)
        {
            throw new MalformedDataException(
                position,
                path.ToString(),
                string.Create(
                    CultureInfo.InvariantCulture, $"a vector of {count} elements in a file of {file.Length} bytes"),
                string.Create(
                    CultureInfo.InvariantCulture, $"at most {room} elements from here to the end of the file"));
        }

        trace?.Invoke(position, OffsetSize, path, FlatPart.Length);
        trace?.Invoke(first, (int)count * elementSize, path, FlatPart.Elements);
        return (first, (int)count);
    }

    /// <summary>Reads what stands at a place, or returns what was read there before.</summary>
    /// <param name="bytes">How many bytes of the file it takes.</param>
    public T Shared<T>(int position, long bytes, FlatPath path, Func<T> read)
        where T : notnull
    {
        bool isKnown = vectors.TryGetValue((position, typeof(T)), out object? known);
        budget.ChargeVector(position, bytes, !isKnown, path);
        if (!isKnown)
        {
            known = read();
            vectors.Add((position, typeof(T)), known);
        }

        return (T)known!;
    }

    /// <summary>Reads the table at a place, or returns what was read there before.</summary>
    /// <param name="code">What it was read as, where that depends on more than <typeparamref name="T"/>.</param>
    public T SharedTable<T>(int position, FlatPath path, int depth, Func<FlatTable, T> read, int code = 0)
        where T : class
    {
        (int, Type, int) key = (position, typeof(T), code);
        if (tables.TryGetValue(key, out object? known))
        {
            return (T)known;
        }

        T record = read(Table(position, path, depth));
        tables.Add(key, record);
        return record;
    }

    /// <summary>Notes the zero byte behind a string, which is part of it.</summary>
    public void TraceTerminator(int position, FlatPath path) => trace?.Invoke(position, 1, path, FlatPart.Elements);

    public void CountReference(int position, long bytes, FlatPath path) =>
        budget.ChargeVector(position, bytes, offsetVectors.Add(position), path);

    /// <summary>A slice of the file that some field gives as numbers rather than as a vector.</summary>
    public ReadOnlyMemory<byte> External(ulong offset, ulong size, FlatPath path)
    {
        if (offset > (ulong)file.Length || size > (ulong)file.Length - offset)
        {
            throw new MalformedDataException(
                (long)Math.Min(offset, long.MaxValue),
                path.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"{size} bytes from {offset}"),
                string.Create(CultureInfo.InvariantCulture, $"bytes inside of the file, which has {file.Length}"));
        }

        budget.ChargeVector((int)offset, (long)size, isFirst: true, path);
        trace?.Invoke((int)offset, (int)size, path, FlatPart.Elements);
        return file.Slice((int)offset, (int)size);
    }

    public void ReportUnknownField(string table, int slot)
    {
        if (unknownFields.Count < MaximumUnknownFields)
        {
            unknownFields.Add(string.Create(CultureInfo.InvariantCulture, $"{table}.slot {slot}"));
        }
    }

    /// <summary>Copies numbers out of the file, whatever their alignment.</summary>
    public ImmutableArray<T> Numbers<T>(int first, int count)
        where T : unmanaged
    {
        T[] numbers = GC.AllocateUninitializedArray<T>(count);
        Span<byte> bytes = MemoryMarshal.AsBytes(numbers.AsSpan());
        file.Span.Slice(first, bytes.Length).CopyTo(bytes);
        if (!BitConverter.IsLittleEndian)
        {
            for (int start = 0; start < bytes.Length; start += Unsafe.SizeOf<T>())
            {
                bytes.Slice(start, Unsafe.SizeOf<T>()).Reverse();
            }
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(numbers);
    }
}
