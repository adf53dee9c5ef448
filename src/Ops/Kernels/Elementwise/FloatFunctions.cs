using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.Vector256;

namespace Optc.Ops.Kernels;

internal readonly struct ReluFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) =>
        ConditionalSelect(LessThan(x, Vector256<float>.Zero), Vector256<float>.Zero, x);
}

internal readonly struct Relu6Function : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Limit.Between(x, 0, 6);
}

internal readonly struct ReluN1To1Function : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Limit.Between(x, -1, 1);
}

internal readonly struct Relu0To1Function : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Limit.Between(x, 0, 1);
}

internal readonly struct HardSwishFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => x * Limit.Between(x + Create(3f), 0, 6) / Create(6f);
}

/// <summary>
/// <c>1 / (1 + exp(-x))</c>; exactly 1 above 16.619047 and <c>exp(x)</c> below -9, as <c>reference/logistic.h</c> has it.
/// </summary>
internal readonly struct LogisticFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x)
    {
        Vector256<float> isLow = LessThan(x, Create(-9f));
        Vector256<float> exponential = Exp(ConditionalSelect(isLow, x, -x));
        Vector256<float> curve = ConditionalSelect(isLow, exponential, Vector256<float>.One / (Vector256<float>.One + exponential));
        return ConditionalSelect(GreaterThan(x, Create(16.619047f)), Vector256<float>.One, curve);
    }
}

/// <summary><c>(1 - exp(-2|x|)) / (1 + exp(-2|x|))</c> with the sign of x; x itself where float32 cannot tell them apart.</summary>
internal readonly struct TanhFunction : IDoubleFunction
{
    public static Vector256<double> Invoke(Vector256<double> x)
    {
        Vector256<double> magnitude = Abs(x);
        Vector256<double> decay = Exp(magnitude * Create(-2.0));
        Vector256<double> curve = (Vector256<double>.One - decay) / (Vector256<double>.One + decay);
        return ConditionalSelect(LessThan(magnitude, Create(1.0 / 16384)), x, CopySign(curve, x));
    }
}

internal readonly struct EluFunction : IDoubleFunction
{
    public static Vector256<double> Invoke(Vector256<double> x)
    {
        Vector256<double> nearZero = x + (x * x * Create(0.5));
        Vector256<double> curve = ConditionalSelect(GreaterThan(x, Create(-1.0 / (1 << 20))), nearZero, Exp(x) - Vector256<double>.One);
        return ConditionalSelect(LessThan(x, Vector256<double>.Zero), curve, x);
    }
}

/// <summary><c>x/2 * erfc(-x / sqrt 2)</c>: the form without cancellation, of <c>reference/gelu.h</c>.</summary>
internal readonly struct GeluFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) =>
        Create(0.5f) * x * Widened<ErfcFunction>.Invoke(x * Create(-0.70710678f));
}

/// <summary><c>x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))</c>.</summary>
internal readonly struct GeluApproximateFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x)
    {
        Vector256<float> argument = Create(0.79788456f) * x * (Vector256<float>.One + (Create(0.044715f) * x * x));
        return Create(0.5f) * x * (Vector256<float>.One + Widened<TanhFunction>.Invoke(argument));
    }
}

internal readonly struct AbsFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Abs(x);
}

internal readonly struct NegFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => -x;
}

internal readonly struct SqrtFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Sqrt(x);
}

internal readonly struct RsqrtFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Vector256<float>.One / Sqrt(x);
}

internal readonly struct SquareFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => x * x;
}

internal readonly struct ExpFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Exp(x);
}

internal readonly struct LogFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Log(x);
}

internal readonly struct SinFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Sin(x);
}

internal readonly struct CosFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Cos(x);
}

internal readonly struct FloorFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Floor(x);
}

internal readonly struct CeilFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Ceiling(x);
}

/// <summary>Halves go to the even neighbour.</summary>
internal readonly struct RoundFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) => Round(x);
}

/// <summary>1, -1, or 0 for zeros and NaN.</summary>
internal readonly struct SignFunction : IFloatFunction
{
    public static Vector256<float> Invoke(Vector256<float> x) =>
        ConditionalSelect(GreaterThan(x, Vector256<float>.Zero), Vector256<float>.One, Vector256<float>.Zero)
        - ConditionalSelect(LessThan(x, Vector256<float>.Zero), Vector256<float>.One, Vector256<float>.Zero);
}

/// <summary>Bounds by comparison, so that a NaN stays one.</summary>
internal static class Limit
{
    public static Vector256<float> Between(Vector256<float> x, float low, float high) => ConditionalSelect(
        GreaterThan(x, Create(high)), Create(high), ConditionalSelect(LessThan(x, Create(low)), Create(low), x));
}
