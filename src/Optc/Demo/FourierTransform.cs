using System.Numerics;
using Optc.Numerics;

namespace Optc.Demo;

/// <summary>Fast Fourier transform of a fixed size that gives the same bits on every machine.</summary>
/// <remarks>Source: Cooley and Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965; radix 2, in place.</remarks>
internal sealed class FourierTransform
{
    private readonly int[] _reversed;
    private readonly double[] _cosines;
    private readonly double[] _sines;

    /// <param name="points">A power of two, at least 2.</param>
    public FourierTransform(int points)
    {
        int bits = BitOperations.Log2((uint)points);
        _reversed = new int[points];
        for (int i = 0; i < points; i++)
        {
            _reversed[i] = (_reversed[i / 2] / 2) | ((i % 2) << (bits - 1));
        }

        _cosines = [.. Enumerable.Range(0, points / 2).Select(k => PortableMath.Cosine((double)k / points))];
        _sines = [.. Enumerable.Range(0, points / 2).Select(k => PortableMath.Sine((double)k / points))];
    }

    /// <summary>Replaces x by <c>X[k] = sum over i of x[i] exp(-2 pi j i k / points)</c>.</summary>
    public void Forward(Span<double> real, Span<double> imaginary)
    {
        int points = _reversed.Length;
        for (int i = 0; i < points; i++)
        {
            int j = _reversed[i];
            if (i < j)
            {
                (real[i], real[j]) = (real[j], real[i]);
                (imaginary[i], imaginary[j]) = (imaginary[j], imaginary[i]);
            }
        }

        for (int half = 1; half < points; half *= 2)
        {
            int stride = points / (2 * half);
            for (int start = 0; start < points; start += 2 * half)
            {
                for (int k = 0; k < half; k++)
                {
                    (double c, double s) = (_cosines[k * stride], -_sines[k * stride]);
                    (int a, int b) = (start + k, start + k + half);
                    double re = (c * real[b]) - (s * imaginary[b]);
                    double im = (c * imaginary[b]) + (s * real[b]);
                    (real[b], imaginary[b]) = (real[a] - re, imaginary[a] - im);
                    (real[a], imaginary[a]) = (real[a] + re, imaginary[a] + im);
                }
            }
        }
    }
}
