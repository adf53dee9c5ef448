using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>The interval of raw integers an output is limited to: the range of its type, narrowed by an activation.</summary>
/// <param name="Low">Smallest raw value.</param>
/// <param name="High">Largest raw value; it wins when the interval is empty, as in the reference.</param>
/// <remarks>Source: <c>CalculateActivationRangeQuantized</c> of TFLite's kernel utilities.</remarks>
public readonly record struct ActivationRange(int Low, int High)
{
    public static ActivationRange Int8 { get; } = new(sbyte.MinValue, sbyte.MaxValue);

    public static ActivationRange UInt8 { get; } = new(byte.MinValue, byte.MaxValue);

    public static ActivationRange Int16 { get; } = new(short.MinValue, short.MaxValue);

    public static ActivationRange Int32 { get; } = new(int.MinValue, int.MaxValue);

    /// <summary>The range of a quantized output after a fused activation.</summary>
    /// <param name="scale">Output scale, positive; bounds are <c>zeroPoint + round(f32(bound / scale))</c>, halves away.</param>
    /// <param name="zeroPoint">Output zero point, in raw units.</param>
    /// <param name="type">The range of the output's type, e.g. <see cref="Int8"/>.</param>
    /// <returns>
    /// The narrowed range; <paramref name="type"/> for <see cref="FusedActivation.Tanh"/> and
    /// <see cref="FusedActivation.SignBit"/>, which the integer kernels ignore.
    /// </returns>
    public static ActivationRange Of(FusedActivation activation, float scale, int zeroPoint, ActivationRange type)
    {
        return activation switch
        {
            FusedActivation.Relu => type with { Low = Math.Max(type.Low, Raw(0)) },
            FusedActivation.Relu6 => new(Math.Max(type.Low, Raw(0)), Math.Min(type.High, Raw(6))),
            FusedActivation.ReluN1To1 => new(Math.Max(type.Low, Raw(-1)), Math.Min(type.High, Raw(1))),
            _ => type,
        };

        int Raw(float bound)
        {
            double raw = zeroPoint + (double)MathF.Round(bound / scale, MidpointRounding.AwayFromZero);
            return (int)raw;
        }
    }

    /// <summary>Limits a value to this range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Clamp(int value) => Math.Min(Math.Max(value, Low), High);
}
