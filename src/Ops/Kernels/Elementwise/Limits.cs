using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>The interval that a fused activation leaves of numbers that mean themselves.</summary>
/// <param name="Low">Smallest result.</param>
/// <param name="High">Largest result; it wins when the interval is empty.</param>
/// <remarks>
/// Source: <c>CalculateActivationRange</c> and <c>ActivationFunctionWithMinMax</c> of TFLite's kernel utilities. Without
/// an activation, float results are limited to finite numbers there; a NaN stays one.
/// </remarks>
internal readonly record struct Limits<T>(T Low, T High)
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    /// <summary>The limits of an activation; those of the type for the activations that TFLite's kernels ignore.</summary>
    public static Limits<T> Of(FusedActivation activation) => activation switch
    {
        FusedActivation.Relu => new(T.Zero, T.MaxValue),
        FusedActivation.Relu6 => new(T.Zero, T.CreateChecked(6)),
        FusedActivation.ReluN1To1 => new(T.CreateChecked(-1), T.One),
        _ => new(T.MinValue, T.MaxValue),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Clamp(T value)
    {
        T raised = value < Low ? Low : value;
        return raised > High ? High : raised;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<T> Clamp(Vector256<T> values)
    {
        Vector256<T> low = Vector256.Create(Low);
        Vector256<T> high = Vector256.Create(High);
        Vector256<T> raised = Vector256.ConditionalSelect(Vector256.LessThan(values, low), low, values);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(raised, high), high, raised);
    }
}
