using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Ops.Kernels;

/// <summary>Accumulators and factors for property tests: the ends, the powers of two and their neighbours, and noise.</summary>
internal sealed class KernelSamples(int seed)
{
    private readonly Random random = new(seed);

    public static IEnumerable<int> BoundaryIntegers()
    {
        yield return 0;
        yield return int.MinValue;
        yield return int.MaxValue;
        for (int bit = 0; bit < 31; bit++)
        {
            int power = 1 << bit;
            foreach (int value in (int[])[power - 1, power, power + 1, power + (power >> 1)])
            {
                yield return value;
                yield return -value;
            }
        }
    }

    /// <summary>All magnitudes alike.</summary>
    public int Integer()
    {
        int value = (int)random.NextInt64(int.MinValue, (long)int.MaxValue + 1);
        return value >> random.Next(0, 32);
    }

    /// <summary>A 64-bit accumulator within the bounds of the int16 kernels, all magnitudes alike.</summary>
    public long Accumulator() => random.NextInt64(-(1L << 47) + 1, 1L << 47) >> random.Next(0, 48);

    public int Mantissa() => random.Next(0, 8) switch
    {
        0 => 1 << 30,
        1 => int.MaxValue,
        2 => 0x7FFF_0000 + random.Next(-2, 2),
        _ => random.Next(1 << 30, int.MaxValue),
    };

    public FixedPoint Factor(int lowestExponent, int highestExponent) =>
        new(Mantissa(), random.Next(lowestExponent, highestExponent + 1));

    public float Scale() => MathF.ScaleB(1 + random.NextSingle(), random.Next(-12, 4));

    public int Next(int low, int high) => random.Next(low, high);
}
