using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// XNNPACK's int8 ADD and SUB:
/// <c>y = ((x1 - z1) * First + (x2 - z2) * Second + 2^(Shift - 1)) / 2^Shift + z_y</c>, halves up.
/// </summary>
/// <param name="First">Ratio of the first scale to the output scale, times <c>2^Shift</c>; below 2^21.</param>
/// <param name="Second">Likewise; negative for a difference.</param>
/// <param name="Shift">13 to 30.</param>
/// <remarks>Source: XNNPACK's <c>qs8-vadd</c> micro-kernels and their parameters; <see cref="RoundingProfile.Xnnpack"/>.</remarks>
public readonly record struct XnnpackSum(int First, int Second, int Shift)
{
    /// <summary>Prepares a sum or difference.</summary>
    /// <param name="first">Scale of the first input.</param>
    /// <param name="second">Scale of the second input.</param>
    /// <param name="output">Scale of the output.</param>
    /// <param name="subtract">True for SUB.</param>
    /// <returns>
    /// False when a ratio of an input scale to the output scale lies outside of <c>[2^-10, 2^8)</c>: XNNPACK leaves such an
    /// operator to LiteRT's own kernel, which rounds as <see cref="RoundingProfile.Tflm"/>.
    /// </returns>
    public static bool TryCreate(float first, float second, float output, bool subtract, out XnnpackSum sum)
    {
        sum = default;
        float firstRatio = first / output;
        float secondRatio = second / output;
        if (!IsSupported(firstRatio) || !IsSupported(secondRatio))
        {
            return false;
        }

        int shift = 20 - Math.ILogB(MathF.Max(firstRatio, secondRatio));
        int secondFactor = Round(secondRatio, shift);
        sum = new(Round(firstRatio, shift), subtract ? -secondFactor : secondFactor, shift);
        return true;
    }

    /// <summary>The output before its zero point is added and it is limited.</summary>
    /// <param name="first"><c>x1 - z1</c>, at most 255 in magnitude.</param>
    /// <param name="second"><c>x2 - z2</c>, at most 255 in magnitude.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Combine(int first, int second)
    {
        long sum = ((long)first * First) + ((long)second * Second) + (1L << (Shift - 1));
        return (int)(sum >> Shift);
    }

    private static bool IsSupported(float ratio) => ratio is >= 1f / 1024 and < 256;

    private static int Round(float ratio, int shift) =>
        (int)MathF.Round(MathF.ScaleB(ratio, shift), MidpointRounding.ToEven);
}
