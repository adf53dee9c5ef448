namespace Optc.Ops.Kernels;

/// <summary>
/// The activation fused into an operator, in the numbering of TFLite's <c>ActivationFunctionType</c>.
/// </summary>
public enum FusedActivation
{
    None = 0,

    /// <summary><c>max(x, 0)</c>.</summary>
    Relu = 1,

    /// <summary><c>x</c> limited to -1..1.</summary>
    ReluN1To1 = 2,

    /// <summary><c>x</c> limited to 0..6.</summary>
    Relu6 = 3,

    /// <summary>Hyperbolic tangent; the integer kernels other than the recurrent ones ignore it.</summary>
    Tanh = 4,

    /// <summary>The sign bit; no known kernel computes it.</summary>
    SignBit = 5,
}
