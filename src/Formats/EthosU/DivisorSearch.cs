using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Optc.Formats.EthosU;

/// <summary>Chooses the divisor for each stretch of a section: the shortest path over one state for each way of coding.</summary>
/// <remarks>
/// All states of one position are one vector of 16-bit costs, from which the cheapest is subtracted in every step: no state can be dearer than
/// the cheapest one and a change. The way back needs two bits for each state of every position.
/// </remarks>
internal sealed class DivisorSearch(int changePrice)
{
    /// <summary>Ways to code indices: divisors 0 to 5, the same truncated, uncompressed.</summary>
    public const int Codings = 13;

    public const int Divisors = 6;

    public const int UncompressedCoding = 12;

    public const int RunDivisors = 4;

    private const int LargestQuotient = 31;

    private const short Impossible = 10000;

    // Not quite impossible, as Arm's encoder has it.
    private const short UncompressedNotAllowed = 100;

    private static readonly Vector256<short>[] Costs = MakeCosts();

    // For each number: which states were cheapest before it (low half), and which came from another one (high half).
    private uint[] _steps = [];

    /// <summary>Stretches of indices.</summary>
    /// <param name="indices">At least one, 0 to 511.</param>
    /// <param name="uncompressedBits">Bits of an uncompressed index; null where that is not allowed.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public List<DivisorStretch> OfIndices(ReadOnlySpan<ushort> indices, int? uncompressedBits)
    {
        Span<uint> steps = Reserve(indices.Length);
        Vector256<short> uncompressed = Vector256<short>.Zero.WithElement(UncompressedCoding, (short)(uncompressedBits ?? UncompressedNotAllowed));
        Vector256<short> price = Vector256.Create((short)changePrice);
        Vector256<short> own = LanesFrom(Codings);
        ReadOnlySpan<Vector256<short>> costs = Costs;
        indices = indices[..steps.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            Vector256<short> above = own - MinAcross(own);
            own = Vector256.Min(above, price) + (costs[indices[i] & (WeightSymbol.Count - 1)] + uncompressed);
            steps[i] = Vector256.NarrowWithSaturation(Vector256.Equals(above, Vector256<short>.Zero), Vector256.GreaterThan(above, price))
                .ExtractMostSignificantBits();
        }

        return TraceBack(Vector256.Equals(own, MinAcross(own)).ExtractMostSignificantBits(), indices.Length);
    }

    /// <summary>Stretches of runs.</summary>
    /// <param name="runs">One more than the indices.</param>
    /// <param name="indexStretches">Where a slice ends in any case, so that a change costs nothing.</param>
    public List<DivisorStretch> OfRuns(ReadOnlySpan<int> runs, List<DivisorStretch> indexStretches)
    {
        Span<uint> steps = Reserve(runs.Length);
        ReadOnlySpan<DivisorStretch> free = CollectionsMarshal.AsSpan(indexStretches);
        int nextFree = free[0].End - 1;
        Vector128<int> price = Vector128.Create(changePrice);
        Vector128<int> own = Vector128<int>.Zero;
        runs = runs[..steps.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            Vector128<int> change = price;
            if (i == nextFree)
            {
                change = Vector128<int>.Zero;
                free = free[1..];
                nextFree = free.IsEmpty ? -1 : free[0].End - 1;
            }

            Vector128<int> best = Vector128.Min(own, Vector128.Shuffle(own, Vector128.Create(2, 3, 0, 1)));
            best = Vector128.Min(best, Vector128.Shuffle(best, Vector128.Create(1, 0, 3, 2)));
            Vector128<int> above = own - best;
            int run = runs[i];
            own = Vector128.Min(above, change) + Vector128.Create(run + 1, (run >> 1) + 2, (run >> 2) + 3, (run >> 3) + 4);
            steps[i] = Vector128.Equals(above, Vector128<int>.Zero).ExtractMostSignificantBits()
                | (Vector128.GreaterThan(above, change).ExtractMostSignificantBits() << 16);
        }

        int least = Math.Min(Math.Min(own[0], own[1]), Math.Min(own[2], own[3]));
        return TraceBack(Vector128.Equals(own, Vector128.Create(least)).ExtractMostSignificantBits(), runs.Length);
    }

    /// <summary>Bits of an index, or more than any path can bear if it cannot be coded so.</summary>
    public static int Cost(int index, int coding)
    {
        int divisor = coding % Divisors;
        int quotient = index >> divisor;
        return coding < Divisors
            ? quotient > LargestQuotient ? Impossible : quotient + 1 + divisor
            : quotient > 2 ? Impossible : Math.Min(quotient + 1, 2) + divisor;
    }

    /// <summary>The smallest element, in every lane.</summary>
    /// <param name="values">None negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> MinAcross(Vector256<short> values)
    {
        Vector128<short> half = Vector128.Min(values.GetLower(), values.GetUpper());
        if (Sse41.IsSupported)
        {
            return Vector256.Create(Sse41.MinHorizontal(half.AsUInt16()).AsInt16().ToScalar());
        }

        if (AdvSimd.Arm64.IsSupported)
        {
            return Vector256.Create(AdvSimd.Arm64.MinAcross(half).ToScalar());
        }

        half = Vector128.Min(half, Vector128.Shuffle(half, Vector128.Create((short)4, 5, 6, 7, 0, 1, 2, 3)));
        half = Vector128.Min(half, Vector128.Shuffle(half, Vector128.Create((short)2, 3, 0, 1, 6, 7, 4, 5)));
        half = Vector128.Min(half, Vector128.Shuffle(half, Vector128.Create((short)1, 0, 3, 2, 5, 4, 7, 6)));
        return Vector256.Create(half, half);
    }

    private static Vector256<short>[] MakeCosts()
    {
        Vector256<short>[] costs = new Vector256<short>[WeightSymbol.Count];
        for (int index = 0; index < costs.Length; index++)
        {
            Vector256<short> row = LanesFrom(Codings);
            for (int coding = 0; coding < UncompressedCoding; coding++)
            {
                row = row.WithElement(coding, (short)Cost(index, coding));
            }

            costs[index] = row;
        }

        return costs;
    }

    /// <summary>Zero, but from a lane on what no path takes.</summary>
    private static Vector256<short> LanesFrom(int lane) =>
        Vector256.GreaterThanOrEqual(Vector256<short>.Indices, Vector256.Create((short)lane)) & Vector256.Create(Impossible);

    private Span<uint> Reserve(int length)
    {
        if (_steps.Length < length)
        {
            _steps = GC.AllocateUninitializedArray<uint>(length);
        }

        return _steps.AsSpan(0, length);
    }

    /// <param name="cheapest">Bit for each state that is cheapest at the end; the first of them is taken.</param>
    private List<DivisorStretch> TraceBack(uint cheapest, int length)
    {
        int state = BitOperations.TrailingZeroCount(cheapest);
        List<DivisorStretch> stretches = [new(state, length)];
        for (int i = length - 1; i > 0; i--)
        {
            if (((_steps[i] >> (16 + state)) & 1) != 0)
            {
                state = BitOperations.TrailingZeroCount(_steps[i]);
                stretches.Add(new(state, i));
            }
        }

        stretches.Reverse();
        return stretches;
    }
}
