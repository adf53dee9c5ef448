namespace Optc.Numerics;

/// <summary>Elementary functions of additions, products and quotients only, which IEEE 754 defines to the last bit.</summary>
/// <remarks>
/// <see cref="Math.Sin"/> and its like are those of the C library of the machine, and these differ in the last bit. Power
/// series, cut where the next term is below 1e-13.
/// </remarks>
internal static class PortableMath
{
    private static readonly double[] InverseOdd = [.. Enumerable.Range(0, 8).Select(k => 1.0 / ((2 * k) + 1))];

    private static readonly double[] SineSeries =
    [
        1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000,
    ];

    /// <summary><c>sin(2 pi turns)</c>.</summary>
    public static double Sine(double turns)
    {
        double x = turns - Math.Round(turns);
        x = x > 0.25 ? 0.5 - x : x < -0.25 ? -0.5 - x : x;
        double y = 2 * Math.PI * x;
        double square = y * y;
        double sum = 0;
        for (int k = SineSeries.Length - 1; k >= 0; k--)
        {
            sum = (sum * square) + SineSeries[k];
        }

        return y * sum;
    }

    /// <summary><c>cos(2 pi turns)</c>.</summary>
    public static double Cosine(double turns) => Sine(turns + 0.25);

    /// <summary>Natural exponential of an argument within ±700.</summary>
    public static double Exp(double x)
    {
        double scaled = x * (1 / NaturalLogOfTwo);
        double whole = Math.Round(scaled);
        double rest = (scaled - whole) * NaturalLogOfTwo;
        double sum = 1;
        for (int n = 13; n > 0; n--)
        {
            sum = 1 + (sum * rest / n);
        }

        return sum * BitConverter.Int64BitsToDouble(((long)whole + 1023) << 52);
    }

    /// <summary>Natural logarithm of a positive normal number.</summary>
    public static double Log(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int exponent = (int)(bits >> 52) - 1023;
        double mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | (1023L << 52));
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }

        // The area hyperbolic tangent: log m = 2 artanh((m - 1) / (m + 1)).
        double t = (mantissa - 1) / (mantissa + 1);
        double square = t * t;
        double sum = 0;
        for (int k = InverseOdd.Length - 1; k >= 0; k--)
        {
            sum = (sum * square) + InverseOdd[k];
        }

        return (2 * t * sum) + (exponent * NaturalLogOfTwo);
    }

    /// <summary>Amplitude of a level in dB: <c>10^(dB / 20)</c>.</summary>
    public static double Amplitude(double decibel) => Exp(decibel * (NaturalLogOfTen / 20));

    public const double NaturalLogOfTen = 2.302585092994046;

    private const double NaturalLogOfTwo = 0.6931471805599453;
}
