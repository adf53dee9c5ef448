using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Formats.EthosU;

/// <summary>Decodes slices one after the other: the indices and zero runs of one, then its weights.</summary>
/// <remarks>
/// A slice is a row of steps. Each step has the unary digits of the numbers that begin there, and the remainders of the numbers whose
/// digits ended in the step before.
/// </remarks>
internal sealed class SliceReader
{
    private const int DigitsPerStep = 12;

    // A step may end up to so many numbers behind the last one: the fill of its plane reads as zeros.
    private const int Surplus = 16;

    private const int LargestQuotient = 31;

    // Of a hostile stream: more than any caller accepts, with room for a remainder.
    private const int LongestRun = int.MaxValue & ~7;

    // Stands for an index that is none; larger than all that are.
    private const ushort Invalid = 0x8000;

    private readonly ushort[] _indices = new ushort[SliceHeader.MaxWeights + Surplus];
    private readonly int[] _runs = new int[SliceHeader.MaxWeights + 1 + Surplus];
    private readonly short[] _weights = new short[WeightSymbol.Count];
    private int _paletteSize;
    private int _directOffset;
    private int _fieldBits;

    /// <summary>Header of the slice that was read last.</summary>
    public SliceHeader Header { get; private set; }

    /// <summary>Weights of the slice that was read last, with those inside its runs.</summary>
    public long Length { get; private set; }

    /// <summary>Reads a slice up to its last bit.</summary>
    /// <param name="first">The three bits of its run divisor, read already.</param>
    /// <param name="isFirst">No slice went before in its stream.</param>
    /// <exception cref="MalformedDataException">The slice breaks a rule of the format, or ends early.</exception>
    public void Read(ref BitReader bits, int first, bool isFirst)
    {
        long start = bits.Position - 3;
        SliceHeader previous = Header;
        Header = ReadHeader(ref bits, first);
        if (first is 4 or 5)
        {
            throw Malformed(start, "ZDIV", $"{first}", "0 to 3, 6, or 7 for the end");
        }

        if (Header.Divisor == 6)
        {
            throw Malformed(start, "WDIV", "6", "0 to 5, or 7");
        }

        if (Header.HasSetup)
        {
            ReadSetup(ref bits);
        }
        else if (isFirst)
        {
            throw Malformed(start, "NEWPAL", "0 in the first slice", "1");
        }
        else if (previous.HasRuns != Header.HasRuns)
        {
            throw Malformed(start, "NEWPAL", "0 in a slice that begins or ends the coding of zero runs", "1");
        }

        ReadNumbers(ref bits);
        Length = Header.Weights;
        foreach (int run in _runs.AsSpan(0, Header.Runs))
        {
            Length += run;
        }

        ushort limit = (ushort)LegalIndices();
        if (LargestOf(_indices.AsSpan(0, Header.Weights)) >= limit)
        {
            throw Malformed(start, "index", "an index that stands for no weight", $"indices below {limit}");
        }
    }

    /// <summary>The weights of the slice that was read last.</summary>
    /// <param name="weights"><see cref="Length"/> elements, all zero.</param>
    public void CopyWeights(Span<short> weights)
    {
        ReadOnlySpan<ushort> indices = _indices.AsSpan(0, Header.Weights);
        ReadOnlySpan<short> table = _weights;
        if (!Header.HasRuns)
        {
            weights = weights[..indices.Length];
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = table[indices[i] & (WeightSymbol.Count - 1)];
            }

            return;
        }

        ReadOnlySpan<int> runs = _runs.AsSpan(0, Header.Runs);
        int at = 0;
        if (Header.HasSetup)
        {
            at = runs[0];
            runs = runs[1..];
        }

        runs = runs[..indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            weights[at] = table[indices[i] & (WeightSymbol.Count - 1)];
            at += runs[i] + 1;
        }
    }

    private static SliceHeader ReadHeader(ref BitReader bits, int first)
    {
        int rest = (int)bits.Read(SliceHeader.Bits - 3);
        return new(first, (rest & 0x7FFF) + 1, (rest >> 15) & 7, ((rest >> 18) & 1) != 0, ((rest >> 19) & 1) != 0);
    }

    private static ushort LargestOf(ReadOnlySpan<ushort> indices)
    {
        Vector<ushort> largest = Vector<ushort>.Zero;
        int at = 0;
        for (; at <= indices.Length - Vector<ushort>.Count; at += Vector<ushort>.Count)
        {
            largest = Vector.Max(largest, new Vector<ushort>(indices[at..]));
        }

        ushort result = 0;
        for (int i = 0; i < Vector<ushort>.Count; i++)
        {
            result = Math.Max(result, largest[i]);
        }

        foreach (ushort index in indices[at..])
        {
            result = Math.Max(result, index);
        }

        return result;
    }

    private static MalformedDataException Malformed(long bit, string field, string found, string expected) => new(
        bit >> 3,
        string.Create(CultureInfo.InvariantCulture, $"slice at bit {bit}, {field}"),
        found,
        expected);

    private void ReadSetup(ref BitReader bits)
    {
        int fields = (int)bits.Read(PaletteSetup.FixedBits);
        _directOffset = fields & 31;
        int size = (fields >> 5) & 31;
        _paletteSize = size == 0 ? 0 : size + 1;
        _fieldBits = (fields >> 10) + PaletteSetup.LeastFieldBits;
        for (int i = 0; i < _paletteSize; i++)
        {
            _weights[i] = WeightSymbol.Weights[(int)bits.Read(_fieldBits)];
        }

        int direct = Math.Min(WeightSymbol.Count - _paletteSize, WeightSymbol.Count - _directOffset);
        WeightSymbol.Weights.Slice(_directOffset, direct).CopyTo(_weights.AsSpan(_paletteSize));
    }

    private int LegalIndices() => (Header.IsUncompressed, _paletteSize) switch
    {
        (true, > 0) => _paletteSize,
        _ => Math.Min(WeightSymbol.Count, WeightSymbol.Count - _directOffset + _paletteSize),
    };

    private int RemainderBits() => (Header.IsUncompressed, _paletteSize) switch
    {
        (false, _) => Header.Divisor,
        (true, 0) => _fieldBits,
        _ => BitOperations.Log2((uint)_paletteSize - 1) + 1,
    };

    private void ReadNumbers(ref BitReader bits)
    {
        int weights = Header.Weights;
        int runs = Header.Runs;
        bool isUncompressed = Header.IsUncompressed;
        int remainderBits = RemainderBits();
        int runBits = Header.RunDivisor;
        int digitsPerStep = isUncompressed && remainderBits > 5 ? 8 : DigitsPerStep;
        int runDigits = runBits < 3 ? 12 : 8;
        int weightAt = 0;
        int runAt = 0;
        int carry = 0;
        int runCarry = 0;
        int openWeights = 0;
        int openRuns = 0;
        bool isOn;
        do
        {
            int gap = runs > 0 ? weightAt - runAt : 0;
            bool hasWeights = weightAt < weights && gap < 8;
            bool hasRuns = runAt < runs && gap >= 0;
            isOn = hasWeights || hasRuns;
            int newWeights = 0;
            int newRuns = 0;
            Span<ushort> indices = _indices.AsSpan(weightAt, Surplus);
            uint plane = hasWeights && !isUncompressed ? (uint)bits.ReadAhead(DigitsPerStep) : 0;
            if (hasRuns)
            {
                uint runPlane = (uint)bits.ReadAhead(runDigits);
                newRuns = StoreRuns(_runs.AsSpan(runAt, Surplus), runPlane, runDigits, runBits, ref runCarry);
            }

            if (hasWeights && isUncompressed)
            {
                newWeights = digitsPerStep;
                indices.Clear();
            }
            else if (hasWeights)
            {
                uint twos = Deposit((uint)bits.ReadAhead(BitOperations.PopCount(plane)), plane);
                newWeights = Header.IsTruncated
                    ? StoreDigits(indices, plane, twos, remainderBits)
                    : StoreQuotients(indices, plane, twos, remainderBits, ref carry);
            }

            AddRemainders(ref bits, _indices.AsSpan(weightAt - openWeights, Surplus), openWeights, remainderBits);
            if (openRuns > 0 && runBits > 0)
            {
                AddRemainders(ref bits, _runs.AsSpan(runAt - openRuns, openRuns), runBits);
            }

            bits.Require();
            openWeights = Math.Min(newWeights, weights - weightAt);
            openRuns = Math.Min(newRuns, runs - runAt);
            weightAt += openWeights;
            runAt += openRuns;
        }
        while (isOn);
    }

    /// <summary>One digit for each number.</summary>
    /// <returns>Numbers that were stored.</returns>
    private static int StoreDigits(Span<ushort> indices, uint plane, uint twos, int remainderBits)
    {
        Vector256<ushort> quotients = Ones(plane) + Ones(twos);
        (quotients << remainderBits).CopyTo(indices);
        return DigitsPerStep;
    }

    /// <summary>Digits of 2 go on, any other ends its number.</summary>
    /// <inheritdoc cref="StoreDigits"/>
    private static int StoreQuotients(Span<ushort> indices, uint plane, uint twos, int remainderBits, ref int carry)
    {
        ref readonly UnaryStep step = ref UnaryStep.Of(twos);
        uint last = Extract(plane, ~twos & ((1u << DigitsPerStep) - 1));
        Vector256<ushort> quotients = (step.Lengths << 1) + Ones(last);
        (quotients << remainderBits).CopyTo(indices);
        if (step.Count == 0)
        {
            carry += 2 * DigitsPerStep;
            return 0;
        }

        if (carry > 0)
        {
            int first = carry + (2 * step.First) + (int)(last & 1);
            indices[0] = first > LargestQuotient ? Invalid : (ushort)(first << remainderBits);
        }

        carry = 2 * step.Rest;
        return step.Count;
    }

    /// <summary>Ones up to a zero.</summary>
    /// <inheritdoc cref="StoreDigits"/>
    private static int StoreRuns(Span<int> runs, uint plane, int digits, int remainderBits, ref int carry)
    {
        // Digits that the plane does not have go on, so that they end nothing.
        ref readonly UnaryStep step = ref UnaryStep.Of(plane | (uint.MaxValue << digits));
        Vector256<ushort> lengths = step.Lengths;
        (Vector256.WidenLower(lengths).AsInt32() << remainderBits).CopyTo(runs);
        (Vector256.WidenUpper(lengths).AsInt32() << remainderBits).CopyTo(runs[8..]);
        if (step.Count == 0)
        {
            carry += digits;
            return 0;
        }

        if (carry > 0)
        {
            runs[0] = (int)Math.Min((long)(carry + step.First) << remainderBits, LongestRun);
        }

        carry = step.Rest - (DigitsPerStep - digits);
        return step.Count;
    }

    /// <summary>Lane i is bit i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Ones(uint bits)
    {
        Vector256<ushort> lanes = Vector256.Create(
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768).AsUInt16();
        return Vector256.Min(Vector256.Create((ushort)bits) & lanes, Vector256<ushort>.One);
    }

    /// <summary>Adds to each of the first <paramref name="count"/> numbers its remainder.</summary>
    private static void AddRemainders(ref BitReader bits, Span<ushort> numbers, int count, int width)
    {
        if (width == 0)
        {
            return;
        }

        if (Bmi2.X64.IsSupported)
        {
            ulong lanes = ((1UL << width) - 1) * 0x0001_0001_0001_0001;
            Span<ulong> fours = MemoryMarshal.Cast<ushort, ulong>(numbers[..DigitsPerStep]);
            for (int four = 0; count > 0; four++)
            {
                int taken = Math.Min(count, 4);
                fours[four] |= Bmi2.X64.ParallelBitDeposit(bits.ReadAhead(taken * width), lanes);
                count -= taken;
            }

            return;
        }

        for (int i = 0; i < count; i++)
        {
            numbers[i] |= (ushort)bits.ReadAhead(width);
        }
    }

    private static void AddRemainders(ref BitReader bits, Span<int> numbers, int width)
    {
        // At most twelve of three bits.
        int all = numbers.Length * width;
        ulong remainders = bits.ReadAhead(all);
        uint mask = (1u << width) - 1;
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] |= (int)((uint)remainders & mask);
            remainders >>= width;
        }
    }

    /// <summary>The bits of <paramref name="value"/> at the places of the ones of <paramref name="mask"/>, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Extract(uint value, uint mask)
    {
        if (Bmi2.IsSupported)
        {
            return Bmi2.ParallelBitExtract(value, mask);
        }

        uint result = 0;
        for (int at = 0; mask != 0; mask &= mask - 1, at++)
        {
            result |= ((value >> BitOperations.TrailingZeroCount(mask)) & 1) << at;
        }

        return result;
    }

    /// <summary>Moves the low bits of <paramref name="value"/> to the places of the ones of <paramref name="mask"/>, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Deposit(uint value, uint mask)
    {
        if (Bmi2.IsSupported)
        {
            return Bmi2.ParallelBitDeposit(value, mask);
        }

        uint result = 0;
        for (; mask != 0; mask &= mask - 1, value >>= 1)
        {
            result |= (value & 1) * (mask & ~(mask - 1));
        }

        return result;
    }
}
