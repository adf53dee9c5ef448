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

/// <summary>Two-dimensional convolution, with groups, bias and a fused activation.</summary>
/// <param name="BiasType">Accumulator of int16 activations where the file names one: i32 or i64; else decided by the bias.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], w [O, KH, KW, C / G], bias [O] (optional) -> y [N, OH, OW, O]</c>; the groups G follow
/// from the depths.</para>
/// <para>Types: f32; i8 with i8 or i4 weights, per tensor or per output channel, bias i32; i16 with i8 weights, bias i64
/// or i32; u8 per tensor (older models); f32 activations with i8 or i4 weights (hybrid).</para>
/// <para>Source: TFLite builtin 3, reference kernels <c>reference/conv.h</c> and <c>reference/integer_ops/conv.h</c>;
/// hybrid as XNNPACK's <c>qd8</c> kernels.</para>
/// </remarks>
public sealed partial record Conv2D(
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    FusedActivation Activation = FusedActivation.None,
    int DilationH = 1,
    int DilationW = 1,
    DType? BiasType = null) : IOp<Conv2D>, IExecutable, IShrinkable, ISumsProducts, IQuantizable, ITfLiteOp<Conv2D>
{
    public static OpSchema Declaration { get; } = new("conv_2d", ["x", "w", "bias?"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8 | KernelTypes.Hybrid,
    };

    public static BuiltinOperator Code => BuiltinOperator.Conv2D;

    public static int MaximumVersion => 8;

    public static Conv2D Parse(AttributeReader attributes) => new(
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Enum<FusedActivation>("activation"),
        attributes.Int("dilation_h"),
        attributes.Int("dilation_w"),
        SpatialRules.ParseBiasType(attributes.String("bias_type")));

    public static Conv2D Read(TfLiteSource source)
    {
        Conv2DOptions options = source.Options<Conv2DOptions>();
        return new(
            options.StrideH,
            options.StrideW,
            SpatialRules.Read(options.Padding),
            SpatialRules.Read(options.FusedActivationFunction),
            options.DilationHFactor,
            options.DilationWFactor,
            SpatialRules.ReadBiasType(options.QuantizedBiasType));
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        (TensorType x, TensorType w) = (target.Operands[0], target.Operands[1]);
        int version = (x.DType, w.DType) switch
        {
            (DType.I16, DType.I8) when BiasType is not null => 8,
            _ when x.Shape[3] >= 0 && w.Shape[3] != x.Shape[3] => 6,
            (DType.I8, DType.I8) => 3,
            (DType.I8, DType.I4) => 7,
            (DType.F32, DType.I8 or DType.I4) => w.Quant is { IsPerAxis: true } ? 5 : 2,
            _ => 1,
        };
        return new(version, new Conv2DOptions
        {
            StrideH = StrideH,
            StrideW = StrideW,
            Padding = SpatialRules.Write(Padding),
            FusedActivationFunction = SpatialRules.Write(Activation),
            DilationHFactor = DilationH,
            DilationWFactor = DilationW,
            QuantizedBiasType = SpatialRules.WriteBiasType(BiasType),
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("activation", Activation)
        .Add("dilation_h", DilationH)
        .Add("dilation_w", DilationW)
        .Add("bias_type", SpatialRules.BiasTypeText(BiasType));

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32, DType.I8, DType.I16, DType.U8);
        operands.RequireRank(0, 4);
        TensorType w = x.DType switch
        {
            DType.F32 => operands.Require(1, DType.F32, DType.I8, DType.I4),
            DType.I8 => operands.Require(1, DType.I8, DType.I4),
            DType.U8 => operands.Require(1, DType.U8),
            _ => operands.Require(1, DType.I8),
        };
        operands.RequireRank(1, 4);
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0)
        {
            throw new OpRuleException("the weights of a convolution have a known shape without zeros") { Found = w.Shape.ToString() };
        }

        int outputs = w.Shape[0];
        SpatialRules.CheckBias(operands, 2, outputs, x.DType switch
        {
            DType.F32 => [DType.F32],
            DType.I16 => [DType.I64, DType.I32],
            _ => [DType.I32],
        });
        if (!x.Shape.HasRank)
        {
            return [new(x.DType, [-1, -1, -1, outputs])];
        }

        int depth = x.Shape[3];
        if (depth >= 0 && (depth == 0 || depth % w.Shape[3] != 0 || outputs % (depth / w.Shape[3]) != 0))
        {
            throw new OpRuleException("the depths of input and weights do not make whole groups") { Found = $"{x.Shape} and {w.Shape}" };
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
            ? [OperandRule.Activation, OperandRule.WeightsAlong(0), OperandRule.BiasOf(0, 1)]
            : [OperandRule.Activation, OperandRule.WeightsAlong(0)],
        [OperandRule.Activation])
    {
        Hybrid = true,
    };

    public void TraceChannels(ChannelTracer t)
    {
        if (!t.Shape(0).HasRank || t.Shape(0)[3] != t.Shape(1)[3])
        {
            t.FixInputs($"{t.Node} reads it in groups of equal size");
            return;
        }

        t.SumUp(t.Last(0), 1, axis: 3);
        t.Make(1, axis: 0, bias: 2, outputAxis: 3, Activation);
    }

    public ProductSum? Sums(OpOperands operands) => ProductSum.Convolution(operands, Geometry(operands[0].Shape, operands[1].Shape), Activation);

    public Kernel Prepare(KernelContext context)
    {
        (TensorType x, TensorType w) = (context.Input(0), context.Input(1));
        Conv2DGeometry geometry = Geometry(x.Shape, w.Shape);
        return (x.DType, w.DType) switch
        {
            (DType.F32, DType.F32) => ConvolutionKernels.Float(context, geometry, Activation),
            (DType.F32, _) => HybridKernels.Convolution(context, geometry, Activation),
            (DType.I8, _) => ConvolutionKernels.Int8(context, geometry, Activation),
            (DType.U8, _) => ConvolutionKernels.UInt8(context, geometry, ReferenceConvolution.WeightOrder.OutputFirst, Activation),
            _ => ConvolutionKernels.Int16(context, geometry, ReferenceConvolution.WeightOrder.OutputFirst, axis: 0, BiasType, Activation),
        };
    }

    private Conv2DGeometry Geometry(Shape x, Shape w) => new(
        x[0],
        SpatialRules.WindowOf(x[1], w[1], StrideH, DilationH, Padding),
        SpatialRules.WindowOf(x[2], w[2], StrideW, DilationW, Padding),
        x[3],
        w[0],
        x[3] / w[3]);
}
