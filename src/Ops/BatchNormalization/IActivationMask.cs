using System.Runtime.Intrinsics;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>An activation that batch normalization applies, and the part of a gradient that it lets through.</summary>
internal interface IActivationMask : IFloatFunction
{
    /// <summary>The gradient where the activation has slope 1, else 0; the rule of <see cref="ActivationGradient"/>.</summary>
    /// <param name="x">Values before the activation.</param>
    static abstract Vector256<float> Pass(Vector256<float> x, Vector256<float> gradient);
}

internal readonly struct NoMask : IActivationMask
{
    public static Vector256<float> Invoke(Vector256<float> x) => x;

    public static Vector256<float> Pass(Vector256<float> x, Vector256<float> gradient) => gradient;
}

internal readonly struct ReluMask : IActivationMask
{
    public static Vector256<float> Invoke(Vector256<float> x) => ReluFunction.Invoke(x);

    public static Vector256<float> Pass(Vector256<float> x, Vector256<float> gradient) =>
        Vector256.GreaterThan(x, Vector256<float>.Zero) & gradient;
}

internal readonly struct Relu6Mask : IActivationMask
{
    public static Vector256<float> Invoke(Vector256<float> x) => Relu6Function.Invoke(x);

    public static Vector256<float> Pass(Vector256<float> x, Vector256<float> gradient) =>
        Vector256.GreaterThan(x, Vector256<float>.Zero) & Vector256.LessThan(x, Vector256.Create(6f)) & gradient;
}

internal readonly struct ReluN1To1Mask : IActivationMask
{
    public static Vector256<float> Invoke(Vector256<float> x) => ReluN1To1Function.Invoke(x);

    public static Vector256<float> Pass(Vector256<float> x, Vector256<float> gradient) =>
        Vector256.GreaterThan(x, Vector256.Create(-1f)) & Vector256.LessThan(x, Vector256<float>.One) & gradient;
}
