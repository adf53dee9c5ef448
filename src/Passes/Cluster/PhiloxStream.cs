namespace Optc.Passes.Cluster;

/// <summary>The random numbers of the toolkit's k-means++: Philox 4x32 with ten rounds, words taken in order.</summary>
/// <remarks>Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.</remarks>
internal sealed class PhiloxStream(ulong seed)
{
    private const int Rounds = 10;

    private readonly uint[] _block = new uint[4];
    private ulong _counter;
    private int _used = 4;

    /// <summary>Uniform in [0, 1): 23 random bits as the mantissa of a number in [1, 2), less 1.</summary>
    public float NextSingle() => BitConverter.UInt32BitsToSingle((NextUInt32() & 0x7fffff) | 0x3f800000) - 1;

    /// <summary>Uniform in 0 .. <paramref name="limit"/> - 1.</summary>
    public ulong Below(ulong limit)
    {
        if (ulong.IsPow2(limit))
        {
            return NextUInt64() & (limit - 1);
        }

        ulong rejected = (ulong.MaxValue % limit) + 1;
        ulong value;
        do
        {
            value = NextUInt64();
        }
        while (value < rejected);

        return value % limit;
    }

    private ulong NextUInt64()
    {
        ulong low = NextUInt32();
        return low | ((ulong)NextUInt32() << 32);
    }

    private uint NextUInt32()
    {
        if (_used == _block.Length)
        {
            Refill();
        }

        return _block[_used++];
    }

    private void Refill()
    {
        (uint c0, uint c1, uint c2, uint c3) = ((uint)_counter, (uint)(_counter >> 32), 0u, 0u);
        (uint k0, uint k1) = ((uint)seed, (uint)(seed >> 32));
        for (int round = 0; round < Rounds; round++)
        {
            ulong first = 0xD2511F53UL * c0;
            ulong second = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(second >> 32) ^ c1 ^ k0, (uint)second, (uint)(first >> 32) ^ c3 ^ k1, (uint)first);
            (k0, k1) = (unchecked(k0 + 0x9E3779B9u), unchecked(k1 + 0xBB67AE85u));
        }

        (_block[0], _block[1], _block[2], _block[3]) = (c0, c1, c2, c3);
        _counter++;
        _used = 0;
    }
}
