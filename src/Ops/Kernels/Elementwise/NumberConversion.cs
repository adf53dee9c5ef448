using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>Conversion of numbers between element types, piece by piece through f64 or i64, which hold them all.</summary>
/// <remarks>
/// <para>Floats to integers: truncated towards zero, saturated, NaN to 0. Integers to integers: lower bits. To f16 and
/// bf16: by way of f32, ties to even. To bool: anything but 0.</para>
/// <para>Source: <c>copyCast</c> of LiteRT's <c>cast.cc</c>.</para>
/// </remarks>
internal static class NumberConversion
{
    private const int Piece = 256;

    /// <summary>The element types that convert into each other.</summary>
    public static ImmutableArray<DType> Types { get; } =
    [
        DType.F32, DType.F16, DType.BF16, DType.F64, DType.I8, DType.U8, DType.I16, DType.U16, DType.I32, DType.U32, DType.I64,
        DType.Bool,
    ];

    /// <param name="from">One of <see cref="Types"/>, or i4 beside f32.</param>
    /// <param name="x">Elements of type <paramref name="from"/>, little-endian.</param>
    /// <param name="to">One of <see cref="Types"/>, or i4 beside f32.</param>
    /// <param name="y">Room for as many elements of type <paramref name="to"/>.</param>
    /// <param name="length">Number of elements.</param>
    public static void Convert(DType from, ReadOnlySpan<byte> x, DType to, Span<byte> y, int length)
    {
        Span<double> reals = stackalloc double[Piece];
        Span<long> integers = stackalloc long[Piece];
        for (int start = 0; start < length; start += Piece)
        {
            int size = Math.Min(Piece, length - start);
            if (from.IsFloat)
            {
                ReadReals(from, x, start, reals[..size]);
                Write(to, y, start, (ReadOnlySpan<double>)reals[..size]);
            }
            else
            {
                ReadIntegers(from, x, start, integers[..size]);
                Write(to, y, start, (ReadOnlySpan<long>)integers[..size]);
            }
        }
    }

    private static void ReadReals(DType from, ReadOnlySpan<byte> x, int start, Span<double> values)
    {
        switch (from)
        {
            case DType.F32:
                Read<float, double>(x, start, values);
                break;
            case DType.F16:
                Read<Half, double>(x, start, values);
                break;
            case DType.F64:
                Read<double, double>(x, start, values);
                break;
            case DType.BF16:
                ReadOnlySpan<ushort> halves = Elements<ushort>(x, start, values.Length);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.Int32BitsToSingle(halves[i] << 16);
                }

                break;
            default:
                throw NoType(from);
        }
    }

    private static void ReadIntegers(DType from, ReadOnlySpan<byte> x, int start, Span<long> values)
    {
        switch (from)
        {
            case DType.I8:
                Read<sbyte, long>(x, start, values);
                break;
            case DType.U8:
                Read<byte, long>(x, start, values);
                break;
            case DType.I16:
                Read<short, long>(x, start, values);
                break;
            case DType.U16:
                Read<ushort, long>(x, start, values);
                break;
            case DType.I32:
                Read<int, long>(x, start, values);
                break;
            case DType.U32:
                Read<uint, long>(x, start, values);
                break;
            case DType.I64:
                Read<long, long>(x, start, values);
                break;
            case DType.Bool:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = x[start + i] == 0 ? 0 : 1;
                }

                break;
            case DType.I4:
                for (int i = 0; i < values.Length; i++)
                {
                    int nibble = (x[(start + i) >> 1] >> ((i & 1) * 4)) & 15;
                    values[i] = (nibble ^ 8) - 8;
                }

                break;
            default:
                throw NoType(from);
        }
    }

    private static void Write<T>(DType to, Span<byte> y, int start, ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        switch (to)
        {
            case DType.F32:
                Store<T, float>(values, y, start);
                break;
            case DType.F64:
                Store<T, double>(values, y, start);
                break;
            case DType.F16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(y).Slice(start, values.Length);
                for (int i = 0; i < values.Length; i++)
                {
                    halves[i] = (Half)float.CreateTruncating(values[i]);
                }

                break;
            case DType.BF16:
                Span<ushort> upper = MemoryMarshal.Cast<byte, ushort>(y).Slice(start, values.Length);
                for (int i = 0; i < values.Length; i++)
                {
                    upper[i] = UpperHalf(float.CreateTruncating(values[i]));
                }

                break;
            case DType.I8:
                Store<T, sbyte>(values, y, start);
                break;
            case DType.U8:
                Store<T, byte>(values, y, start);
                break;
            case DType.I16:
                Store<T, short>(values, y, start);
                break;
            case DType.U16:
                Store<T, ushort>(values, y, start);
                break;
            case DType.I32:
                Store<T, int>(values, y, start);
                break;
            case DType.U32:
                Store<T, uint>(values, y, start);
                break;
            case DType.I64:
                Store<T, long>(values, y, start);
                break;
            case DType.Bool:
                for (int i = 0; i < values.Length; i++)
                {
                    y[start + i] = values[i] == T.Zero ? (byte)0 : (byte)1;
                }

                break;
            case DType.I4:
                StoreNibbles(values, y, start);
                break;
            default:
                throw NoType(to);
        }
    }

    private static void Read<TFrom, T>(ReadOnlySpan<byte> x, int start, Span<T> values)
        where TFrom : unmanaged, INumber<TFrom>
        where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<TFrom> elements = Elements<TFrom>(x, start, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(elements[i]);
        }
    }

    // From floating point this saturates and makes NaN 0; between integers it keeps the lower bits.
    private static void Store<T, TTo>(ReadOnlySpan<T> values, Span<byte> y, int start)
        where T : unmanaged, INumber<T>
        where TTo : unmanaged, INumber<TTo>
    {
        Span<TTo> target = MemoryMarshal.Cast<byte, TTo>(y).Slice(start, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            target[i] = typeof(T) == typeof(double) ? TTo.CreateSaturating(values[i]) : TTo.CreateTruncating(values[i]);
        }
    }

    private static void StoreNibbles<T>(ReadOnlySpan<T> values, Span<byte> y, int start)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            int raw = Math.Clamp(int.CreateSaturating(values[i]), -8, 7) & 15;
            ref byte pair = ref y[(start + i) >> 1];
            pair = (byte)((i & 1) == 0 ? raw : pair | (raw << 4));
        }
    }

    private static ReadOnlySpan<T> Elements<T>(ReadOnlySpan<byte> x, int start, int length)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(x).Slice(start, length);

    private static ushort UpperHalf(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static NotSupportedException NoType(DType type) => new($"There is no conversion of {type.Name}.");
}
