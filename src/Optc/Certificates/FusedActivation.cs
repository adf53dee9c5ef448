using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>The fused activation among the options of an operator.</summary>
internal static class FusedActivation
{
    /// <returns>Null for an operator that has none.</returns>
    public static ActivationFunctionType? Of(IOperatorOptions? options) => options switch
    {
        Conv2DOptions o => o.FusedActivationFunction,
        DepthwiseConv2DOptions o => o.FusedActivationFunction,
        FullyConnectedOptions o => o.FusedActivationFunction,
        TransposeConvOptions o => o.FusedActivationFunction,
        AddOptions o => o.FusedActivationFunction,
        SubOptions o => o.FusedActivationFunction,
        MulOptions o => o.FusedActivationFunction,
        DivOptions o => o.FusedActivationFunction,
        Pool2DOptions o => o.FusedActivationFunction,
        _ => null,
    };

    public static IOperatorOptions With(IOperatorOptions options, ActivationFunctionType activation) => options switch
    {
        Conv2DOptions o => o with { FusedActivationFunction = activation },
        DepthwiseConv2DOptions o => o with { FusedActivationFunction = activation },
        FullyConnectedOptions o => o with { FusedActivationFunction = activation },
        TransposeConvOptions o => o with { FusedActivationFunction = activation },
        AddOptions o => o with { FusedActivationFunction = activation },
        SubOptions o => o with { FusedActivationFunction = activation },
        MulOptions o => o with { FusedActivationFunction = activation },
        DivOptions o => o with { FusedActivationFunction = activation },
        Pool2DOptions o => o with { FusedActivationFunction = activation },
        _ => options,
    };
}
