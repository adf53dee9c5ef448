using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;

namespace Optc.Ops;

/// <summary>The integer kernel of rectifiers with two bounds.</summary>
/// <remarks>
/// Source: <c>QuantizedReluX</c> of LiteRT's <c>activations.cc</c>: rescaled, then limited to the bounds in raw units of
/// the output. For equal quantization the factor is exactly one, and this is the clamp of raw values of TFLite Micro.
/// </remarks>
internal static class BoundedRelu
{
    /// <exception cref="Optc.Ir.OpRuleException">The quantization is not usable.</exception>
    public static Kernel Prepare(KernelContext context, float low, float high)
    {
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));
        (int typeLow, int typeHigh) = Grid.RangeOf(context.Output(0).DType);
        ActivationRange range = new(Math.Max(typeLow, Raw(low)), Math.Min(typeHigh, Raw(high)));
        FixedPoint factor = Grid.Factor(x.Scale / y.Scale);
        return RawMap.Prepare(context, q => range.Clamp(y.ZeroPoint + factor.Scale(q - x.ZeroPoint)));

        int Raw(float bound) => (int)(y.ZeroPoint + (double)MathF.Round(bound / y.Scale, MidpointRounding.AwayFromZero));
    }
}
