using Optc.Numerics;

namespace Optc.Training;

/// <summary>Random orders that are a function of keys.</summary>
internal static class SampleOrder
{
    /// <summary>What a stream of random numbers is for, so that equal seeds do not mean equal numbers.</summary>
    public enum Domain : ulong
    {
        Shuffle = 1,
        Split = 2,
        Augment = 3,
    }

    /// <summary>A copy in random order, every order equally likely as far as 64 bits tell them apart.</summary>
    public static int[] Shuffled(ReadOnlySpan<int> items, Domain domain, ulong seed, ulong key)
    {
        int[] order = items.ToArray();
        Shuffle(order, domain, seed, key);
        return order;
    }

    /// <summary>Brings items into random order, in place.</summary>
    /// <remarks>Source: Fisher and Yates in Durstenfeld's form, "Algorithm 235: random permutation", CACM 1964.</remarks>
    public static void Shuffle(Span<int> items, Domain domain, ulong seed, ulong key)
    {
        SplitMix64 random = SplitMix64.Of((ulong)domain, seed, key);
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.NextBelow(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
