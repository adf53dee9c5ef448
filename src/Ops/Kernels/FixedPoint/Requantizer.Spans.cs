using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

public sealed partial class Requantizer
{
    /// <summary>Outputs of consecutive channels, int8.</summary>
    /// <param name="accumulators">acc [C'], for the channels from <paramref name="firstChannel"/> on.</param>
    /// <param name="y">Outputs [C'], at least as many.</param>
    /// <param name="firstChannel">Channel of the first accumulator; ignored when one factor serves all.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="y"/> is too short, or there are fewer channels than accumulators.
    /// </exception>
    public void Apply(ReadOnlySpan<int> accumulators, Span<sbyte> y, int firstChannel = 0)
    {
        nuint channel = Check(accumulators.Length, y.Length, firstChannel);
        if (!Avx2.IsSupported || accumulators.Length < Lanes)
        {
            for (int i = 0; i < accumulators.Length; i++)
            {
                y[i] = FixedPoint.SaturateToInt8(Requantize(accumulators[i], firstChannel + i));
            }

            return;
        }

        ref int source = ref MemoryMarshal.GetReference(accumulators);
        ref sbyte target = ref MemoryMarshal.GetReference(y);
        nuint last = (nuint)accumulators.Length - Lanes;
        for (nuint i = 0; ; i = nuint.Min(i + Lanes, last))
        {
            Vector256<int> acc = Vector256.LoadUnsafe(ref source, i);
            nuint c = IsUniform ? 0 : channel + i;
            Vector256<int> value = floats is null ? TwoRoundings(acc, c) : OneRounding(acc, c, floats);
            Vector128<short> narrow = Sse2.PackSignedSaturate(value.GetLower(), value.GetUpper());
            Sse2.PackSignedSaturate(narrow, narrow).GetLower().StoreUnsafe(ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    /// <summary>Outputs of consecutive channels, int16 from 32-bit accumulators (<see cref="Requantize16"/>).</summary>
    /// <inheritdoc cref="Apply(ReadOnlySpan{int}, Span{sbyte}, int)"/>
    public void Apply(ReadOnlySpan<int> accumulators, Span<short> y, int firstChannel = 0)
    {
        nuint channel = Check(accumulators.Length, y.Length, firstChannel);
        if (!Avx2.IsSupported || accumulators.Length < Lanes)
        {
            for (int i = 0; i < accumulators.Length; i++)
            {
                y[i] = FixedPoint.SaturateToInt16(Requantize16(accumulators[i], firstChannel + i));
            }

            return;
        }

        ref int source = ref MemoryMarshal.GetReference(accumulators);
        ref short target = ref MemoryMarshal.GetReference(y);
        nuint last = (nuint)accumulators.Length - Lanes;
        for (nuint i = 0; ; i = nuint.Min(i + Lanes, last))
        {
            Vector256<int> value = TwoRoundings(Vector256.LoadUnsafe(ref source, i), IsUniform ? 0 : channel + i);
            Sse2.PackSignedSaturate(value.GetLower(), value.GetUpper()).StoreUnsafe(ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    /// <summary>Outputs of consecutive channels, int16 from 64-bit accumulators (<see cref="RequantizeLong"/>).</summary>
    /// <inheritdoc cref="Apply(ReadOnlySpan{int}, Span{sbyte}, int)"/>
    public void Apply(ReadOnlySpan<long> accumulators, Span<short> y, int firstChannel = 0)
    {
        nuint channel = Check(accumulators.Length, y.Length, firstChannel);
        if (!Avx2.IsSupported || accumulators.Length < Lanes || !longShiftsFitVectors)
        {
            for (int i = 0; i < accumulators.Length; i++)
            {
                y[i] = FixedPoint.SaturateToInt16(RequantizeLong(accumulators[i], firstChannel + i));
            }

            return;
        }

        ref long source = ref MemoryMarshal.GetReference(accumulators);
        ref short target = ref MemoryMarshal.GetReference(y);
        nuint last = (nuint)accumulators.Length - Lanes;
        for (nuint i = 0; ; i = nuint.Min(i + Lanes, last))
        {
            nuint c = IsUniform ? 0 : channel + i;
            Vector256<long> low = ScaleLong(Vector256.LoadUnsafe(ref source, i), c);
            Vector256<long> high = ScaleLong(Vector256.LoadUnsafe(ref source, i + (Lanes / 2)), c + (Lanes / 2));
            Vector256<int> value = Limit(Vector256.Narrow(low, high));
            Sse2.PackSignedSaturate(value.GetLower(), value.GetUpper()).StoreUnsafe(ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    private nuint Check(int accumulators, int outputs, int firstChannel)
    {
        if (outputs < accumulators)
        {
            throw new ArgumentException("There are fewer outputs than accumulators.", nameof(outputs));
        }

        if (!IsUniform && (firstChannel < 0 || firstChannel > factors.Length - accumulators))
        {
            throw new ArgumentException("There are fewer channels than accumulators.", nameof(accumulators));
        }

        return IsUniform ? 0 : (nuint)firstChannel;
    }

    /// <summary>
    /// <see cref="FixedPoint.Scale"/> on eight lanes: the 64-bit products of the even and of the odd lanes, then a rounding
    /// shift by lane. Mantissas are not negative, so the high product cannot overflow.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> TwoRoundings(Vector256<int> accumulators, nuint channel)
    {
        Vector256<int> mantissa = Load(mantissas, channel);
        Vector256<int> right = Load(rightShifts, channel);
        Vector256<int> x = Avx2.ShiftLeftLogicalVariable(accumulators, Load(leftShifts, channel).AsUInt32());
        Vector256<long> half = Vector256.Create(1L << 30);
        Vector256<long> even = Avx2.Multiply(x, mantissa) + half;
        Vector256<long> odd = Avx2.Multiply(OddLanes(x), OddLanes(mantissa)) + half;
        Vector256<int> high = Avx2.Blend((even >>> 31).AsInt32(), (odd << 1).AsInt32(), 0b1010_1010);

        Vector256<int> mask = ~Avx2.ShiftLeftLogicalVariable(Vector256<int>.AllBitsSet, right.AsUInt32());
        Vector256<int> threshold = (mask >>> 1) - (high >> 31);
        Vector256<int> roundsUp = Avx2.CompareGreaterThan(high & mask, threshold);
        return Limit(Avx2.ShiftRightArithmeticVariable(high, right.AsUInt32()) - roundsUp);
    }

    /// <summary>
    /// <see cref="FloatRequantizer.Requantize"/> on eight lanes; both conversions round to nearest even, the default mode
    /// of the processor.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> OneRounding(Vector256<int> accumulators, nuint channel, float[] floats)
    {
        Vector256<float> factor = Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(floats), channel);
        Vector256<float> scaled = Avx.ConvertToVector256Single(accumulators) * factor;
        Vector256<float> low = Vector256.Create((float)(Range.Low - ZeroPoint));
        Vector256<float> high = Vector256.Create((float)(Range.High - ZeroPoint));
        Vector256<float> limited = Avx.Min(Avx.Max(scaled, low), high);
        return Avx.ConvertToVector256Int32(limited) + Vector256.Create(ZeroPoint);
    }

    /// <summary>
    /// <see cref="FixedPoint.ScaleLong"/> on four lanes. The product keeps 64 bits and is put together from two halves;
    /// the arithmetic shift, which AVX2 lacks, is a logical one of a number moved up by 2^63.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<long> ScaleLong(Vector256<long> accumulators, nuint channel)
    {
        Vector256<ulong> x = accumulators.AsUInt64();
        Vector256<ulong> shift = Widen(longShifts, channel);
        Vector256<uint> mantissa = Widen(longMantissas, channel).AsUInt32();
        Vector256<ulong> product = Avx2.Multiply(x.AsUInt32(), mantissa)
            + (Avx2.Multiply((x >>> 32).AsUInt32(), mantissa) << 32);
        Vector256<ulong> half = Avx2.ShiftLeftLogicalVariable(Vector256<ulong>.One, shift - Vector256<ulong>.One);
        Vector256<ulong> offset = Vector256.Create(1UL << 63);
        Vector256<ulong> shifted = Avx2.ShiftRightLogicalVariable(product + half + offset, shift);
        return (shifted - Avx2.ShiftRightLogicalVariable(offset, shift)).AsInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> Limit(Vector256<int> scaled) =>
        Avx2.Min(
            Avx2.Max(scaled + Vector256.Create(ZeroPoint), Vector256.Create(Range.Low)),
            Vector256.Create(Range.High));

    private static Vector256<int> Load(int[] values, nuint channel) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(values), channel);

    private static Vector256<ulong> Widen(int[] values, nuint channel) =>
        Avx2.ConvertToVector256Int64(Vector128.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(values), channel))
            .AsUInt64();

    private static Vector256<int> OddLanes(Vector256<int> values) => (values.AsUInt64() >>> 32).AsInt32();
}
