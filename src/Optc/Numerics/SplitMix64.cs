namespace Optc.Numerics;

/// <summary>Random numbers that are a function of a key and a counter, the same on every machine.</summary>
/// <param name="key">Names the stream; streams of different keys are independent of each other.</param>
/// <remarks>Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.</remarks>
internal sealed class SplitMix64(ulong key)
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    private ulong _counter = Mix(key + GoldenGamma);

    /// <summary>A stream for a list of keys, such as seed, epoch and sample: another key anywhere gives an independent stream.</summary>
    public static SplitMix64 Of(params ReadOnlySpan<ulong> keys) => new(Join(keys));

    /// <summary>From here on the stream for these keys, as <see cref="Of"/> makes it.</summary>
    public void Restart(params ReadOnlySpan<ulong> keys) => _counter = Mix(Join(keys) + GoldenGamma);

    public ulong NextUInt64() => Mix(_counter += GoldenGamma);

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextUnit() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Between(double low, double high) => low + ((high - low) * NextUnit());

    /// <summary>Uniform in 0 .. <paramref name="bound"/> - 1, every number equally likely.</summary>
    /// <remarks>Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is not positive.</exception>
    public int NextBelow(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        ulong range = (ulong)bound;
        ulong high = Math.BigMul(NextUInt64(), range, out ulong low);
        if (low < range)
        {
            ulong excess = (0 - range) % range;
            while (low < excess)
            {
                high = Math.BigMul(NextUInt64(), range, out low);
            }
        }

        return (int)high;
    }

    /// <summary>Uniform in <paramref name="low"/> .. <paramref name="high"/>, both included.</summary>
    public int NextWithin(int low, int high) => low + NextBelow(high - low + 1);

    /// <summary>
    /// Nearly normal with mean 0 and variance 1, within ±3.47: the sum of four uniform 16-bit numbers. It takes no logarithm,
    /// which would differ between machines.
    /// </summary>
    public double NextNormal()
    {
        ulong bits = NextUInt64();
        long sum = (long)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));

        // Each has mean 65535 / 2 and variance (65536^2 - 1) / 12; 37837.2 is the square root of four times that.
        return (sum - 131070) / 37837.2;
    }

    private static ulong Join(ReadOnlySpan<ulong> keys)
    {
        ulong joined = 0;
        foreach (ulong key in keys)
        {
            joined = Mix(joined + GoldenGamma) ^ key;
        }

        return joined;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
