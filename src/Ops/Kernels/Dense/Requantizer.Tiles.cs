using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

public sealed partial class Requantizer
{
    /// <summary>
    /// Outputs of a tile: rows are pixels, columns consecutive channels. As <see cref="Apply(ReadOnlySpan{int}, Span{sbyte}, int)"/>
    /// on each row, but the factors stay in registers over the rows.
    /// </summary>
    /// <param name="tile">Accumulators, row r at <c>tile + r * tileStride</c>.</param>
    /// <param name="y">Outputs, row r at <c>y + r * yStride</c>.</param>
    /// <param name="firstChannel">Channel of column 0; the caller has checked that all columns have a factor.</param>
    internal unsafe void ApplyTile(
        int* tile, int tileStride, int rows, int columns, sbyte* y, nint yStride, int firstChannel)
    {
        int column = 0;
        if (Avx512BW.IsSupported)
        {
            for (; column <= columns - 16; column += 16)
            {
                if (floats is null)
                {
                    TwoRoundings512(tile + column, tileStride, rows, y + column, yStride, firstChannel + column);
                }
                else
                {
                    OneRounding512(tile + column, tileStride, rows, y + column, yStride, firstChannel + column, floats);
                }
            }
        }

        if (Avx2.IsSupported)
        {
            for (; column <= columns - 8; column += 8)
            {
                if (floats is null)
                {
                    TwoRoundings256(tile + column, tileStride, rows, y + column, yStride, firstChannel + column);
                }
                else
                {
                    OneRounding256(tile + column, tileStride, rows, y + column, yStride, firstChannel + column, floats);
                }
            }
        }

        if (column == columns)
        {
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            Apply(
                new ReadOnlySpan<int>(tile + ((nint)row * tileStride) + column, columns - column),
                new Span<sbyte>(y + (row * yStride) + column, columns - column),
                firstChannel + column);
        }
    }

    /// <summary><see cref="FixedPoint.Scale"/> on sixteen channels of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void TwoRoundings512(int* tile, nint tileStride, int rows, sbyte* y, nint yStride, int channel)
    {
        Vector512<int> mantissa = Load512(mantissas, channel);
        Vector512<int> oddMantissa = (mantissa.AsUInt64() >>> 32).AsInt32();
        Vector512<uint> left = Load512(leftShifts, channel).AsUInt32();
        Vector512<uint> right = Load512(rightShifts, channel).AsUInt32();
        Vector512<int> mask = ~Avx512F.ShiftLeftLogicalVariable(Vector512<int>.AllBitsSet, right);
        Vector512<int> threshold = mask >>> 1;
        Vector512<long> half = Vector512.Create(1L << 30);
        Vector512<int> upper = Vector512.Create(0xFFFF_FFFF_0000_0000UL).AsInt32();
        Vector512<int> zero = Vector512.Create(ZeroPoint);
        Vector512<int> low = Vector512.Create(Range.Low);
        Vector512<int> high = Vector512.Create(Range.High);
        for (; rows > 0; rows--)
        {
            Vector512<int> x = Avx512F.ShiftLeftLogicalVariable(Avx512F.LoadVector512(tile), left);
            Vector512<long> even = Avx512F.Multiply(x, mantissa) + half;
            Vector512<long> odd = Avx512F.Multiply((x.AsUInt64() >>> 32).AsInt32(), oddMantissa) + half;
            Vector512<int> product = Vector512.ConditionalSelect(upper, (odd << 1).AsInt32(), (even >>> 31).AsInt32());
            Vector512<int> roundsUp = Avx512F.CompareGreaterThan(product & mask, threshold - (product >> 31));
            Vector512<int> scaled = Avx512F.ShiftRightArithmeticVariable(product, right) - roundsUp;
            Vector512<int> limited = Avx512F.Min(Avx512F.Max(scaled + zero, low), high);
            Avx512F.ConvertToVector128SByteWithSaturation(limited).Store(y);
            tile += tileStride;
            y += yStride;
        }
    }

    /// <summary><see cref="FloatRequantizer.Requantize"/> on sixteen channels of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void OneRounding512(
        int* tile, nint tileStride, int rows, sbyte* y, nint yStride, int channel, float[] factors)
    {
        Vector512<float> factor = IsUniform ? Vector512.Create(factors[0]) : Vector512.Create<float>(factors.AsSpan(channel, 16));
        Vector512<float> low = Vector512.Create((float)(Range.Low - ZeroPoint));
        Vector512<float> high = Vector512.Create((float)(Range.High - ZeroPoint));
        Vector512<int> zero = Vector512.Create(ZeroPoint);
        for (; rows > 0; rows--)
        {
            Vector512<float> scaled = Avx512F.ConvertToVector512Single(Avx512F.LoadVector512(tile)) * factor;
            Vector512<float> limited = Avx512F.Min(Avx512F.Max(scaled, low), high);
            Vector512<int> value = Avx512F.ConvertToVector512Int32(limited) + zero;
            Avx512F.ConvertToVector128SByteWithSaturation(value).Store(y);
            tile += tileStride;
            y += yStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void TwoRoundings256(int* tile, nint tileStride, int rows, sbyte* y, nint yStride, int channel)
    {
        nuint c = IsUniform ? 0 : (nuint)channel;
        Vector256<int> mantissa = Load(mantissas, c);
        Vector256<int> oddMantissa = OddLanes(mantissa);
        Vector256<uint> left = Load(leftShifts, c).AsUInt32();
        Vector256<uint> right = Load(rightShifts, c).AsUInt32();
        Vector256<int> mask = ~Avx2.ShiftLeftLogicalVariable(Vector256<int>.AllBitsSet, right);
        Vector256<int> threshold = mask >>> 1;
        Vector256<long> half = Vector256.Create(1L << 30);
        for (; rows > 0; rows--)
        {
            Vector256<int> x = Avx2.ShiftLeftLogicalVariable(Avx.LoadVector256(tile), left);
            Vector256<long> even = Avx2.Multiply(x, mantissa) + half;
            Vector256<long> odd = Avx2.Multiply(OddLanes(x), oddMantissa) + half;
            Vector256<int> product = Avx2.Blend((even >>> 31).AsInt32(), (odd << 1).AsInt32(), 0b1010_1010);
            Vector256<int> roundsUp = Avx2.CompareGreaterThan(product & mask, threshold - (product >> 31));
            Narrow(Limit(Avx2.ShiftRightArithmeticVariable(product, right) - roundsUp)).Store(y);
            tile += tileStride;
            y += yStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void OneRounding256(
        int* tile, nint tileStride, int rows, sbyte* y, nint yStride, int channel, float[] factors)
    {
        nuint c = IsUniform ? 0 : (nuint)channel;
        for (; rows > 0; rows--)
        {
            Narrow(OneRounding(Avx.LoadVector256(tile), c, factors)).Store(y);
            tile += tileStride;
            y += yStride;
        }
    }

    private Vector512<int> Load512(int[] values, int channel) =>
        IsUniform ? Vector512.Create(values[0]) : Vector512.Create<int>(values.AsSpan(channel, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector64<sbyte> Narrow(Vector256<int> values)
    {
        Vector128<short> narrow = Sse2.PackSignedSaturate(values.GetLower(), values.GetUpper());
        return Sse2.PackSignedSaturate(narrow, narrow).GetLower();
    }
}
