using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Connects the operands of a depthwise convolution with the kernels.</summary>
internal static class DepthwiseKernels
{
    /// <summary>Float depthwise convolution; weights that are computed are taken over at the start of each run.</summary>
    public static Kernel Float(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (float low, float high) = SpatialRules.Limits(activation);
        PreparedDepthwiseConv2D prepared = new(geometry, low, high);
        Scratch scratch = context.Reserve(prepared.ScratchBytes, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
            prepared.RunChunk(chunk, context.In<float>(0), context.Out<float>(0), scratch.Bytes(worker));
        if (context.Constant(1) is { } weights && (!context.Has(2) || context.Constant(2) is not null))
        {
            prepared.Load(weights.Span<float>(), context.Has(2) ? context.Constant(2)!.Span<float>() : []);
            return () => context.Workers.Run(prepared.ChunkCount, body);
        }

        return () =>
        {
            prepared.Load(context.In<float>(1), context.Has(2) ? context.In<float>(2) : []);
            context.Workers.Run(prepared.ChunkCount, body);
        };
    }

    /// <summary>Int8 depthwise convolution with int8 or int4 weights.</summary>
    public static Kernel Int8(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForConvolution(
            context.Rounding,
            x.Scale,
            SpatialRules.WeightScales(w, axis: 3, geometry.OutputChannels),
            y.Scale,
            y.ZeroPoint,
            SpatialRules.RangeOf(activation, y));
        sbyte[] weights = SpatialRules.Weights8(SpatialRules.ConstantWeights(context, 1));
        ReadOnlySpan<int> bias = context.Has(2) ? SpatialRules.ConstantWeights(context, 2).Span<int>() : [];
        PreparedInt8DepthwiseConv2D prepared = new(geometry, weights, bias, x.ZeroPoint, stage);
        Scratch scratch = context.Reserve(prepared.ScratchBytes, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
            prepared.RunChunk(chunk, context.In<sbyte>(0), context.Out<sbyte>(0), scratch.Bytes(worker));
        return () => context.Workers.Run(prepared.ChunkCount, body);
    }
}
