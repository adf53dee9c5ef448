using System.Runtime.InteropServices;

namespace Optc.Formats.EthosU;

/// <summary>Writes the slices of a section.</summary>
internal static class SliceWriter
{
    private const int DigitsPerStep = 12;

    /// <summary>Cuts a section wherever a divisor changes and writes the slices.</summary>
    /// <param name="stretches">Codings of all indices.</param>
    /// <param name="runStretches">Divisors of all runs, whose ends count as ends of indices; empty without runs.</param>
    /// <param name="longestSlice">Most coded weights of a slice.</param>
    public static void WriteSection(
        BitWriter writer, CodedSection section, List<DivisorStretch> stretches, List<DivisorStretch> runStretches, int longestSlice)
    {
        ReadOnlySpan<ushort> indices = section.Indices.Span;
        ReadOnlySpan<int> runs = section.Runs.Span;
        ReadOnlySpan<DivisorStretch> coding = CollectionsMarshal.AsSpan(stretches);
        ReadOnlySpan<DivisorStretch> runCoding = CollectionsMarshal.AsSpan(runStretches);
        int position = 0;
        while (position < indices.Length)
        {
            int end = Math.Min(Math.Min(position + longestSlice, coding[0].End), indices.Length);
            int runDivisor = SliceHeader.NoRuns;
            if (section.HasRuns)
            {
                end = Math.Min(end, runCoding[0].End);
                runDivisor = runCoding[0].Coding;
            }

            SliceHeader header = HeaderOf(coding[0].Coding, runDivisor, end - position, position == 0);
            header.Write(writer);
            if (header.HasSetup)
            {
                section.Setup.Write(writer);
            }

            ReadOnlySpan<int> sliceRuns = section.HasRuns ? runs[(position == 0 ? 0 : position + 1)..(end + 1)] : [];
            WriteNumbers(writer, header, section.Setup.UncompressedBits, indices[position..end], sliceRuns);
            if (coding[0].End == end)
            {
                coding = coding[1..];
            }

            if (section.HasRuns && runCoding[0].End == end)
            {
                runCoding = runCoding[1..];
            }

            position = end;
        }
    }

    private static SliceHeader HeaderOf(int coding, int runDivisor, int weights, bool hasSetup) => coding == DivisorSearch.UncompressedCoding
        ? new(runDivisor, weights, SliceHeader.Uncompressed, IsTruncated: false, hasSetup)
        : new(runDivisor, weights, coding % DivisorSearch.Divisors, coding >= DivisorSearch.Divisors, hasSetup);

    private static void WriteNumbers(BitWriter writer, SliceHeader header, int uncompressedBits, ReadOnlySpan<ushort> indices, ReadOnlySpan<int> runs)
    {
        int remainderBits = header.IsUncompressed ? uncompressedBits : header.Divisor;
        int digitsPerStep = header.IsUncompressed && remainderBits > 5 ? 8 : DigitsPerStep;
        int runDigits = header.RunDivisor < 3 ? 12 : 8;
        int indexAt = 0;
        int runAt = 0;
        int quotient = indices[0] >> remainderBits;
        int runQuotient = runs.IsEmpty ? 0 : runs[0] >> header.RunDivisor;
        int openIndices = 0;
        int openRuns = 0;
        bool isOn;
        do
        {
            int gap = runs.IsEmpty ? 0 : indexAt - runAt;
            bool hasIndices = indexAt < indices.Length && gap < 8;
            bool hasRuns = runAt < runs.Length && gap >= 0;
            isOn = hasIndices || hasRuns;
            int nextIndex = indexAt;
            int nextRun = runAt;
            Digits digits = default;
            if (hasIndices)
            {
                nextIndex = header.IsUncompressed ? Math.Min(indexAt + digitsPerStep, indices.Length)
                    : header.IsTruncated ? AddDigits(ref digits, indices, indexAt, remainderBits)
                    : AddQuotients(ref digits, indices, indexAt, remainderBits, ref quotient);
                writer.Write(digits.Plane, header.IsUncompressed ? 0 : DigitsPerStep);
            }

            if (hasRuns)
            {
                writer.Write(RunPlane(runs, ref nextRun, header.RunDivisor, runDigits, ref runQuotient), runDigits);
            }

            writer.Write(digits.Twos, digits.Ones);
            WriteRemainders(writer, indices[(indexAt - openIndices)..indexAt], remainderBits);
            WriteRemainders(writer, runs[(runAt - openRuns)..runAt], header.RunDivisor);
            openIndices = nextIndex - indexAt;
            openRuns = nextRun - runAt;
            indexAt = nextIndex;
            runAt = nextRun;
        }
        while (isOn);
    }

    /// <summary>One digit, 0 to 2, for each index.</summary>
    /// <returns>Number of the first index that is not in the step.</returns>
    private static int AddDigits(ref Digits digits, ReadOnlySpan<ushort> indices, int at, int divisor)
    {
        int end = Math.Min(at + DigitsPerStep, indices.Length);
        for (; at < end; at++)
        {
            digits.Add(indices[at] >> divisor);
        }

        return end;
    }

    /// <summary>Digits of 2 as long as they fit the quotient, and one that ends it.</summary>
    /// <param name="quotient">Of the index at <paramref name="at"/>, less what earlier steps hold of it.</param>
    /// <returns>Number of the first index that is not finished in the step.</returns>
    private static int AddQuotients(ref Digits digits, ReadOnlySpan<ushort> indices, int at, int divisor, ref int quotient)
    {
        while (digits.Count < DigitsPerStep)
        {
            int twos = Math.Min(quotient >> 1, DigitsPerStep - digits.Count);
            digits.AddTwos(twos);
            quotient -= 2 * twos;
            if (digits.Count == DigitsPerStep)
            {
                break;
            }

            digits.Add(quotient);
            if (++at == indices.Length)
            {
                break;
            }

            quotient = indices[at] >> divisor;
        }

        return at;
    }

    /// <summary>Ones for each run, and a zero that ends it.</summary>
    private static ulong RunPlane(ReadOnlySpan<int> runs, ref int at, int divisor, int digits, ref int quotient)
    {
        ulong plane = 0;
        int filled = 0;
        while (filled < digits)
        {
            int ones = Math.Min(quotient, digits - filled);
            plane |= ((1UL << ones) - 1) << filled;
            filled += ones;
            quotient -= ones;
            if (filled == digits)
            {
                break;
            }

            filled++;
            if (++at == runs.Length)
            {
                break;
            }

            quotient = runs[at] >> divisor;
        }

        return plane;
    }

    private static void WriteRemainders(BitWriter writer, ReadOnlySpan<ushort> numbers, int width)
    {
        if (width == 0)
        {
            return;
        }

        // Four at a time: no remainder has more than nine bits.
        uint mask = (1u << width) - 1;
        while (numbers.Length >= 4)
        {
            ulong four = (numbers[0] & mask) | ((ulong)(numbers[1] & mask) << width)
                | ((ulong)(numbers[2] & mask) << (2 * width)) | ((ulong)(numbers[3] & mask) << (3 * width));
            writer.Write(four, 4 * width);
            numbers = numbers[4..];
        }

        foreach (ushort number in numbers)
        {
            writer.Write(number & mask, width);
        }
    }

    private static void WriteRemainders(BitWriter writer, ReadOnlySpan<int> numbers, int width)
    {
        if (width == 0)
        {
            return;
        }

        foreach (int number in numbers)
        {
            writer.Write((uint)number & ((1u << width) - 1), width);
        }
    }

    /// <summary>The two bit planes of a step.</summary>
    private struct Digits
    {
        /// <summary>Bit for each digit that is not 0.</summary>
        public uint Plane { get; private set; }

        /// <summary>Bit for each one of <see cref="Plane"/>: whether that digit is 2.</summary>
        public uint Twos { get; private set; }

        /// <summary>Ones of <see cref="Plane"/>.</summary>
        public int Ones { get; private set; }

        public int Count { get; private set; }

        public void Add(int digit)
        {
            int one = (digit + 1) >> 1;
            Plane |= (uint)one << Count++;
            Twos |= (uint)(digit >> 1) << Ones;
            Ones += one;
        }

        public void AddTwos(int count)
        {
            uint ones = (1u << count) - 1;
            Plane |= ones << Count;
            Twos |= ones << Ones;
            Count += count;
            Ones += count;
        }
    }
}
