using System.Buffers.Binary;
using Optc.Ir;

namespace Optc.Ops;

/// <summary>Reads indices of any integer width while a kernel runs.</summary>
internal abstract class IndexReader
{
    private static readonly IndexReader Narrow = new Int16();
    private static readonly IndexReader Middle = new Int32();
    private static readonly IndexReader Wide = new Int64();

    /// <summary>The reader for indices of a type; the shape rule has allowed it.</summary>
    /// <exception cref="OpRuleException">Another type than i16, i32, i64.</exception>
    public static IndexReader For(DType type) => type switch
    {
        DType.I16 => Narrow,
        DType.I32 => Middle,
        DType.I64 => Wide,
        _ => throw new OpRuleException("indices are integers") { Found = type.Name, Expected = "i16, i32 or i64" },
    };

    public static OpRuleException OutOfRange(long index, long size) =>
        new("an index is out of range") { Found = $"{index}", Expected = $"0 to {size - 1}" };

    public abstract long At(ReadOnlySpan<byte> indices, int position);

    private sealed class Int16 : IndexReader
    {
        public override long At(ReadOnlySpan<byte> indices, int position) => BinaryPrimitives.ReadInt16LittleEndian(indices[(position * 2)..]);
    }

    private sealed class Int32 : IndexReader
    {
        public override long At(ReadOnlySpan<byte> indices, int position) => BinaryPrimitives.ReadInt32LittleEndian(indices[(position * 4)..]);
    }

    private sealed class Int64 : IndexReader
    {
        public override long At(ReadOnlySpan<byte> indices, int position) => BinaryPrimitives.ReadInt64LittleEndian(indices[(position * 8)..]);
    }
}
