using System.Numerics.Tensors;

namespace Optc.Ops.Kernels;

/// <summary>Quantizes float activations while running, asymmetric over 255 steps.</summary>
/// <param name="Scale">Real units per step.</param>
/// <param name="ZeroPoint">-128..127; zero stays exact.</param>
/// <remarks>
/// Source: XNNPACK's <c>xnn_f32_qd8_asymmetric_quantization_params</c>, which LiteRT's default build uses for hybrid
/// operators whatever <c>asymmetric_quantize_inputs</c> says. Every step in float32.
/// </remarks>
public readonly record struct RowQuantizer(float Scale, int ZeroPoint)
{
    /// <summary>Parameters for the values of one row (or image), at least one, all finite.</summary>
    public static RowQuantizer For(ReadOnlySpan<float> values)
    {
        float low = Math.Min(0f, TensorPrimitives.Min(values));
        float high = Math.Max(0f, TensorPrimitives.Max(values));
        float inverse = low == high ? 1f : 255f / (high - low);
        float a = low * inverse;
        float b = high * inverse;
        float zero = (-128f + a) + (127f + b) > 0 ? -128f - a : 127f - b;
        return new(1f / inverse, (int)MathF.Round(Math.Clamp(zero, -128f, 127f), MidpointRounding.ToEven)) { Inverse = inverse };
    }

    private float Inverse { get; init; }

    /// <summary><c>q = clamp(rint(x / scale + zero point))</c>, ties to even.</summary>
    public void Quantize(ReadOnlySpan<float> values, Span<sbyte> quantized)
    {
        for (int i = 0; i < values.Length; i++)
        {
            quantized[i] = (sbyte)Math.Clamp(MathF.Round((values[i] * Inverse) + ZeroPoint, MidpointRounding.ToEven), -128f, 127f);
        }
    }
}
