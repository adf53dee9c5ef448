using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>What convolutions, dense layers and pools share: sizes, activation limits, scales, biases.</summary>
internal static class SpatialRules
{
    /// <summary>Output size along one axis; -1 while the input size is unknown.</summary>
    /// <exception cref="OpRuleException">Kernel, stride or dilation are not positive.</exception>
    public static int OutputSize(int input, int kernel, int stride, int dilation, PaddingMode padding) =>
        WindowOf(Math.Max(input, 0), kernel, stride, dilation, padding) is var window && input < 0 ? -1 : window.Output;

    /// <exception cref="OpRuleException">Kernel, stride or dilation are not positive, or too large together.</exception>
    public static Window WindowOf(int input, int kernel, int stride, int dilation, PaddingMode padding)
    {
        if (kernel < 1 || stride < 1 || dilation < 1 || ((kernel - 1L) * dilation) + 1 > int.MaxValue)
        {
            throw new OpRuleException("a window needs a positive kernel, stride and dilation")
            {
                Found = $"kernel {kernel}, stride {stride}, dilation {dilation}",
            };
        }

        return padding is PaddingMode.Same ? Window.Same(input, kernel, stride, dilation) : Window.Valid(input, kernel, stride, dilation);
    }

    /// <summary>Limits of a float output. Without activation the finite range, as in the reference.</summary>
    public static (float Low, float High) Limits(FusedActivation activation) => activation switch
    {
        FusedActivation.Relu => (0, float.MaxValue),
        FusedActivation.Relu6 => (0, 6),
        FusedActivation.ReluN1To1 => (-1, 1),
        _ => (float.MinValue, float.MaxValue),
    };

    /// <summary>Limits of a quantized output.</summary>
    public static ActivationRange RangeOf(FusedActivation activation, TensorType output) => ActivationRange.Of(
        activation,
        output.Scale,
        output.ZeroPoint,
        output.DType switch
        {
            DType.I8 => ActivationRange.Int8,
            DType.U8 => ActivationRange.UInt8,
            _ => ActivationRange.Int16,
        });

    /// <exception cref="OpRuleException">An activation that these kernels do not compute.</exception>
    public static FusedActivation Read(ActivationFunctionType activation) => activation switch
    {
        ActivationFunctionType.None => FusedActivation.None,
        ActivationFunctionType.Relu => FusedActivation.Relu,
        ActivationFunctionType.ReluN1To1 => FusedActivation.ReluN1To1,
        ActivationFunctionType.Relu6 => FusedActivation.Relu6,
        _ => throw new OpRuleException("a fused activation is not supported here") { Found = activation.ToString() },
    };

    public static ActivationFunctionType Write(FusedActivation activation) => (ActivationFunctionType)(int)activation;

    /// <exception cref="OpRuleException">A padding that the format does not have.</exception>
    public static PaddingMode Read(Padding padding) => padding switch
    {
        Padding.Same => PaddingMode.Same,
        Padding.Valid => PaddingMode.Valid,
        _ => throw new OpRuleException("a padding is not known") { Found = padding.ToString() },
    };

    public static Padding Write(PaddingMode padding) => padding is PaddingMode.Same ? Padding.Same : Padding.Valid;

    /// <summary>The element type that <c>quantized_bias_type</c> names; <see langword="null"/> where it is left at its default.</summary>
    public static DType? ReadBiasType(TensorElementType type) => type switch
    {
        TensorElementType.Int32 => DType.I32,
        TensorElementType.Int64 => DType.I64,
        _ => null,
    };

    public static TensorElementType WriteBiasType(DType? type) => type switch
    {
        DType.I32 => TensorElementType.Int32,
        DType.I64 => TensorElementType.Int64,
        _ => TensorElementType.Float32,
    };

    public static string BiasTypeText(DType? type) => type?.Name ?? "default";

    public static DType? ParseBiasType(string text) => text == "default" ? null : DTypes.Parse(text);

    /// <summary>Scales of weights: one, or one for each output channel along <paramref name="axis"/>.</summary>
    /// <exception cref="OpRuleException">Scales run along another axis, or there are too many or too few.</exception>
    public static float[] WeightScales(TensorType weights, int axis, int channels)
    {
        QuantParams quant = weights.Quant ?? throw new OpRuleException("integer weights carry no scale") { Found = weights.ToString() };
        return !quant.IsPerAxis || (quant.Axis == axis && quant.Scales.Length == channels)
            ? [.. quant.Scales]
            : throw new OpRuleException("the scales of the weights do not fit the output channels")
            {
                Found = $"{quant.Scales.Length} along axis {quant.Axis}",
                Expected = $"1, or {channels} along axis {axis}",
            };
    }

    /// <summary>8-bit weights, unpacked when they are stored as 4-bit.</summary>
    public static sbyte[] Weights8(TensorData weights) => weights.DType is DType.I4
        ? Nibbles.UnpackSigned(weights.Bytes.Span, checked((int)weights.Shape.ElementCount))
        : weights.Span<sbyte>().ToArray();

    /// <summary>Refuses a gradient through weights that are integers.</summary>
    /// <exception cref="OpRuleException">The weights are not f32.</exception>
    public static void RequireFloatWeights(TensorType weights)
    {
        if (weights.DType is not DType.F32)
        {
            throw new OpRuleException("there is no gradient through integer weights") { Found = weights.DType.Name };
        }
    }

    /// <summary>The gradient of a result of spatial size <c>[OH, OW]</c> and as many channels as the weights give.</summary>
    /// <param name="height">Window along H of the forward op, input size known.</param>
    /// <param name="dy">Gradient of the forward result <c>[N, OH, OW, O]</c>.</param>
    /// <exception cref="OpRuleException">The gradient has another shape.</exception>
    public static void RequireGradientShape(Window height, Window width, int channels, Shape dy)
    {
        if (!dy.HasRank)
        {
            return;
        }

        Shape expected = [dy[0], height.Output, width.Output, channels];
        if (!expected.IsCompatibleWith(dy))
        {
            throw new OpRuleException("a gradient has the shape of its value") { Found = dy.ToString(), Expected = expected.ToString() };
        }
    }

    /// <summary>Refuses weights that the kernel would have to pack anew in each run.</summary>
    public static TensorData ConstantWeights(KernelContext context, int index) => context.Constant(index)
        ?? throw new OpRuleException("weights must be constant for these element types") { Found = "computed weights" };

    /// <summary>Checks shape and type of an optional bias.</summary>
    /// <exception cref="OpRuleException">It has another length, or a type that is not allowed.</exception>
    public static void CheckBias(OpOperands operands, int index, int channels, params ReadOnlySpan<DType> allowed)
    {
        if (!operands.Has(index))
        {
            return;
        }

        TensorType bias = operands.Require(index, allowed);
        if (bias.Shape.IsKnown && channels >= 0 && bias.Shape.ElementCount != channels)
        {
            throw new OpRuleException("a bias has one value for each output channel") { Found = bias.Shape.ToString(), Expected = $"{channels} values" };
        }
    }
}
