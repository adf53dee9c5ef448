using System.Numerics.Tensors;

namespace Optc.Ops.Kernels;

/// <summary>Fused activations of the recurrent float kernels, in place.</summary>
/// <remarks>Source: <c>ActivationValFloat</c> of TFLite Micro and <c>ApplyActivationToVector</c> of LiteRT.</remarks>
internal static class FloatActivation
{
    /// <exception cref="ArgumentOutOfRangeException">The activation is none of the format's.</exception>
    public static void Apply(FusedActivation activation, Span<float> values)
    {
        switch (activation)
        {
            case FusedActivation.None:
                return;
            case FusedActivation.Relu:
                Clamp(values, 0, float.PositiveInfinity);
                return;
            case FusedActivation.ReluN1To1:
                Clamp(values, -1, 1);
                return;
            case FusedActivation.Relu6:
                Clamp(values, 0, 6);
                return;
            case FusedActivation.Tanh:
                Tanh(values);
                return;
            case FusedActivation.SignBit:
                SignBit(values);
                return;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation of the format.");
        }
    }

    public static void Tanh(Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = MathF.Tanh(value);
        }
    }

    /// <summary><c>1 / (1 + exp(-x))</c>, with the reference's shortcuts where it is 1 or exp(x) to float32's precision.</summary>
    public static void Logistic(Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = value > 16.619047f ? 1
                : value < -9 ? MathF.Exp(value)
                : 1 / (1 + MathF.Exp(-value));
        }
    }

    /// <summary>Limits to <c>[low, high]</c>; a NaN stays one.</summary>
    public static void Clamp(Span<float> values, float low, float high) => TensorPrimitives.Clamp(values, low, high, values);

    private static void SignBit(Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = float.IsNegative(value) ? 1 : 0;
        }
    }
}
