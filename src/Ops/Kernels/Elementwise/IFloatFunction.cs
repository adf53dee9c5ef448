using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>A function of one float32 number, eight at a time; lanes do not influence each other.</summary>
internal interface IFloatFunction
{
    static abstract Vector256<float> Invoke(Vector256<float> x);
}

/// <summary>A function of one number, computed in float64.</summary>
internal interface IDoubleFunction
{
    static abstract Vector256<double> Invoke(Vector256<double> x);
}

/// <summary>A float64 function of float32 numbers: one rounding at the end.</summary>
internal readonly struct Widened<TFunction> : IFloatFunction
    where TFunction : struct, IDoubleFunction
{
    public static Vector256<float> Invoke(Vector256<float> x)
    {
        (Vector256<double> low, Vector256<double> high) = Vector256.Widen(x);
        return Vector256.Narrow(TFunction.Invoke(low), TFunction.Invoke(high));
    }
}
