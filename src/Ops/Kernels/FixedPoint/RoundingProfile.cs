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
    /// LiteRT's default build, which gives most int8 operators to XNNPACK: one rounding. In float, halves to even
    /// (<see cref="FloatRequantizer"/>): CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, MUL, MEAN and SUM. In
    /// integers, halves up: ADD and SUB (<see cref="XnnpackSum"/>), LEAKY_RELU and QUANTIZE (<see cref="XnnpackRescale"/>),
    /// RESIZE_BILINEAR. Every other operator, and other integer types, are computed as in <see cref="Tflm"/>.
    /// </summary>
    Xnnpack,
}
