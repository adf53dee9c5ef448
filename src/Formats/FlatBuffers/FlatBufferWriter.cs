using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Writes a FlatBuffer from back to front: children before their owners, so that each offset is known when it is
/// written. Equal calls give equal bytes.
/// </summary>
/// <remarks>
/// <para>Scalars stand on multiples of their size, vectors on what is asked for, all counted from the start of the
/// file. Equal vtables are shared; fields that equal their default are left out. What fits goes where alignment has left a
/// gap.</para>
/// <para>Byte vectors above <see cref="ReferenceThreshold"/> are referenced, not copied, and must not change until the
/// content has been written out.</para>
/// <para>Source of the layout: the FlatBuffers internals document, https://flatbuffers.dev/internals/.</para>
/// </remarks>
/// <param name="shareEqual">
/// Whether equal strings, vectors, and tables (bottom up, so whole trees of tables) are written once: a FlatBuffer is a directed
/// graph, in which several owners may point at one child.
/// </param>
/// <param name="smallestRest">Leaves a gap to smaller pieces that would be left with fewer bytes than these, but some.</param>
/// <param name="largestDataAlignment">Bounds the alignment that is asked for, a power of two; that of scalars stays.</param>
internal sealed class FlatBufferWriter(bool shareEqual, int largestDataAlignment = 16, int smallestRest = 0)
{
    /// <summary>Bytes of a vector above which it is referenced.</summary>
    public const int ReferenceThreshold = 1024;

    private const int OffsetSize = sizeof(uint);
    private const int IdentifierSize = 4;
    private const int MaximumSlots = 256;
    private const int SlotKeySize = 1 + sizeof(ulong);

    private readonly SegmentRope rope = new();
    private readonly PaddingGaps gaps = new(smallestRest);
    private readonly SharedPieces shared = new();
    private readonly SharedPieces vtables = new();
    private readonly List<byte[]> layouts = [];
    private readonly Slot[] slots = new Slot[MaximumSlots];
    private int slotCount;
    private int largestAlignment = OffsetSize;

    private enum Kind
    {
        Vector,
        String,
        OffsetVector,
        Table,
    }

    /// <summary>Vtables so far, in the order in which they were written.</summary>
    public IReadOnlyList<byte[]> Layouts => layouts;

    /// <summary>Writes vtables that tables will need, one behind the other: their lengths are no multiples of what other pieces stand on.</summary>
    public void Prepare(IEnumerable<byte[]> vtablesToCome)
    {
        foreach (byte[] vtable in vtablesToCome)
        {
            WriteVtable(vtable);
        }
    }

    public FlatOffset String(string? text)
    {
        if (text is null)
        {
            return default;
        }

        byte[] bytes = FlatString.Encode(text);
        return Share(OffsetSize, bytes, Kind.String, elementCount: bytes.Length);
    }

    /// <param name="alignment">Multiple of bytes, a power of two, on which the first byte stands in the file.</param>
    public FlatOffset ByteVector(ReadOnlyMemory<byte> bytes, int alignment = 1)
    {
        alignment = Math.Max(Math.Min(alignment, largestDataAlignment), OffsetSize);
        if (bytes.Length <= ReferenceThreshold)
        {
            return Share(alignment, bytes.Span, Kind.Vector, bytes.Length);
        }

        if (Known(alignment, bytes.Span, Kind.Vector, bytes.Length) is { } known)
        {
            return known;
        }

        Align(alignment, bytes.Length);
        rope.PrependReference(bytes);
        FlatOffset place = Count(bytes.Length);
        Note(bytes, Kind.Vector, bytes.Length, place);
        return place;
    }

    /// <param name="alignment">As for <see cref="ByteVector"/>; at least the size of an element anyway.</param>
    public FlatOffset Vector<T>(ImmutableArray<T> elements, int alignment = 1)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(elements.AsSpan());
        if (!BitConverter.IsLittleEndian && size > 1)
        {
            byte[] reversed = bytes.ToArray();
            for (int start = 0; start < reversed.Length; start += size)
            {
                reversed.AsSpan(start, size).Reverse();
            }

            bytes = reversed;
        }

        alignment = Math.Max(Math.Min(alignment, largestDataAlignment), OffsetSize);
        return Share(Math.Max(alignment, size), bytes, Kind.Vector, elements.Length);
    }

    public FlatOffset BoolVector(ImmutableArray<bool> elements) =>
        Vector(ImmutableArray.CreateRange(elements, element => element ? (byte)1 : (byte)0));

    /// <summary>Writes tables, the last one first, and the vector of their offsets.</summary>
    public FlatOffset TableVector<T>(ImmutableArray<T> elements, Func<FlatBufferWriter, T, FlatOffset> write)
    {
        FlatOffset[] written = new FlatOffset[elements.Length];
        for (int i = elements.Length - 1; i >= 0; i--)
        {
            written[i] = write(this, elements[i]);
        }

        if (elements.IsEmpty)
        {
            return Share(OffsetSize, [], Kind.Vector, 0);
        }

        ReadOnlySpan<byte> key = MemoryMarshal.AsBytes(written.AsSpan());
        if (shareEqual && shared.Find(KeyOf(Kind.OffsetVector, elements.Length), key) is { } known)
        {
            return known;
        }

        Align(OffsetSize, 0);
        for (int i = elements.Length - 1; i >= 0; i--)
        {
            Span<byte> place = rope.Prepend(OffsetSize).Span;
            BinaryPrimitives.WriteInt32LittleEndian(place, rope.Length - written[i].FromEnd);
        }

        FlatOffset vector = Count(elements.Length);
        if (shareEqual)
        {
            shared.Add(KeyOf(Kind.OffsetVector, elements.Length), key.ToArray(), vector);
        }

        return vector;
    }

    /// <summary>Adds a scalar or an enum to the table that <see cref="FinishTable"/> will write.</summary>
    public void Add<T>(int slot, T value, T absent = default)
        where T : unmanaged
    {
        ulong bits = Bits(value);
        if (bits != Bits(absent))
        {
            Put(slot, new Slot(Unsafe.SizeOf<T>(), bits, IsOffset: false));
        }
    }

    /// <summary>
    /// Adds a string, vector or table to the table that <see cref="FinishTable"/> will write; null is left out.
    /// </summary>
    public void Add(int slot, FlatOffset target)
    {
        if (!target.IsNull)
        {
            Put(slot, new Slot(OffsetSize, (ulong)target.FromEnd, IsOffset: true));
        }
    }

    /// <summary>Adds a union: its type code and its table, in two slots; nothing when there is no table.</summary>
    public void AddUnion(int slot, byte code, FlatOffset target)
    {
        if (!target.IsNull)
        {
            Add(slot, code);
            Add(slot + 1, target);
        }
    }

    /// <summary>Takes a field back that was added since the last table.</summary>
    public void Omit(int slot)
    {
        slots[slot] = default;
        while (slotCount > 0 && slots[slotCount - 1].Size == 0)
        {
            slotCount--;
        }
    }

    /// <summary>Writes the table of the fields that were added since the last one.</summary>
    public FlatOffset FinishTable()
    {
        Span<byte> key = stackalloc byte[slotCount * SlotKeySize];
        for (int i = 0; i < slotCount; i++)
        {
            key[i * SlotKeySize] = (byte)(slots[i].Size + (slots[i].IsOffset ? OffsetSize * OffsetSize : 0));
            BinaryPrimitives.WriteUInt64LittleEndian(key[((i * SlotKeySize) + 1)..], slots[i].Bits);
        }

        FlatOffset? known = shareEqual ? shared.Find(KeyOf(Kind.Table, slotCount), key) : null;
        FlatOffset table = known ?? WriteTable();
        if (shareEqual && known is null)
        {
            shared.Add(KeyOf(Kind.Table, slotCount), key.ToArray(), table);
        }

        Array.Clear(slots, 0, slotCount);
        slotCount = 0;
        return table;
    }

    /// <summary>Writes the head of the file.</summary>
    /// <param name="identifier">Four characters of Latin-1.</param>
    public FlatBufferContent Finish(FlatOffset root, string identifier)
    {
        Align(largestAlignment, OffsetSize + IdentifierSize);
        Encoding.Latin1.GetBytes(identifier, rope.Prepend(IdentifierSize).Span);
        Span<byte> place = rope.Prepend(OffsetSize).Span;
        BinaryPrimitives.WriteInt32LittleEndian(place, rope.Length - root.FromEnd);
        return new FlatBufferContent(rope.ToSegments(), rope.Length);
    }

    private FlatOffset WriteTable()
    {
        Span<byte> vtable = stackalloc byte[FlatTable.FirstSlot + (slotCount * sizeof(ushort))];
        (int inlineSize, int alignment, int children) = Layout(vtable);
        if (!gaps.TryTake(inlineSize, alignment, inlineSize, children, out Memory<byte> room, out int place))
        {
            Align(alignment, 0);
            room = rope.Prepend(inlineSize);
            place = rope.Length;
        }

        largestAlignment = Math.Max(largestAlignment, alignment);
        Span<byte> table = room.Span;
        FlatOffset position = new(place);
        for (int i = 0; i < slotCount; i++)
        {
            if (slots[i].Size > 0)
            {
                int offset = BinaryPrimitives.ReadUInt16LittleEndian(Entry(vtable, i));
                Write(table[offset..], slots[i], position.FromEnd - offset);
            }
        }

        FlatOffset vtablePosition = vtables.Find(0, vtable) ?? WriteVtable(vtable);
        BinaryPrimitives.WriteInt32LittleEndian(table, vtablePosition.FromEnd - position.FromEnd);
        return position;
    }

    private FlatOffset WriteVtable(ReadOnlySpan<byte> vtable)
    {
        if (!gaps.TryTake(vtable.Length, sizeof(ushort), 0, 0, out Memory<byte> room, out int place))
        {
            room = rope.Prepend(vtable.Length);
            place = rope.Length;
        }

        vtable.CopyTo(room.Span);
        vtables.Add(0, room, new FlatOffset(place));
        layouts.Add(vtable.ToArray());
        return new FlatOffset(place);
    }

    /// <summary>
    /// Decides where the fields stand: large ones at the end of the table, small ones next to its start, each size in
    /// the order of the slots, so that padding can only follow the table's first four bytes.
    /// </summary>
    /// <returns>Size of the table in bytes, alignment of its end, and where its first child stands.</returns>
    private (int Size, int Alignment, int Children) Layout(Span<byte> vtable)
    {
        int largest = OffsetSize;
        int children = 0;
        for (int i = 0; i < slotCount; i++)
        {
            largest = Math.Max(largest, slots[i].Size);
            children = slots[i].IsOffset ? Math.Max(children, (int)slots[i].Bits) : children;
        }

        Span<int> distances = stackalloc int[slotCount];
        int distance = 0;
        for (int size = sizeof(ulong); size > 0; size /= 2)
        {
            for (int i = slotCount - 1; i >= 0; i--)
            {
                if (slots[i].Size == size)
                {
                    distance += size;
                    distances[i] = distance;
                }
            }
        }

        int inlineSize = RoundUp(distance, OffsetSize) + OffsetSize;
        BinaryPrimitives.WriteUInt16LittleEndian(vtable, (ushort)vtable.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(vtable[sizeof(ushort)..], (ushort)inlineSize);
        for (int i = 0; i < slotCount; i++)
        {
            ushort offset = slots[i].Size > 0 ? (ushort)(inlineSize - distances[i]) : (ushort)0;
            BinaryPrimitives.WriteUInt16LittleEndian(Entry(vtable, i), offset);
        }

        return (inlineSize, largest, children);
    }

    private static Span<byte> Entry(Span<byte> vtable, int slot) =>
        vtable.Slice(FlatTable.FirstSlot + (slot * sizeof(ushort)), sizeof(ushort));

    private static void Write(Span<byte> place, Slot slot, int fromEnd)
    {
        switch (slot.Size)
        {
            case sizeof(byte):
                place[0] = (byte)slot.Bits;
                break;
            case sizeof(ushort):
                BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)slot.Bits);
                break;
            case sizeof(uint):
                uint bits = slot.IsOffset ? (uint)(fromEnd - (int)slot.Bits) : (uint)slot.Bits;
                BinaryPrimitives.WriteUInt32LittleEndian(place, bits);
                break;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(place, slot.Bits);
                break;
        }
    }

    private static ulong Bits<T>(T value)
        where T : unmanaged => Unsafe.SizeOf<T>() switch
        {
            sizeof(byte) => Unsafe.BitCast<T, byte>(value),
            sizeof(ushort) => Unsafe.BitCast<T, ushort>(value),
            sizeof(uint) => Unsafe.BitCast<T, uint>(value),
            sizeof(ulong) => Unsafe.BitCast<T, ulong>(value),
            _ => throw new ArgumentException("A scalar has 1, 2, 4 or 8 bytes.", nameof(value)),
        };

    private void Put(int slot, Slot content)
    {
        slots[slot] = content;
        slotCount = Math.Max(slotCount, slot + 1);
    }

    /// <summary>Writes a string or vector unless an equal one stands in the file already.</summary>
    private FlatOffset Share(int alignment, ReadOnlySpan<byte> bytes, Kind kind, int elementCount)
    {
        if (Known(alignment, bytes, kind, elementCount) is { } known)
        {
            return known;
        }

        int length = bytes.Length + (kind is Kind.String ? 1 : 0);
        FlatOffset place;
        if (gaps.TryTake(OffsetSize + length, alignment, OffsetSize, 0, out Memory<byte> room, out int fromEnd))
        {
            BinaryPrimitives.WriteInt32LittleEndian(room.Span, elementCount);
            room = room[OffsetSize..];
            place = new FlatOffset(fromEnd);
            largestAlignment = Math.Max(largestAlignment, alignment);
        }
        else
        {
            Align(alignment, length);
            room = rope.Prepend(length);
            place = Count(elementCount);
        }

        bytes.CopyTo(room.Span);
        Note(room[..bytes.Length], kind, elementCount, place);
        return place;
    }

    /// <summary>An equal string or vector whose first element stands where it is wanted.</summary>
    private FlatOffset? Known(int alignment, ReadOnlySpan<byte> bytes, Kind kind, int elementCount) => shareEqual
        ? shared.Find(KeyOf(kind, elementCount), bytes, place => ((place.FromEnd - OffsetSize) & (alignment - 1)) == 0)
        : null;

    private void Note(ReadOnlyMemory<byte> bytes, Kind kind, int elementCount, FlatOffset place)
    {
        if (shareEqual)
        {
            shared.Add(KeyOf(kind, elementCount), bytes, place);
        }
    }

    /// <summary>Vectors of equal bytes differ when their elements have different sizes.</summary>
    private static long KeyOf(Kind kind, int elementCount) => ((long)kind << 32) | (uint)elementCount;

    private FlatOffset Count(int elements)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rope.Prepend(OffsetSize).Span, elements);
        return new FlatOffset(rope.Length);
    }

    /// <summary>Pads so that what is prepended next starts on a multiple of the alignment.</summary>
    private void Align(int alignment, int bytesAhead)
    {
        largestAlignment = Math.Max(largestAlignment, alignment);
        int tail = (int)(((long)rope.Length + bytesAhead) & (alignment - 1));
        if (tail != 0)
        {
            int end = rope.Length;
            gaps.Add(rope.Prepend(alignment - tail), end);
        }
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <param name="Size">Bytes of the field; 0 when it is absent.</param>
    /// <param name="Bits">The scalar, or the target's distance from the end of the file.</param>
    private readonly record struct Slot(int Size, ulong Bits, bool IsOffset);
}
