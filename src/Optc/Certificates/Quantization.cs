using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>Scale and zero point of a tensor that has one of each.</summary>
internal readonly record struct Quantization(float Scale, int ZeroPoint)
{
    /// <returns>Null for a tensor without quantization, with several scales, of another type than 8 or 16 bits, or with parameters that no kernel takes.</returns>
    public static Quantization? Of(TensorRecord tensor)
    {
        QuantizationParametersRecord? parameters = tensor.Quantization;
        return parameters is { Scale.Length: 1, ZeroPoint.Length: 1, Details: null }
            && float.IsFinite(parameters.Scale[0]) && parameters.Scale[0] > 0
            && Range(tensor.Type) is { } range && parameters.ZeroPoint[0] >= range.Low && parameters.ZeroPoint[0] <= range.High
                ? new(parameters.Scale[0], (int)parameters.ZeroPoint[0])
                : null;
    }

    /// <summary>The values that an element of an integer type can take; null for other types.</summary>
    public static (int Low, int High)? Range(TensorElementType type) => type switch
    {
        TensorElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        TensorElementType.Uint8 => (byte.MinValue, byte.MaxValue),
        TensorElementType.Int16 => (short.MinValue, short.MaxValue),
        _ => null,
    };

    /// <summary>The values that a fused activation leaves, as the reference kernels compute them.</summary>
    /// <returns>Null for an activation or type that is not integer arithmetic.</returns>
    public static (int Low, int High)? Clamp(TensorRecord output, ActivationFunctionType activation)
    {
        if (Range(output.Type) is not { } range || Of(output) is not { } quantization)
        {
            return null;
        }

        long At(float real)
        {
            float code = MathF.Round(real / quantization.Scale, MidpointRounding.AwayFromZero);
            return quantization.ZeroPoint + (long)Math.Clamp(code, -1e9f, 1e9f);
        }

        (long low, long high) = activation switch
        {
            ActivationFunctionType.Relu => (At(0), range.High),
            ActivationFunctionType.Relu6 => (At(0), At(6)),
            ActivationFunctionType.ReluN1To1 => (At(-1), At(1)),
            _ => ((long)range.Low, range.High),
        };
        low = Math.Max(low, range.Low);
        high = Math.Min(high, range.High);
        return activation is ActivationFunctionType.None or ActivationFunctionType.Relu or ActivationFunctionType.Relu6 or ActivationFunctionType.ReluN1To1
            && low <= high
                ? ((int)low, (int)high)
                : null;
    }
}
