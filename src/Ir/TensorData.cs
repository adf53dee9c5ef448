using System.Runtime.InteropServices;

namespace Optc.Ir;

/// <summary>The immutable content of a constant: little-endian elements in row-major order.</summary>
/// <remarks>
/// 4-bit types are packed two to a byte, low nibble first, without padding of rows. The bytes may be a slice of a
/// file and carry no alignment. A constant with a <see cref="Sparse"/> layout stores only the elements that the
/// layout visits; <see cref="ToDense"/> expands it.
/// </remarks>
public sealed class TensorData
{
    /// <param name="dtype">Element type.</param>
    /// <param name="shape">Dense shape; fully known.</param>
    /// <param name="bytes">Dense content, or the stored elements when <paramref name="sparse"/> is given.</param>
    /// <param name="sparse">How the stored elements are spread over the dense shape.</param>
    /// <exception cref="ArgumentException">Shape and number of bytes do not agree.</exception>
    public TensorData(DType dtype, Shape shape, ReadOnlyMemory<byte> bytes, SparseLayout? sparse = null)
    {
        if (sparse is null && dtype is not (DType.String or DType.Variant) && dtype.ByteCount(shape.ElementCount) != bytes.Length)
        {
            throw new ArgumentException($"{dtype.Name}{shape} takes {dtype.ByteCount(shape.ElementCount)} bytes, not {bytes.Length}.", nameof(bytes));
        }

        DType = dtype;
        Shape = shape;
        Bytes = bytes;
        Sparse = sparse;
    }

    public DType DType { get; }

    public Shape Shape { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    public SparseLayout? Sparse { get; }

    /// <summary>What must hold of the values; <see langword="null"/> for ordinary ones.</summary>
    public WeightStructure? Structure { get; private init; }

    /// <summary>The same content with a structure, or without.</summary>
    public TensorData With(WeightStructure? structure) => new(DType, Shape, Bytes, Sparse)
    {
        Structure = structure is { IsEmpty: true } ? null : structure,
    };

    public static TensorData From<T>(DType dtype, Shape shape, ReadOnlySpan<T> values)
        where T : unmanaged => new(dtype, shape, MemoryMarshal.AsBytes(values).ToArray());

    public static TensorData FromFloats(Shape shape, ReadOnlySpan<float> values) => From(DType.F32, shape, values);

    public static TensorData FromInts(Shape shape, ReadOnlySpan<int> values) => From(DType.I32, shape, values);

    public static TensorData Scalar(int value) => From<int>(DType.I32, Shape.Scalar, [value]);

    public static TensorData Scalar(float value) => From<float>(DType.F32, Shape.Scalar, [value]);

    /// <summary>The elements viewed as <typeparamref name="T"/>, whose size must be that of the element type.</summary>
    /// <exception cref="InvalidOperationException">The constant is stored sparse.</exception>
    public ReadOnlySpan<T> Span<T>()
        where T : unmanaged => Sparse is null
        ? MemoryMarshal.Cast<byte, T>(Bytes.Span)
        : throw new InvalidOperationException("A sparse constant must be expanded before it is read.");

    /// <summary>The elements of an f32 constant.</summary>
    /// <exception cref="InvalidOperationException">Another element type.</exception>
    public ReadOnlySpan<float> AsFloats() => DType is DType.F32
        ? Span<float>()
        : throw new InvalidOperationException($"The constant is {DType.Name}, not f32.");

    /// <summary>The elements of an i32 or i64 constant, as used for shapes, axes and indices.</summary>
    /// <exception cref="OpRuleException">Another element type, or an element beyond 32 bits.</exception>
    public int[] AsInts()
    {
        switch (DType)
        {
            case DType.I32:
                return Span<int>().ToArray();
            case DType.I64:
                ReadOnlySpan<long> wide = Span<long>();
                int[] narrow = new int[wide.Length];
                for (int i = 0; i < narrow.Length; i++)
                {
                    narrow[i] = wide[i] is >= int.MinValue and <= int.MaxValue
                        ? (int)wide[i]
                        : throw new OpRuleException("an index or size does not fit 32 bits") { Found = $"{wide[i]}" };
                }

                return narrow;
            default:
                throw new OpRuleException("indices and sizes are integers") { Found = DType.Name, Expected = "i32 or i64" };
        }
    }

    /// <summary>This content without a sparse layout: elements that are not stored become zero.</summary>
    public TensorData ToDense() => Sparse is null
        ? this
        : new(DType, Shape, Sparse.Expand(DType, Shape, Bytes.Span)) { Structure = Structure };

    /// <summary>The same bytes under another shape of as many elements.</summary>
    /// <remarks>A structure that says something about channels stays where the new shape has a dimension for them.</remarks>
    public TensorData Reshape(Shape shape) => new(DType, shape, Bytes, Sparse) { Structure = Structure?.Reshaped(Shape, shape) };
}
