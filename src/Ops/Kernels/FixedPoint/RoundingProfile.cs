namespace Optc.Ops.Kernels;

/// <summary>Whose rounding an integer execution reproduces.</summary>
public enum RoundingProfile
{
    /// <summary>
    /// TFLite Micro's reference kernels: a fixed-point multiplier and two roundings (<see cref="FixedPoint"/>). Devices
    /// compute this, so it is the default everywhere.
    /// </summary>
    Tflm,

    /// <summary>
    /// LiteRT's default build, which gives most int8 operators to XNNPACK: one rounding, in float, halves to even
    /// (<see cref="FloatRequantizer"/>). Concerns int8 CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, MUL, ADD and SUB;
    /// every other operator is computed as in <see cref="Tflm"/>.
    /// </summary>
    Xnnpack,
}
