namespace Optc.Certificates;

/// <summary>The requantizations that runtimes have.</summary>
[Flags]
internal enum Roundings
{
    None = 0,

    /// <summary>TensorFlow Lite Micro's default: two roundings, half away from zero.</summary>
    Double = 1,

    /// <summary>One rounding of the 64-bit product, halves up.</summary>
    Single = 2,

    /// <summary>XNNPACK's: a product in float32, rounded half to even.</summary>
    Float32 = 4,
}

/// <summary>A non-negative real factor as each runtime holds it: <c>Q * 2^(E - 31)</c>, or a float32.</summary>
/// <remarks>
/// Every rounding is monotone non-decreasing in the accumulator, so the image of an interval is that of its ends. Source:
/// the reference kernels of TensorFlow Lite Micro (<c>QuantizeMultiplier</c>, <c>MultiplyByQuantizedMultiplier</c>) and
/// XNNPACK's <c>qs8</c> requantization.
/// </remarks>
internal readonly record struct FixedPoint(int Q, int E, float Real)
{
    private const long Limit = 1L << 31;

    /// <param name="factor">As the reference kernels compute it, in double.</param>
    /// <param name="real">As XNNPACK computes it, in float32.</param>
    /// <returns>Null for a factor that no kernel accepts.</returns>
    public static FixedPoint? Of(double factor, float real)
    {
        if (!double.IsFinite(factor) || factor < 0 || !float.IsFinite(real) || real < 0)
        {
            return null;
        }

        if (factor == 0)
        {
            return new(0, 0, real);
        }

        int exponent = Math.ILogB(factor) + 1;
        long q = (long)Math.Round(Math.ScaleB(factor, 31 - exponent), MidpointRounding.AwayFromZero);
        if (q == Limit)
        {
            (q, exponent) = (q / 2, exponent + 1);
        }

        return exponent < -31 ? new(0, 0, real) : exponent > 30 ? new(int.MaxValue, 30, real) : new((int)q, exponent, real);
    }

    /// <summary>The factor applied in one rounding.</summary>
    /// <returns>False where the kernel's integers would overflow, so that nothing is known.</returns>
    public bool TryApply(long accumulator, Roundings rounding, out long value)
    {
        value = 0;
        if (accumulator is < -Limit or >= Limit)
        {
            return false;
        }

        switch (rounding)
        {
            case Roundings.Double:
                long shifted = accumulator << Math.Max(E, 0);
                if (shifted is < -Limit or >= Limit)
                {
                    return false;
                }

                value = DivideByPowerOfTwo(DoublingHighProduct(shifted, Q), Math.Max(-E, 0));
                return true;
            case Roundings.Single:
                value = ((accumulator * Q) + (1L << (30 - E))) >> (31 - E);
                return value is >= -Limit and < Limit;
            default:
                float product = accumulator * Real;
                value = (long)Math.Clamp(MathF.Round(product, MidpointRounding.ToEven), -2147483648f, 2147483648f);
                return true;
        }
    }

    /// <summary>The smallest and the largest value that an accumulator in an interval can become, over several roundings.</summary>
    public bool TryImage(long low, long high, Roundings roundings, out long smallest, out long largest)
    {
        (smallest, largest) = (long.MaxValue, long.MinValue);
        foreach (Roundings one in (ReadOnlySpan<Roundings>)[Roundings.Double, Roundings.Single, Roundings.Float32])
        {
            if ((roundings & one) != 0)
            {
                if (!TryApply(low, one, out long a) || !TryApply(high, one, out long b))
                {
                    return false;
                }

                (smallest, largest) = (Math.Min(smallest, a), Math.Max(largest, b));
            }
        }

        return smallest <= largest;
    }

    /// <summary>Twice the upper half of a product, rounded half away from zero (<c>SaturatingRoundingDoublingHighMul</c>).</summary>
    private static long DoublingHighProduct(long a, int b)
    {
        long product = a * b;
        return (product + (product >= 0 ? 1L << 30 : 1 - (1L << 30))) / Limit;
    }

    /// <summary>Division rounded half away from zero (<c>RoundingDivideByPOT</c>).</summary>
    private static long DivideByPowerOfTwo(long value, int exponent)
    {
        long mask = (1L << exponent) - 1;
        long threshold = (mask >> 1) + (value < 0 ? 1 : 0);
        return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
    }
}
