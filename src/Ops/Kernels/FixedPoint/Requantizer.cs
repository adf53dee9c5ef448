using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>
/// Turns accumulators into outputs: <c>y = clamp(round(acc * factor[c]) + zero point)</c>, with one factor for each
/// output channel c, or one for all.
/// </summary>
/// <remarks>
/// <para>The span forms use AVX2 where there is any and give the same bits everywhere.</para>
/// <para>Source: the output stage of TFLite's reference kernels and of XNNPACK; see <see cref="RoundingProfile"/>.</para>
/// </remarks>
public sealed partial class Requantizer
{
    private const int Lanes = 8;

    // All arrays have one entry per channel; a single factor is repeated to fill a vector.
    private readonly FixedPoint[] factors;
    private readonly int[] mantissas;
    private readonly int[] leftShifts;
    private readonly int[] rightShifts;
    private readonly int[] longMantissas;
    private readonly int[] longShifts;
    private readonly bool longShiftsFitVectors;
    private readonly float[]? floats;

    /// <summary>Factors with two roundings, <see cref="RoundingProfile.Tflm"/>.</summary>
    /// <param name="factors">One per channel, or a single one for all; not negative.</param>
    /// <param name="zeroPoint">Zero point of the output.</param>
    /// <param name="range">Limits of the output, within the range of its type.</param>
    /// <exception cref="ArgumentException">There is no factor, or a negative one.</exception>
    public Requantizer(ReadOnlySpan<FixedPoint> factors, int zeroPoint, ActivationRange range)
        : this(factors, null, zeroPoint, range)
    {
    }

    private Requantizer(ReadOnlySpan<FixedPoint> factors, float[]? floats, int zeroPoint, ActivationRange range)
    {
        if (factors.IsEmpty)
        {
            throw new ArgumentException("A requantization has at least one factor.", nameof(factors));
        }

        ZeroPoint = zeroPoint;
        Range = range;
        IsUniform = factors.Length == 1;
        int length = IsUniform ? Lanes : factors.Length;
        this.factors = new FixedPoint[length];
        this.floats = floats is null ? null : new float[length];
        mantissas = new int[length];
        leftShifts = new int[length];
        rightShifts = new int[length];
        longMantissas = new int[length];
        longShifts = new int[length];
        longShiftsFitVectors = true;
        for (int c = 0; c < length; c++)
        {
            int source = IsUniform ? 0 : c;
            FixedPoint factor = factors[source];
            if (factor.Mantissa < 0)
            {
                throw new ArgumentException($"The factor of channel {c} is negative.", nameof(factors));
            }

            this.factors[c] = factor;
            mantissas[c] = factor.Exponent < -31 ? 0 : factor.Mantissa;
            leftShifts[c] = Math.Max(factor.Exponent, 0);
            rightShifts[c] = Math.Min(Math.Max(-factor.Exponent, 0), 31);
            longMantissas[c] = factor.Mantissa16;
            longShifts[c] = 15 - factor.Exponent;
            longShiftsFitVectors &= longShifts[c] is > 0 and <= 62;
            if (floats is not null)
            {
                this.floats![c] = floats[source];
            }
        }
    }

    /// <summary>Zero point of the output.</summary>
    public int ZeroPoint { get; }

    /// <summary>Limits of the output, in raw units.</summary>
    public ActivationRange Range { get; }

    /// <summary>True when one factor serves all channels; there may then be any number of them.</summary>
    public bool IsUniform { get; }

    /// <summary>Whose rounding int8 outputs have.</summary>
    public RoundingProfile Profile => floats is null ? RoundingProfile.Tflm : RoundingProfile.Xnnpack;

    /// <summary>The factors, one per channel, or a single one.</summary>
    public ReadOnlySpan<FixedPoint> Factors => factors.AsSpan(0, IsUniform ? 1 : factors.Length);

    /// <summary>
    /// For CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, MUL, and FULLY_CONNECTED with one scale per output: the factor is
    /// <c>s_x * s_w[c] / s_y</c> in double.
    /// </summary>
    /// <param name="profile">
    /// Rounding of int8 outputs; 16-bit outputs always round as <see cref="RoundingProfile.Tflm"/>.
    /// </param>
    /// <param name="inputScale">s_x.</param>
    /// <param name="weightScales">s_w [C], or a single scale for all channels.</param>
    /// <param name="outputScale">s_y.</param>
    /// <param name="zeroPoint">Zero point of the output.</param>
    /// <param name="range">Limits of the output.</param>
    /// <exception cref="ArgumentException">There is no weight scale.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A ratio of scales is negative, infinite or NaN.</exception>
    public static Requantizer ForConvolution(
        RoundingProfile profile,
        float inputScale,
        ReadOnlySpan<float> weightScales,
        float outputScale,
        int zeroPoint,
        ActivationRange range)
    {
        FixedPoint[] factors = new FixedPoint[weightScales.Length];
        for (int c = 0; c < factors.Length; c++)
        {
            factors[c] = FixedPoint.FromReal((double)inputScale * weightScales[c] / outputScale);
        }

        return Create(profile, factors, inputScale, weightScales, outputScale, zeroPoint, range);
    }

    /// <summary>
    /// For FULLY_CONNECTED and BATCH_MATMUL with one scale: the factor is <c>f32(s_x * s_w) / s_y</c>, the product in
    /// float32 and the quotient in double. More than one weight scale is computed as <see cref="ForConvolution"/>.
    /// </summary>
    /// <inheritdoc cref="ForConvolution"/>
    public static Requantizer ForFullyConnected(
        RoundingProfile profile,
        float inputScale,
        ReadOnlySpan<float> weightScales,
        float outputScale,
        int zeroPoint,
        ActivationRange range)
    {
        if (weightScales.Length != 1)
        {
            return ForConvolution(profile, inputScale, weightScales, outputScale, zeroPoint, range);
        }

        float product = inputScale * weightScales[0];
        FixedPoint factor = FixedPoint.FromReal((double)product / outputScale);
        return Create(profile, [factor], inputScale, weightScales, outputScale, zeroPoint, range);
    }

    /// <summary>One output of a 32-bit accumulator.</summary>
    /// <param name="accumulator">Sum of products and bias, in units of <c>s_x * s_w[c]</c>.</param>
    /// <param name="channel">c; ignored when one factor serves all.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Requantize(int accumulator, int channel)
    {
        int c = IsUniform ? 0 : channel;
        return floats is null
            ? Range.Clamp(unchecked(factors[c].Scale(accumulator) + ZeroPoint))
            : new FloatRequantizer(floats[c]).Requantize(accumulator, ZeroPoint, Range);
    }

    /// <summary>
    /// One output of a 32-bit accumulator for a 16-bit type: rounded as <see cref="RoundingProfile.Tflm"/> in every profile,
    /// since XNNPACK has no such kernels.
    /// </summary>
    /// <inheritdoc cref="Requantize"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Requantize16(int accumulator, int channel) =>
        Range.Clamp(unchecked(factors[IsUniform ? 0 : channel].Scale(accumulator) + ZeroPoint));

    /// <summary>One output of a 64-bit accumulator, with the 15-bit factor of the int16 kernels.</summary>
    /// <param name="accumulator">Sum of products and bias, <c>|acc| &lt; 2^47</c>.</param>
    /// <inheritdoc cref="Requantize" path="/param[@name='channel']"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int RequantizeLong(long accumulator, int channel) =>
        Range.Clamp(unchecked(factors[IsUniform ? 0 : channel].ScaleLong(accumulator) + ZeroPoint));

    private static Requantizer Create(
        RoundingProfile profile,
        FixedPoint[] factors,
        float inputScale,
        ReadOnlySpan<float> weightScales,
        float outputScale,
        int zeroPoint,
        ActivationRange range)
    {
        if (profile == RoundingProfile.Tflm)
        {
            return new(factors, null, zeroPoint, range);
        }

        float[] floats = new float[weightScales.Length];
        for (int c = 0; c < floats.Length; c++)
        {
            floats[c] = FloatRequantizer.Of(inputScale, weightScales[c], outputScale).Factor;
            if (!float.IsFinite(floats[c]))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(weightScales), weightScales[c], "The ratio of the scales does not fit float32.");
            }
        }

        return new(factors, floats, zeroPoint, range);
    }
}
