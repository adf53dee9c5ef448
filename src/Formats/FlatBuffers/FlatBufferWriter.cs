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
/// file. Equal vtables are shared; fields that equal their default are left out.</para>
/// <para>Byte vectors above <see cref="ReferenceThreshold"/> are referenced, not copied, and must not change until the
/// content has been written out.</para>
/// <para>Source of the layout: the FlatBuffers internals document, https://flatbuffers.dev/internals/.</para>
/// </remarks>
/// <param name="shareEqual">
/// Whether equal strings and vectors of at most <see cref="ReferenceThreshold"/> bytes are written once.
/// </param>
internal sealed class FlatBufferWriter(bool shareEqual)
{
    /// <summary>Bytes of a vector above which it is referenced and never shared.</summary>
    public const int ReferenceThreshold = 1024;

    private const int OffsetSize = sizeof(uint);
    private const int IdentifierSize = 4;
    private const int MaximumSlots = 256;

    private readonly SegmentRope rope = new();
    private readonly Dictionary<byte[], FlatOffset> vtables = new(ByteSequenceComparer.Instance);
    private readonly Dictionary<(int Alignment, bool IsString), Dictionary<byte[], FlatOffset>> shared = [];
    private readonly Slot[] slots = new Slot[MaximumSlots];
    private int slotCount;
    private int largestAlignment = OffsetSize;

    public FlatOffset String(string? text)
    {
        if (text is null)
        {
            return default;
        }

        byte[] bytes = FlatString.Encode(text);
        return Share(OffsetSize, bytes, isString: true, elementCount: bytes.Length);
    }

    /// <param name="alignment">Multiple of bytes, a power of two, on which the first byte stands in the file.</param>
    public FlatOffset ByteVector(ReadOnlyMemory<byte> bytes, int alignment = 1)
    {
        if (bytes.Length <= ReferenceThreshold)
        {
            return Share(Math.Max(alignment, OffsetSize), bytes.Span, isString: false, bytes.Length);
        }

        Align(Math.Max(alignment, OffsetSize), bytes.Length);
        rope.PrependReference(bytes);
        return Count(bytes.Length);
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

        return Share(Math.Max(Math.Max(alignment, OffsetSize), size), bytes, isString: false, elements.Length);
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

        Align(OffsetSize, 0);
        for (int i = elements.Length - 1; i >= 0; i--)
        {
            Span<byte> place = rope.Prepend(OffsetSize);
            BinaryPrimitives.WriteInt32LittleEndian(place, rope.Length - written[i].FromEnd);
        }

        return Count(elements.Length);
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

    /// <summary>Writes the table of the fields that were added since the last one.</summary>
    public FlatOffset FinishTable()
    {
        Span<byte> vtable = stackalloc byte[FlatTable.FirstSlot + (slotCount * sizeof(ushort))];
        int inlineSize = Layout(vtable);

        Span<byte> table = rope.Prepend(inlineSize);
        FlatOffset position = new(rope.Length);
        for (int i = 0; i < slotCount; i++)
        {
            if (slots[i].Size > 0)
            {
                int offset = BinaryPrimitives.ReadUInt16LittleEndian(Entry(vtable, i));
                Write(table[offset..], slots[i], position.FromEnd - offset);
            }
        }

        Array.Clear(slots, 0, slotCount);
        slotCount = 0;

        Dictionary<byte[], FlatOffset>.AlternateLookup<ReadOnlySpan<byte>> known =
            vtables.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!known.TryGetValue(vtable, out FlatOffset vtablePosition))
        {
            vtable.CopyTo(rope.Prepend(vtable.Length));
            vtablePosition = new FlatOffset(rope.Length);
            known[vtable] = vtablePosition;
        }

        BinaryPrimitives.WriteInt32LittleEndian(table, vtablePosition.FromEnd - position.FromEnd);
        return position;
    }

    /// <summary>Writes the head of the file.</summary>
    /// <param name="identifier">Four characters of Latin-1.</param>
    public FlatBufferContent Finish(FlatOffset root, string identifier)
    {
        Align(largestAlignment, OffsetSize + IdentifierSize);
        Encoding.Latin1.GetBytes(identifier, rope.Prepend(IdentifierSize));
        Span<byte> place = rope.Prepend(OffsetSize);
        BinaryPrimitives.WriteInt32LittleEndian(place, rope.Length - root.FromEnd);
        return new FlatBufferContent(rope.ToSegments(), rope.Length);
    }

    /// <summary>
    /// Decides where the fields stand: large ones at the end of the table, small ones next to its start, each size in
    /// the order of the slots, so that padding can only follow the table's first four bytes.
    /// </summary>
    /// <returns>The size of the table in bytes.</returns>
    private int Layout(Span<byte> vtable)
    {
        int largest = OffsetSize;
        for (int i = 0; i < slotCount; i++)
        {
            largest = Math.Max(largest, slots[i].Size);
        }

        Align(largest, 0);
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

        return inlineSize;
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
    private FlatOffset Share(int alignment, ReadOnlySpan<byte> bytes, bool isString, int elementCount)
    {
        if (!shareEqual || bytes.Length > ReferenceThreshold)
        {
            return WriteVector(alignment, bytes, isString, elementCount);
        }

        Span<byte> key = stackalloc byte[OffsetSize + ReferenceThreshold];
        BinaryPrimitives.WriteInt32LittleEndian(key, elementCount);
        bytes.CopyTo(key[OffsetSize..]);
        key = key[..(OffsetSize + bytes.Length)];
        ref Dictionary<byte[], FlatOffset>? group =
            ref CollectionsMarshal.GetValueRefOrAddDefault(shared, (alignment, isString), out _);
        group ??= new Dictionary<byte[], FlatOffset>(ByteSequenceComparer.Instance);
        Dictionary<byte[], FlatOffset>.AlternateLookup<ReadOnlySpan<byte>> known =
            group.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!known.TryGetValue(key, out FlatOffset written))
        {
            written = WriteVector(alignment, bytes, isString, elementCount);
            known[key] = written;
        }

        return written;
    }

    private FlatOffset WriteVector(int alignment, ReadOnlySpan<byte> bytes, bool isString, int elementCount)
    {
        int terminator = isString ? 1 : 0;
        Align(alignment, bytes.Length + terminator);
        bytes.CopyTo(rope.Prepend(bytes.Length + terminator));
        return Count(elementCount);
    }

    private FlatOffset Count(int elements)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rope.Prepend(OffsetSize), elements);
        return new FlatOffset(rope.Length);
    }

    /// <summary>Pads so that what is prepended next starts on a multiple of the alignment.</summary>
    private void Align(int alignment, int bytesAhead)
    {
        largestAlignment = Math.Max(largestAlignment, alignment);
        int tail = (int)(((long)rope.Length + bytesAhead) & (alignment - 1));
        if (tail != 0)
        {
            rope.Prepend(alignment - tail);
        }
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <param name="Size">Bytes of the field; 0 when it is absent.</param>
    /// <param name="Bits">The scalar, or the target's distance from the end of the file.</param>
    private readonly record struct Slot(int Size, ulong Bits, bool IsOffset);
}
