using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Quantization;

/// <summary>Multipliers from scales that come from a file and may be anything.</summary>
internal static class ScaleRatio
{
    /// <summary>The fixed-point form of a ratio of scales.</summary>
    /// <param name="what">Which factor it is, for the message.</param>
    /// <exception cref="OpRuleException">The ratio is negative, infinite or no number.</exception>
    public static FixedPoint Of(double factor, string what) => FixedPoint.TryFromReal(factor, out FixedPoint result)
        ? result
        : throw new OpRuleException($"the scales of {what} give no usable factor") { Found = $"{factor:R}", Expected = "a finite factor that is not negative" };

    /// <summary>The fixed-point form of a ratio for which the reference kernels abort unless it is between 0 and 1.</summary>
    /// <inheritdoc cref="Of" path="/param"/>
    /// <exception cref="OpRuleException">The ratio is not above 0, or not below 1 also when rounded.</exception>
    public static FixedPoint BelowOne(double factor, string what) =>
        factor > 0 && FixedPoint.TryFromReal(factor, out FixedPoint result) && result.Exponent <= 0
            ? result
            : throw new OpRuleException($"the scales of {what} give no usable factor") { Found = $"{factor:R}", Expected = "above 0 and below 1" };

    /// <summary>The scale of an operand that is quantized per tensor.</summary>
    /// <exception cref="OpRuleException">It has no scale, several, or one that is not positive and finite.</exception>
    public static float PerTensor(TensorType type, string what)
    {
        if (type.Quant is { IsPerAxis: true })
        {
            throw new OpRuleException($"{what} must have one scale") { Found = type.Quant.ToString() };
        }

        return type.Scale is > 0 and < float.PositiveInfinity and float scale
            ? scale
            : throw new OpRuleException($"the scale of {what} is not positive and finite") { Found = $"{type.Scale:R}" };
    }

    /// <summary>The scale of weights that are quantized per tensor with zero point 0.</summary>
    /// <exception cref="OpRuleException">As for <see cref="PerTensor"/>, or the zero point is not 0.</exception>
    public static float Symmetric(TensorType type, string what)
    {
        float scale = PerTensor(type, what);
        return type.ZeroPoint == 0
            ? scale
            : throw new OpRuleException($"the zero point of {what} must be 0") { Found = $"{type.ZeroPoint}", Expected = "0" };
    }
}
