using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// Philox4x32-10: a random number generator without state. Four words follow from a counter and a key, so that any
/// element of a random tensor can be made by itself, on any thread.
/// </summary>
/// <remarks>
/// Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011; tested with the known
/// answers of the authors' Random123.
/// </remarks>
internal static class Philox
{
    /// <summary>Words that one counter gives.</summary>
    public const int Words = 4;

    private const int Rounds = 10;
    private const uint FirstMultiplier = 0xD2511F53;
    private const uint SecondMultiplier = 0xCD9E8D57;
    private const uint FirstWeyl = 0x9E3779B9;
    private const uint SecondWeyl = 0xBB67AE85;

    /// <param name="low">Lower half of the counter.</param>
    /// <param name="high">Upper half of the counter.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint W0, uint W1, uint W2, uint W3) Next(ulong low, ulong high, ulong key)
    {
        uint c0 = (uint)low;
        uint c1 = (uint)(low >> 32);
        uint c2 = (uint)high;
        uint c3 = (uint)(high >> 32);
        uint k0 = (uint)key;
        uint k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong first = (ulong)FirstMultiplier * c0;
            ulong second = (ulong)SecondMultiplier * c2;
            c0 = (uint)(second >> 32) ^ c1 ^ k0;
            c1 = (uint)second;
            c2 = (uint)(first >> 32) ^ c3 ^ k1;
            c3 = (uint)first;
            k0 = unchecked(k0 + FirstWeyl);
            k1 = unchecked(k1 + SecondWeyl);
        }

        return (c0, c1, c2, c3);
    }
}
