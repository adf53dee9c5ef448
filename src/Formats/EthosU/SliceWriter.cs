using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Optc.Formats.EthosU;

/// <summary>Writes the slices of a section.</summary>
internal static class SliceWriter
{
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
        int digitsPerStep = header.IsUncompressed && remainderBits > 5 ? 8 : DigitPlanes.Digits;
        int runDigits = header.RunDivisor < 3 ? 12 : 8;
        int indexAt = 0;
        int runAt = 0;
        int started = 0;
        int runQuotient = runs.IsEmpty ? 0 : runs[0] >> header.RunDivisor;
        int openIndices = 0;
        int openRuns = 0;
        DigitPlanes planes = new(header.IsTruncated);
        bool isOn;
        do
        {
            int gap = runs.IsEmpty ? 0 : indexAt - runAt;
            bool hasIndices = indexAt < indices.Length && gap < 8;
            bool hasRuns = runAt < runs.Length && gap >= 0;
            isOn = hasIndices || hasRuns;
            int nextIndex = indexAt;
            int nextRun = runAt;
            ulong plane = 0;
            if (hasIndices && header.IsUncompressed)
            {
                nextIndex = Math.Min(indexAt + digitsPerStep, indices.Length);
            }
            else if (hasIndices)
            {
                planes.Fill(indices, ref started, header.Divisor);
                plane = planes.Take(out bool isLastOpen);
                nextIndex = isLastOpen ? started - 1 : started;
                writer.Write(plane, DigitPlanes.Digits);
            }

            if (hasRuns)
            {
                writer.Write(RunPlane(runs, ref nextRun, header.RunDivisor, runDigits, ref runQuotient), runDigits);
            }

            if (plane != 0)
            {
                int ones = BitOperations.PopCount(plane);
                writer.Write(planes.TakeTwos(ones), ones);
            }

            WriteRemainders(writer, indices.Slice(indexAt - openIndices, openIndices), remainderBits);
            WriteRemainders(writer, runs.Slice(runAt - openRuns, openRuns), header.RunDivisor);
            openIndices = nextIndex - indexAt;
            openRuns = nextRun - runAt;
            indexAt = nextIndex;
            runAt = nextRun;
        }
        while (isOn);
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
        ulong lanes = mask * 0x0001_0001_0001_0001UL;
        while (numbers.Length >= 4)
        {
            ulong four = Bmi2.X64.IsSupported
                ? Bmi2.X64.ParallelBitExtract(MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(numbers)), lanes)
                : (numbers[0] & mask) | ((ulong)(numbers[1] & mask) << width)
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
        // At most twelve of three bits.
        ulong all = 0;
        int bits = 0;
        uint mask = (1u << width) - 1;
        foreach (int number in numbers)
        {
            all |= (ulong)((uint)number & mask) << bits;
            bits += width;
        }

        writer.Write(all, bits);
    }
}
