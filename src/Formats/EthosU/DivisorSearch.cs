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
/// the cheapest one and a change. The way back needs for every position the cheapest state and one bit for each state.
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

    private byte[] _cheapest = [];
    private ushort[] _changes = [];

    /// <summary>Stretches of indices.</summary>
    /// <param name="indices">At least one, 0 to 511.</param>
    /// <param name="uncompressedBits">Bits of an uncompressed index; null where that is not allowed.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public List<DivisorStretch> OfIndices(ReadOnlySpan<ushort> indices, int? uncompressedBits)
    {
        Reserve(indices.Length);
        Span<byte> cheapest = _cheapest.AsSpan(0, indices.Length);
        Span<ushort> changes = _changes.AsSpan(0, indices.Length);
        Vector256<short> uncompressed = Vector256<short>.Zero.WithElement(UncompressedCoding, (short)(uncompressedBits ?? UncompressedNotAllowed));
        Vector256<short> price = Vector256.Create((short)changePrice);
        Vector256<short> own = LanesFrom(Codings);
        ReadOnlySpan<Vector256<short>> costs = Costs;
        for (int i = 0; i < indices.Length; i++)
        {
            Vector256<short> best = MinAcross(own);
            cheapest[i] = (byte)BitOperations.TrailingZeroCount(Vector256.Equals(own, best).ExtractMostSignificantBits());
            Vector256<short> changed = best + price;
            changes[i] = (ushort)Vector256.GreaterThan(own, changed).ExtractMostSignificantBits();
            own = Vector256.Min(own, changed) - best + (costs[indices[i] & (WeightSymbol.Count - 1)] + uncompressed);
        }

        Vector256<short> last = MinAcross(own);
        int state = BitOperations.TrailingZeroCount(Vector256.Equals(own, last).ExtractMostSignificantBits());
        return TraceBack(state, indices.Length);
    }

    /// <summary>Stretches of runs.</summary>
    /// <param name="runs">One more than the indices.</param>
    /// <param name="indexStretches">Where a slice ends in any case, so that a change costs nothing.</param>
    public List<DivisorStretch> OfRuns(ReadOnlySpan<int> runs, List<DivisorStretch> indexStretches)
    {
        Reserve(runs.Length);
        Span<byte> cheapest = _cheapest.AsSpan(0, runs.Length);
        Span<ushort> changes = _changes.AsSpan(0, runs.Length);
        ReadOnlySpan<DivisorStretch> free = CollectionsMarshal.AsSpan(indexStretches);
        int own0 = 0;
        int own1 = 0;
        int own2 = 0;
        int own3 = 0;
        for (int i = 0; i < runs.Length; i++)
        {
            int price = changePrice;
            if (!free.IsEmpty && free[0].End == i + 1)
            {
                price = 0;
                free = free[1..];
            }

            int best = Math.Min(Math.Min(own0, own1), Math.Min(own2, own3));
            cheapest[i] = (byte)(own0 == best ? 0 : own1 == best ? 1 : own2 == best ? 2 : 3);
            own0 -= best;
            own1 -= best;
            own2 -= best;
            own3 -= best;
            changes[i] = (ushort)((own0 > price ? 1 : 0) | (own1 > price ? 2 : 0) | (own2 > price ? 4 : 0) | (own3 > price ? 8 : 0));
            int run = runs[i];
            own0 = Math.Min(own0, price) + run + 1;
            own1 = Math.Min(own1, price) + (run >> 1) + 2;
            own2 = Math.Min(own2, price) + (run >> 2) + 3;
            own3 = Math.Min(own3, price) + (run >> 3) + 4;
        }

        int last = Math.Min(Math.Min(own0, own1), Math.Min(own2, own3));
        return TraceBack(own0 == last ? 0 : own1 == last ? 1 : own2 == last ? 2 : 3, runs.Length);
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

    /// <summary>The smallest element, in every lane.</summary>
    /// <param name="values">None negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> MinAcross(Vector256<short> values)
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

    private void Reserve(int length)
    {
        if (_cheapest.Length < length)
        {
            _cheapest = new byte[length];
            _changes = new ushort[length];
        }
    }

    private List<DivisorStretch> TraceBack(int state, int length)
    {
        List<DivisorStretch> stretches = [new(state, length)];
        for (int i = length - 1; i > 0; i--)
        {
            if (((_changes[i] >> state) & 1) != 0)
            {
                state = _cheapest[i];
                stretches.Add(new(state, i));
            }
        }

        stretches.Reverse();
        return stretches;
    }
}
