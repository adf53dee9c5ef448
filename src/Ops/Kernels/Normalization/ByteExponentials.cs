using Optc.Ir;
using Optc.Ops.Quantization;

namespace Optc.Ops.Kernels;

/// <summary>
/// What 8-bit softmax kernels know of a row: the exponential of each of the 256 possible differences to its maximum.
/// </summary>
/// <remarks>Source: <c>PreprocessSoftmaxScaling</c> and <c>reference/softmax.h</c>: Q5 differences, Q0 exponentials, Q12 sums.</remarks>
internal sealed class ByteExponentials
{
    private const int IntegerBits = 5;

    private readonly int[] powers = new int[256];

    /// <param name="scale">Real units per raw difference, times beta when there is one.</param>
    /// <exception cref="OpRuleException">The scale is too small for the kernel, or no number.</exception>
    public ByteExponentials(double scale)
    {
        double factor = Math.Min(scale * (1 << (31 - IntegerBits)), int.MaxValue);
        if (!(factor > 1))
        {
            throw new OpRuleException("the scale of the operand, times beta, is too small for the integer kernel")
            {
                Found = $"{scale:R}",
                Expected = "more than 2^-26",
            };
        }

        Factor = Grid.Factor(factor);
        SmallestDifference = -FixedPointMath.InputRadius(IntegerBits, Factor.Exponent);
        for (int magnitude = 0; magnitude < powers.Length; magnitude++)
        {
            powers[magnitude] = -magnitude < SmallestDifference
                ? 0
                : FixedPointMath.ExpOfNegative(Factor.Scale(-magnitude), IntegerBits);
        }
    }

    /// <summary>From raw differences to Q5.</summary>
    public FixedPoint Factor { get; }

    /// <summary>Raw differences below this one count as an exponential of zero.</summary>
    public int SmallestDifference { get; }

    /// <summary>Exponential of minus <paramref name="magnitude"/>, in Q0; 0 below <see cref="SmallestDifference"/>.</summary>
    /// <param name="magnitude">0 to 255.</param>
    public int Power(int magnitude) => powers[magnitude];

    /// <summary>Sum of the exponentials of a row, in Q12.</summary>
    /// <param name="row">Raw values, none above <paramref name="max"/>.</param>
    /// <param name="flip">0 for u8; 0x80 for i8, whose values are then ordered as bytes.</param>
    /// <param name="max">Largest flipped value.</param>
    /// <exception cref="OpRuleException">The sum does not fit the accumulator of the reference.</exception>
    public int Sum(ReadOnlySpan<byte> row, int flip, int max)
    {
        long sum = 0;
        foreach (byte raw in row)
        {
            sum += FixedPoint.RoundingShiftRight(powers[max - (raw ^ flip)], 12);
        }

        return sum <= int.MaxValue
            ? (int)sum
            : throw new OpRuleException("a row has more large elements than the accumulator of the softmax kernel can hold")
            {
                Found = $"{row.Length} elements",
                Expected = "at most 4095 that are close to the maximum",
            };
    }

    public static int Max(ReadOnlySpan<byte> row, int flip)
    {
        int max = 0;
        foreach (byte raw in row)
        {
            max = Math.Max(max, raw ^ flip);
        }

        return max;
    }
}
