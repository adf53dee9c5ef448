using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
            if (hasWeights && isUncompressed)
            {
                newWeights = Math.Min(digitsPerStep, weights - weightAt);
                _indices.AsSpan(weightAt, newWeights).Clear();
            }

            uint plane = hasWeights && !isUncompressed ? (uint)bits.Read(DigitsPerStep) : 0;
            uint runPlane = hasRuns ? (uint)bits.Read(runDigits) : 0;
            if (hasWeights && !isUncompressed)
            {
                uint twos = Deposit((uint)bits.Read(BitOperations.PopCount(plane)), plane);
                newWeights = Header.IsTruncated
                    ? StoreDigits(_indices.AsSpan(weightAt), plane, twos, remainderBits)
                    : StoreQuotients(_indices.AsSpan(weightAt), plane, twos, remainderBits, ref carry);
                newWeights = Math.Min(newWeights, weights - weightAt);
            }

            if (hasRuns)
            {
                newRuns = Math.Min(StoreRuns(_runs.AsSpan(runAt), runPlane, runDigits, runBits, ref runCarry), runs - runAt);
            }

            AddRemainders(ref bits, _indices.AsSpan(weightAt - openWeights), openWeights, remainderBits);
            for (int i = runAt - openRuns; i < runAt && runBits > 0; i++)
            {
                _runs[i] |= (int)bits.Read(runBits);
            }

            weightAt += newWeights;
            runAt += newRuns;
            (openWeights, openRuns) = (newWeights, newRuns);
        }
        while (isOn);
    }

    /// <summary>One digit for each number.</summary>
    /// <returns>Numbers that were stored.</returns>
    private static int StoreDigits(Span<ushort> indices, uint plane, uint twos, int remainderBits)
    {
        indices = indices[..DigitsPerStep];
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = (ushort)(((plane & 1) + (twos & 1)) << remainderBits);
            plane >>= 1;
            twos >>= 1;
        }

        return DigitsPerStep;
    }

    /// <summary>Digits of 2 go on, any other ends its number.</summary>
    /// <inheritdoc cref="StoreDigits"/>
    private static int StoreQuotients(Span<ushort> indices, uint plane, uint twos, int remainderBits, ref int carry)
    {
        uint ends = ~twos & ((1u << DigitsPerStep) - 1);
        int count = 0;
        int from = 0;
        int quotient = carry;
        indices = indices[..DigitsPerStep];
        while (ends != 0)
        {
            int end = BitOperations.TrailingZeroCount(ends);
            quotient += (2 * (end - from)) + (int)((plane >> end) & 1);
            indices[count++] = quotient > LargestQuotient ? Invalid : (ushort)(quotient << remainderBits);
            quotient = 0;
            from = end + 1;
            ends &= ends - 1;
        }

        carry = quotient + (2 * (DigitsPerStep - from));
        return count;
    }

    /// <summary>Ones up to a zero.</summary>
    /// <inheritdoc cref="StoreDigits"/>
    private static int StoreRuns(Span<int> runs, uint plane, int digits, int remainderBits, ref int carry)
    {
        uint ends = ~plane & ((1u << digits) - 1);
        int count = 0;
        int from = 0;
        int quotient = carry;
        runs = runs[..digits];
        while (ends != 0)
        {
            int end = BitOperations.TrailingZeroCount(ends);
            runs[count++] = (int)Math.Min((long)(quotient + end - from) << remainderBits, LongestRun);
            quotient = 0;
            from = end + 1;
            ends &= ends - 1;
        }

        carry = quotient + digits - from;
        return count;
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
            Span<ulong> fours = MemoryMarshal.Cast<ushort, ulong>(numbers[..12]);
            for (int four = 0; count > 0; four++)
            {
                int taken = Math.Min(count, 4);
                fours[four] |= Bmi2.X64.ParallelBitDeposit(bits.Read(taken * width), lanes);
                count -= taken;
            }

            return;
        }

        for (int i = 0; i < count; i++)
        {
            numbers[i] |= (ushort)bits.Read(width);
        }
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
