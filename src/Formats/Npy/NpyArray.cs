using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Optc.Formats.Npy;

/// <summary>
/// A dense array: element type, shape and the elements in C order (last axis fastest), little endian.
/// </summary>
/// <remarks>
/// Two arrays are equal when type, shape and every byte are equal. An empty shape is a scalar with one element;
/// an axis of length zero makes an array without elements.
/// </remarks>
public sealed record NpyArray
{
    /// <param name="type">Element type.</param>
    /// <param name="shape">Axis lengths, outermost first; none negative.</param>
    /// <param name="data">
    /// Exactly the elements, little endian; not copied, so the caller gives it away. Booleans are bytes 0 or 1.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shape is negative, or the data does not have the bytes it asks for.
    /// </exception>
    public NpyArray(NpyType type, ImmutableArray<int> shape, ReadOnlyMemory<byte> data)
    {
        if (!NpyShape.TryCountBytes(shape.AsSpan(), type, out long bytes) || bytes != data.Length)
        {
            throw new ArgumentException(
                $"{data.Length} bytes are not an array of {type.Code()} with shape {NpyShape.Format(shape.AsSpan())}.",
                nameof(data));
        }

        if (type == NpyType.Boolean && data.Span.IndexOfAnyExceptInRange((byte)0, (byte)1) >= 0)
        {
            throw new ArgumentException("A boolean element is neither 0 nor 1.", nameof(data));
        }

        Type = type;
        Shape = shape;
        Data = data;
    }

    public NpyType Type { get; }

    /// <summary>Axis lengths, outermost first.</summary>
    public ImmutableArray<int> Shape { get; }

    /// <summary>The elements in C order, little endian.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Number of elements.</summary>
    public int Count => Data.Length / Type.ByteSize();

    /// <summary>An array that holds a copy of the values.</summary>
    /// <param name="values">Elements in C order.</param>
    /// <param name="shape">Axis lengths; their product is the number of values.</param>
    /// <exception cref="ArgumentException">The shape does not fit the number of values.</exception>
    /// <exception cref="NotSupportedException">No element type holds <typeparamref name="T"/>.</exception>
    public static NpyArray Of<T>(ReadOnlySpan<T> values, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        NpyType type = NpyTypes.Of<T>();
        byte[] data = MemoryMarshal.AsBytes(values).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            NpyLayout.SwapBytes(data, type.ByteSize());
        }

        return new(type, [.. shape], data);
    }

    /// <summary>The elements as they are stored, without a copy.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not the element type.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine is big endian, so no view can exist.</exception>
    public ReadOnlySpan<T> AsSpan<T>()
        where T : unmanaged
    {
        if (NpyTypes.Of<T>() != Type)
        {
            throw new InvalidOperationException($"The elements are {Type.Code()}, not {typeof(T).Name}.");
        }

        if (!BitConverter.IsLittleEndian && Type.ByteSize() > 1)
        {
            throw new PlatformNotSupportedException("The elements are little endian and this machine is not.");
        }

        return MemoryMarshal.Cast<byte, T>(Data.Span);
    }

    /// <summary>
    /// Rows <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> of the first axis,
    /// sharing the data.
    /// </summary>
    /// <exception cref="InvalidOperationException">The array is a scalar.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the first axis.</exception>
    public NpyArray Rows(int start, int count)
    {
        if (Shape.IsEmpty)
        {
            throw new InvalidOperationException("A scalar has no rows.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Shape[0] - start);
        int rowBytes = Shape[0] == 0 ? 0 : Data.Length / Shape[0];
        return new(Type, Shape.SetItem(0, count), Data.Slice(start * rowBytes, count * rowBytes));
    }

    /// <summary>The elements as float32, rounded to nearest; what is beyond its range becomes infinite.</summary>
    public float[] ToSingles() => Convert<float>();

    /// <summary>The elements as float64; 64-bit integers beyond 2^53 are rounded to nearest.</summary>
    public double[] ToDoubles() => Convert<double>();

    /// <summary>The elements as int32, exactly: for labels and indices, also when they were saved as floats.</summary>
    /// <exception cref="OverflowException">An element is no whole number of that range.</exception>
    public int[] ToInt32s() => ConvertExactly<int>();

    /// <summary>The elements as int64, exactly.</summary>
    /// <exception cref="OverflowException">An element is no whole number of that range.</exception>
    public long[] ToInt64s() => ConvertExactly<long>();

    public bool Equals(NpyArray? other) =>
        other is not null && Type == other.Type && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan())
        && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Type);
        hash.AddBytes(MemoryMarshal.AsBytes(Shape.AsSpan()));
        hash.AddBytes(Data.Span);
        return hash.ToHashCode();
    }

    /// <summary>Type and shape, such as <c>f4 (3, 4)</c>.</summary>
    public override string ToString() => $"{Type.Code()} {NpyShape.Format(Shape.AsSpan())}";

    private TTo[] Convert<TTo>()
        where TTo : unmanaged, INumber<TTo> => Type switch
        {
            NpyType.Boolean => Each<byte, TTo>(MemoryMarshal.Cast<bool, byte>(AsSpan<bool>())),
            NpyType.Int8 => Each<sbyte, TTo>(AsSpan<sbyte>()),
            NpyType.UInt8 => Each<byte, TTo>(AsSpan<byte>()),
            NpyType.Int16 => Each<short, TTo>(AsSpan<short>()),
            NpyType.UInt16 => Each<ushort, TTo>(AsSpan<ushort>()),
            NpyType.Int32 => Each<int, TTo>(AsSpan<int>()),
            NpyType.UInt32 => Each<uint, TTo>(AsSpan<uint>()),
            NpyType.Int64 => Each<long, TTo>(AsSpan<long>()),
            NpyType.UInt64 => Each<ulong, TTo>(AsSpan<ulong>()),
            NpyType.Float16 => Each<Half, TTo>(AsSpan<Half>()),
            NpyType.Float32 => Each<float, TTo>(AsSpan<float>()),
            NpyType.Float64 => Each<double, TTo>(AsSpan<double>()),
            _ => throw new UnreachableException(),
        };

    private TTo[] ConvertExactly<TTo>()
        where TTo : unmanaged, INumber<TTo>
    {
        switch (Type)
        {
            case NpyType.Float16:
                CheckWhole(AsSpan<Half>());
                break;
            case NpyType.Float32:
                CheckWhole(AsSpan<float>());
                break;
            case NpyType.Float64:
                CheckWhole(AsSpan<double>());
                break;
        }

        return Convert<TTo>();
    }

    private static TTo[] Each<TFrom, TTo>(ReadOnlySpan<TFrom> source)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        TTo[] target = new TTo[source.Length];
        for (int i = 0; i < source.Length; i++)
        {
            target[i] = TTo.CreateChecked(source[i]);
        }

        return target;
    }

    private static void CheckWhole<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPoint<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!T.IsInteger(values[i]))
            {
                throw new OverflowException(
                    string.Create(CultureInfo.InvariantCulture, $"Element {i} is {values[i]}, no whole number."));
            }
        }
    }
}
