namespace Optc.Formats.EthosU;

/// <summary>The unary digits of quotients as two bit planes, cut into steps of twelve digits.</summary>
/// <remarks>
/// A digit is 0, 1 or 2. The first plane has a bit for each digit: whether it is not 0. The second has a bit for each one of the first: whether
/// the digit is 2. What does not fit into a step waits for the next one.
/// </remarks>
internal struct DigitPlanes(bool isTruncated)
{
    /// <summary>Digits of a step.</summary>
    public const int Digits = 12;

    private const int LargestQuotient = 31;

    private static readonly Code[] Plain = [.. Enumerable.Range(0, LargestQuotient + 1).Select(DigitsOf)];

    private static readonly Code[] Truncated = [new(0, 1, 0, 0), new(1, 1, 0, 1), new(1, 1, 1, 1)];

    private readonly Code[] _codes = isTruncated ? Truncated : Plain;
    private ulong _plane;
    private ulong _twos;
    private int _filled;
    private int _ones;

    /// <summary>Adds quotients until there are digits for a step, or no more quotients.</summary>
    /// <param name="next">Number of the first index that is not added yet.</param>
    public void Fill(ReadOnlySpan<ushort> indices, ref int next, int divisor)
    {
        ReadOnlySpan<Code> codes = _codes;
        ulong plane = _plane;
        ulong twos = _twos;
        int filled = _filled;
        int ones = _ones;
        int at = next;
        while (filled < Digits && at < indices.Length)
        {
            Code code = codes[indices[at++] >> divisor];
            plane |= (ulong)code.Plane << filled;
            twos |= (ulong)code.Twos << ones;
            filled += code.Length;
            ones += code.Ones;
        }

        next = at;
        (_plane, _twos, _filled, _ones) = (plane, twos, filled, ones);
    }

    /// <summary>The first plane of a step, filled up with zeros.</summary>
    /// <param name="isLastOpen">Digits of the quotient that was added last remain.</param>
    public ulong Take(out bool isLastOpen)
    {
        ulong plane = _plane & ((1UL << Digits) - 1);
        _plane >>= Digits;
        _filled = Math.Max(_filled - Digits, 0);
        isLastOpen = _filled > 0;
        return plane;
    }

    /// <summary>The second plane of a step whose first one has so many ones.</summary>
    public ulong TakeTwos(int ones)
    {
        ulong twos = _twos & ((1UL << ones) - 1);
        _twos >>= ones;
        _ones -= ones;
        return twos;
    }

    /// <summary>Digits of 2 as long as they fit the quotient, and one that ends it.</summary>
    private static Code DigitsOf(int quotient)
    {
        int twos = quotient >> 1;
        int last = quotient & 1;
        int ones = (1 << twos) - 1;
        return new((ushort)(ones | (last << twos)), (byte)(twos + 1), (ushort)ones, (byte)(twos + last));
    }

    /// <param name="Length">Bits in the first plane.</param>
    /// <param name="Ones">Bits in the second plane.</param>
    private readonly record struct Code(ushort Plane, byte Length, ushort Twos, byte Ones);
}
