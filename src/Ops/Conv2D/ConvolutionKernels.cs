using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Connects the operands of a convolution (data, weights, optional bias) with the kernels.</summary>
internal static class ConvolutionKernels
{
    /// <summary>Float convolution; weights that are computed are packed at the start of each run.</summary>
    public static Kernel Float(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (float low, float high) = SpatialRules.Limits(activation);
        PreparedConv2D prepared = new(geometry, low, high);
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

    /// <summary>Int8 convolution with int8 or int4 weights.</summary>
    public static Kernel Int8(KernelContext context, Conv2DGeometry geometry, FusedActivation activation)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForConvolution(
            context.Rounding, x.Scale, SpatialRules.WeightScales(w, axis: 0, geometry.OutputChannels), y.Scale, y.ZeroPoint, SpatialRules.RangeOf(activation, y));
        return Int8(context, geometry, stage);
    }

    /// <summary>Int8 products with a given output stage.</summary>
    public static Kernel Int8(KernelContext context, Conv2DGeometry geometry, Requantizer stage)
    {
        int zero = context.Input(0).ZeroPoint;
        if (context.Constant(1) is not { } weights || (context.Has(2) && context.Constant(2) is null))
        {
            return ComputedInt8(context, geometry, stage);
        }

        PreparedInt8Conv2D prepared = new(
            geometry, SpatialRules.Weights8(weights), context.Has(2) ? context.Constant(2)!.Span<int>() : [], zero, stage);
        Scratch scratch = context.Reserve(prepared.ScratchBytes, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
            prepared.RunChunk(chunk, context.In<sbyte>(0), context.Out<sbyte>(0), scratch.Bytes(worker));
        return () => context.Workers.Run(prepared.ChunkCount, body);
    }

    /// <summary>Int16 activations with int8 weights: 64-bit sums, or 32-bit ones where the bias is i32.</summary>
    /// <remarks>Zero points are ignored, as in the reference.</remarks>
    public static Kernel Int16(
        KernelContext context, Conv2DGeometry geometry, ReferenceConvolution.WeightOrder order, int axis, DType? biasType, FusedActivation activation)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForConvolution(
            context.Rounding, x.Scale, SpatialRules.WeightScales(w, axis, geometry.OutputChannels), y.Scale, zeroPoint: 0, SpatialRules.RangeOf(activation, y with { Quant = new(y.Scale, 0) }));
        bool narrow = context.Has(2) ? context.Input(2).DType is DType.I32 : biasType is DType.I32;
        int channels = geometry.OutputChannels;
        long length = geometry.OutputLength;
        if (narrow)
        {
            Scratch sums32 = context.Reserve(length * sizeof(int));
            return () =>
            {
                Span<int> sums = sums32.Span<int>()[..(int)length];
                ReferenceConvolution.Run(geometry, order, context.In<short>(0), 0, context.In<sbyte>(1), context.Has(2) ? context.In<int>(2) : [], sums);
                Span<short> result = context.Out<short>(0);
                for (int i = 0; i < result.Length; i += channels)
                {
                    stage.Apply(sums.Slice(i, channels), result.Slice(i, channels));
                }
            };
        }

        Scratch sums64 = context.Reserve(length * sizeof(long));
        return () =>
        {
            Span<long> sums = sums64.Span<long>()[..(int)length];
            ReferenceConvolution.Run(geometry, order, context.In<short>(0), 0L, context.In<sbyte>(1), context.Has(2) ? context.In<long>(2) : [], sums);
            Span<short> result = context.Out<short>(0);
            for (int i = 0; i < result.Length; i += channels)
            {
                stage.Apply(sums.Slice(i, channels), result.Slice(i, channels));
            }
        };
    }

    /// <summary>The older 8-bit scheme: unsigned, one scale, and a zero point of the weights too.</summary>
    /// <remarks>
    /// <c>sum (w - z_w)(x - z_x)</c> is computed as <c>sum w' (x - z_x) - (z_w - 128) sum (x - z_x)</c> with
    /// <c>w' = w - 128</c>, so that one integer loop serves. Source: <c>reference/conv.h</c>; the factor is that of
    /// <c>GetQuantizedConvolutionMultipler</c>, a product in float32 over the output scale in double.
    /// </remarks>
    public static Kernel UInt8(KernelContext context, Conv2DGeometry geometry, ReferenceConvolution.WeightOrder order, FusedActivation activation)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForFullyConnected(
            RoundingProfile.Tflm, x.Scale, SpatialRules.WeightScales(w, axis: 0, channels: 1), y.Scale, y.ZeroPoint, SpatialRules.RangeOf(activation, y));
        sbyte[] shifted = Array.ConvertAll(SpatialRules.ConstantWeights(context, 1).Bytes.ToArray(), b => (sbyte)(b - 128));
        sbyte[] ones = new sbyte[shifted.Length];
        Array.Fill(ones, (sbyte)1);
        int offset = w.ZeroPoint - 128;
        int zero = x.ZeroPoint;
        int length = checked((int)geometry.OutputLength);
        Scratch sums = context.Reserve(length * (long)sizeof(int));
        Scratch inputs = context.Reserve(length * (long)sizeof(int));
        return () =>
        {
            Span<int> products = sums.Span<int>()[..length];
            Span<int> plain = inputs.Span<int>()[..length];
            ReferenceConvolution.Run(geometry, order, context.In<byte>(0), zero, shifted, context.Has(2) ? context.In<int>(2) : [], products);
            ReferenceConvolution.Run(geometry, order, context.In<byte>(0), zero, ones, [], plain);
            Span<byte> result = context.Out<byte>(0);
            for (int i = 0; i < result.Length; i++)
            {
                result[i] = (byte)stage.Requantize(unchecked(products[i] - (offset * plain[i])), channel: 0);
            }
        };
    }

    private static Kernel ComputedInt8(KernelContext context, Conv2DGeometry geometry, Requantizer stage)
    {
        if (context.Input(1).DType is not DType.I8)
        {
            throw new OpRuleException("4-bit weights must be constant") { Found = "computed weights" };
        }

        int zero = context.Input(0).ZeroPoint;
        int channels = geometry.OutputChannels;
        Scratch scratch = context.Reserve(geometry.OutputLength * sizeof(int));
        return () =>
        {
            Span<sbyte> result = context.Out<sbyte>(0);
            Span<int> sums = scratch.Span<int>()[..result.Length];
            ReferenceConvolution.Run(
                geometry,
                ReferenceConvolution.WeightOrder.OutputFirst,
                context.In<sbyte>(0),
                zero,
                context.In<sbyte>(1),
                context.Has(2) ? context.In<int>(2) : [],
                sums);
            for (int i = 0; i < result.Length; i += channels)
            {
                stage.Apply(sums.Slice(i, channels), result.Slice(i, channels));
            }
        };
    }
}
