using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Depthwise convolution: each input channel has filters of its own.</summary>
/// <param name="DepthMultiplier">Filters for each input channel, m.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], w [1, KH, KW, C * m], bias [C * m] (optional) -> y [N, OH, OW, C * m]</c>; output
/// channel <c>c * m + j</c> is filter j of channel c.</para>
/// <para>Types: f32; i8 with i8 or i4 weights, bias i32; i16 with i8 weights, bias i64; u8 per tensor (older models); f32
/// activations with i8 weights (hybrid). Scales of the weights run along axis 3.</para>
/// <para>Source: TFLite builtin 4, reference kernels <c>reference/depthwiseconv_float.h</c> and
/// <c>reference/integer_ops/depthwise_conv.h</c>.</para>
/// </remarks>
public sealed partial record DepthwiseConv2D(
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    int DepthMultiplier,
    FusedActivation Activation = FusedActivation.None,
    int DilationH = 1,
    int DilationW = 1) : IOp<DepthwiseConv2D>, IExecutable, IShrinkable, ISumsProducts, IQuantizable, ITfLiteOp<DepthwiseConv2D>
{
    public static OpSchema Declaration { get; } = new("depthwise_conv_2d", ["x", "w", "bias?"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8 | KernelTypes.Hybrid,
    };

    public static BuiltinOperator Code => BuiltinOperator.DepthwiseConv2D;

    public static int MaximumVersion => 7;

    public static DepthwiseConv2D Parse(AttributeReader attributes) => new(
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Int("depth_multiplier"),
        attributes.Enum<FusedActivation>("activation"),
        attributes.Int("dilation_h"),
        attributes.Int("dilation_w"));

    public static DepthwiseConv2D Read(TfLiteSource source)
    {
        DepthwiseConv2DOptions options = source.Options<DepthwiseConv2DOptions>();
        return new(
            options.StrideH,
            options.StrideW,
            SpatialRules.Read(options.Padding),
            options.DepthMultiplier,
            SpatialRules.Read(options.FusedActivationFunction),
            options.DilationHFactor,
            options.DilationWFactor);
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        (TensorType x, TensorType w) = (target.Operands[0], target.Operands[1]);
        int version = (x.DType, w.DType) switch
        {
            (DType.F32, DType.I8 or DType.I4) => w.Quant is { IsPerAxis: true } ? 6 : 4,
            (DType.I8, DType.I8) => 3,
            (DType.I8, DType.I4) => 7,
            _ when DilationH != 1 || DilationW != 1 => 2,
            _ => 1,
        };
        return new(version, new DepthwiseConv2DOptions
        {
            StrideH = StrideH,
            StrideW = StrideW,
            Padding = SpatialRules.Write(Padding),
            DepthMultiplier = DepthMultiplier,
            FusedActivationFunction = SpatialRules.Write(Activation),
            DilationHFactor = DilationH,
            DilationWFactor = DilationW,
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("depth_multiplier", DepthMultiplier)
        .Add("activation", Activation)
        .Add("dilation_h", DilationH)
        .Add("dilation_w", DilationW);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32, DType.I8, DType.I16, DType.U8);
        operands.RequireRank(0, 4);
        TensorType w = x.DType switch
        {
            DType.F32 => operands.Require(1, DType.F32, DType.I8),
            DType.I8 => operands.Require(1, DType.I8, DType.I4),
            DType.U8 => operands.Require(1, DType.U8),
            _ => operands.Require(1, DType.I8),
        };
        operands.RequireRank(1, 4);
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0 || w.Shape[0] != 1)
        {
            throw new OpRuleException("the weights of a depthwise convolution are [1, KH, KW, C * m] without zeros") { Found = w.Shape.ToString() };
        }

        int outputs = w.Shape[3];
        SpatialRules.CheckBias(operands, 2, outputs, x.DType switch
        {
            DType.F32 => [DType.F32],
            DType.I16 => [DType.I64],
            _ => [DType.I32],
        });
        if (!x.Shape.HasRank)
        {
            return [new(x.DType, [-1, -1, -1, outputs])];
        }

        // A multiplier of 0 occurs in files of older converters; the depths decide then.
        if (x.Shape[3] >= 0 && (x.Shape[3] == 0 || outputs % x.Shape[3] != 0
            || (DepthMultiplier != 0 && (long)x.Shape[3] * DepthMultiplier != outputs)))
        {
            throw new OpRuleException("the depth of the weights is not the depth of the input times the multiplier")
            {
                Found = $"{outputs}",
                Expected = $"{x.Shape[3]} x {DepthMultiplier}",
            };
        }

        return
        [
            new(x.DType,
            [
                x.Shape[0],
                SpatialRules.OutputSize(x.Shape[1], w.Shape[1], StrideH, DilationH, Padding),
                SpatialRules.OutputSize(x.Shape[2], w.Shape[2], StrideW, DilationW, Padding),
                outputs,
            ]),
        ];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        operands.Has(2)
            ? [OperandRule.Activation, OperandRule.WeightsAlong(3), OperandRule.BiasOf(0, 1)]
            : [OperandRule.Activation, OperandRule.WeightsAlong(3)],
        [OperandRule.Activation])
    {
        Hybrid = true,
    };

    /// <inheritdoc/>
    /// <remarks>Filters of a single input channel do not depend on each other.</remarks>
    public void TraceChannels(ChannelTracer t)
    {
        if (t.IsExact && t.Shape(0) is { HasRank: true } shape && shape[3] == 1)
        {
            t.Fix(t.Input(0), $"it is all that {t.Node} reads");
            t.Make(1, axis: 3, bias: 2, outputAxis: 3, Activation);
            return;
        }

        if (t.Last(0) is not { } x)
        {
            return;
        }

        int filters = t.Shape(1)[3] / x.Count;
        ImmutableArray<int> channels = [.. x.Channels.SelectMany(c => Enumerable.Repeat(c, filters))];
        t.Slice(1, 3, channels, SliceRole.Maker);
        if (t.Node.Input(2) is not null)
        {
            t.Slice(2, 0, channels, SliceRole.Maker);
        }

        t.Give(new(3, channels, [.. Enumerable.Repeat(ChannelTracer.KeepsZero(Activation), channels.Length)]));
    }

    public ProductSum? Sums(OpOperands operands) => ProductSum.Depthwise(operands, Geometry(operands[0].Shape, operands[1].Shape), Activation);

    /// <inheritdoc/>
    /// <remarks>Only filters of a single channel come and go apart from what they read.</remarks>
    public IOp Shrunk(ImmutableArray<Shape> inputs, ImmutableArray<Shape> outputs) =>
        DepthMultiplier > 0 && outputs[0].HasRank && inputs[0].HasRank && inputs[0][3] == 1 ? this with { DepthMultiplier = outputs[0][3] } : this;

    public Kernel Prepare(KernelContext context)
    {
        (TensorType x, TensorType w) = (context.Input(0), context.Input(1));
        Conv2DGeometry geometry = Geometry(x.Shape, w.Shape);
        return (x.DType, w.DType) switch
        {
            (DType.F32, DType.F32) => DepthwiseKernels.Float(context, geometry, Activation),
            (DType.F32, _) => HybridKernels.Depthwise(context, geometry, Activation),
            (DType.I8, _) => DepthwiseKernels.Int8(context, geometry, Activation),
            (DType.U8, _) => ConvolutionKernels.UInt8(context, geometry, ReferenceConvolution.WeightOrder.OutputLast, Activation),
            _ => ConvolutionKernels.Int16(context, geometry, ReferenceConvolution.WeightOrder.OutputLast, axis: 3, biasType: null, Activation),
        };
    }

    private Conv2DGeometry Geometry(Shape x, Shape w) => new(
        x[0],
        SpatialRules.WindowOf(x[1], w[1], StrideH, DilationH, Padding),
        SpatialRules.WindowOf(x[2], w[2], StrideW, DilationW, Padding),
        x[3],
        w[3],
        x[3]);
}
