using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Connects the operands of a depthwise convolution with the kernels.</summary>
internal static class DepthwiseKernels
{
    public static Kernel Float(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (float low, float high) = SpatialRules.Limits(activation);
        return () => ReferenceConvolution.Run(
            geometry,
            ReferenceConvolution.WeightOrder.OutputLast,
            context.In<float>(0),
            context.In<float>(1),
            context.Has(2) ? context.In<float>(2) : [],
            low,
            high,
            context.Out<float>(0));
    }

    public static Kernel Int8(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        int channels = geometry.OutputChannels;
        Requantizer stage = Requantizer.ForConvolution(
            context.Rounding, x.Scale, SpatialRules.WeightScales(w, axis: 3, channels), y.Scale, y.ZeroPoint, SpatialRules.RangeOf(activation, y));
        sbyte[] weights = SpatialRules.Weights8(SpatialRules.ConstantWeights(context, 1));
        int zero = x.ZeroPoint;
        int length = checked((int)geometry.OutputLength);
        Scratch scratch = context.Reserve(length * (long)sizeof(int));
        return () =>
        {
            Span<int> sums = scratch.Span<int>()[..length];
            Span<sbyte> result = context.Out<sbyte>(0);
            ReferenceConvolution.Run(
                geometry,
                ReferenceConvolution.WeightOrder.OutputLast,
                context.In<sbyte>(0),
                zero,
                weights,
                context.Has(2) ? context.In<int>(2) : [],
                sums);
            for (int i = 0; i < result.Length; i += channels)
            {
                stage.Apply(sums.Slice(i, channels), result.Slice(i, channels));
            }
        };
    }
}
