using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Quantization;

/// <summary>Scale and zero point of a tensor that has one of each.</summary>
/// <param name="Scale">Real units for one step, positive and finite.</param>
/// <param name="ZeroPoint">Raw value of the real 0.</param>
internal readonly record struct TensorScale(float Scale, int ZeroPoint)
{
    /// <param name="type">Type of the tensor.</param>
    /// <param name="what">What the tensor is to the operator, for the message: <c>x</c>, <c>the result</c>.</param>
    /// <exception cref="OpRuleException">The type is not quantized, or per axis, or its scale is no scale.</exception>
    public static TensorScale Of(TensorType type, string what)
    {
        if (type.Quant is not { Scales: [float], ZeroPoints.IsEmpty: false })
        {
            throw new OpRuleException($"{what} must be quantized with one scale and zero point") { Found = type.ToString() };
        }

        return new(ScaleRatio.PerTensor(type, what), type.ZeroPoint);
    }

    /// <summary>The range of raw values that an element type has.</summary>
    /// <exception cref="OpRuleException">The type has no integer kernels.</exception>
    public static ActivationRange RangeOf(DType type) => type switch
    {
        DType.I8 => ActivationRange.Int8,
        DType.U8 => ActivationRange.UInt8,
        DType.I16 => ActivationRange.Int16,
        DType.I32 => ActivationRange.Int32,
        _ => throw new OpRuleException("the operator has no integer kernel for this element type") { Found = type.Name },
    };

    /// <summary>The range of an output after a fused activation.</summary>
    public ActivationRange Range(DType type, FusedActivation activation) =>
        ActivationRange.Of(activation, Scale, ZeroPoint, RangeOf(type));
}
