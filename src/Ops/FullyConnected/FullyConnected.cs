using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Dense layer <c>y = x w^T + bias</c> with a fused activation.</summary>
/// <param name="KeepNumDims">The result keeps the leading dimensions of x instead of becoming a matrix.</param>
/// <param name="AsymmetricInputs">Option of hybrid models; XNNPACK quantizes asymmetrically whatever it says.</param>
/// <param name="BiasType">Accumulator of int16 activations where the file names one.</param>
/// <remarks>
/// <para>Shape: <c>x [.., K], w [N, K], bias [N] (optional) -> y [M, N]</c>, where x is read as [M, K].</para>
/// <para>Types: f32; i8 with i8 or i4 weights per tensor, or i8 weights per output, bias i32; i16 with i8 weights, bias
/// i64 or i32; u8 (older models); f32 with i8 or i4 weights (hybrid).</para>
/// <para>Source: TFLite builtin 9, reference kernels <c>reference/fully_connected.h</c> and
/// <c>reference/integer_ops/fully_connected.h</c>.</para>
/// </remarks>
public sealed record FullyConnected(
    FusedActivation Activation = FusedActivation.None,
    bool KeepNumDims = false,
    bool AsymmetricInputs = false,
    DType? BiasType = null) : IOp<FullyConnected>, IExecutable, IShrinkable, ISumsProducts, IQuantizable, IDifferentiable, ITfLiteOp<FullyConnected>
{
    public static OpSchema Declaration { get; } = new("fully_connected", ["x", "w", "bias?"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8 | KernelTypes.Hybrid,
    };

    public static BuiltinOperator Code => BuiltinOperator.FullyConnected;

    public static int MaximumVersion => 12;

    public static FullyConnected Parse(AttributeReader attributes) => new(
        attributes.Enum<FusedActivation>("activation"),
        attributes.Bool("keep_num_dims"),
        attributes.Bool("asymmetric_inputs"),
        SpatialRules.ParseBiasType(attributes.String("bias_type")));

    public static FullyConnected Read(TfLiteSource source)
    {
        FullyConnectedOptions options = source.Options<FullyConnectedOptions>();
        return options.WeightsFormat is FullyConnectedOptionsWeightsFormat.Default
            ? new(
                SpatialRules.Read(options.FusedActivationFunction),
                options.KeepNumDims,
                options.AsymmetricQuantizeInputs,
                SpatialRules.ReadBiasType(options.QuantizedBiasType))
            : throw new OpRuleException("shuffled weights are not supported") { Found = options.WeightsFormat.ToString() };
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        (TensorType x, TensorType w) = (target.Operands[0], target.Operands[1]);
        bool hybrid = x.DType is DType.F32 && w.DType is DType.I8 or DType.I4;
        int version = (x.DType, w.DType) switch
        {
            (DType.F32, DType.I8) when w.Quant is { IsPerAxis: true } => 12,
            (DType.I16, DType.I8) when BiasType is not null => 11,
            _ when target.Operands.Constant(1)?.Sparse is not null => 8,
            _ when target.Operands.Count == 2 => 6,
            _ when KeepNumDims => 5,
            (DType.I8, DType.I8) => 4,
            (DType.I8, DType.I4) => 10,
            _ when hybrid => AsymmetricInputs ? 9 : 3,
            _ => 1,
        };
        return new(version, new FullyConnectedOptions
        {
            FusedActivationFunction = SpatialRules.Write(Activation),
            KeepNumDims = KeepNumDims,
            AsymmetricQuantizeInputs = AsymmetricInputs,
            QuantizedBiasType = SpatialRules.WriteBiasType(BiasType),
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("activation", Activation)
        .Add("keep_num_dims", KeepNumDims)
        .Add("asymmetric_inputs", AsymmetricInputs)
        .Add("bias_type", SpatialRules.BiasTypeText(BiasType));

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32, DType.I8, DType.I16, DType.U8);
        TensorType w = x.DType switch
        {
            DType.F32 => operands.Require(1, DType.F32, DType.I8, DType.I4),
            DType.I8 => operands.Require(1, DType.I8, DType.I4),
            DType.U8 => operands.Require(1, DType.U8),
            _ => operands.Require(1, DType.I8),
        };
        operands.RequireRank(1, 2);
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0)
        {
            throw new OpRuleException("the weights of a dense layer have a known shape without zeros") { Found = w.Shape.ToString() };
        }

        (int n, int k) = (w.Shape[0], w.Shape[1]);
        SpatialRules.CheckBias(operands, 2, n, x.DType switch
        {
            DType.F32 => [DType.F32],
            DType.I16 => [DType.I64, DType.I32],
            _ => [DType.I32],
        });
        if (KeepNumDims)
        {
            if (!x.Shape.HasRank)
            {
                return [new(x.DType, Shape.Unranked)];
            }

            return x.Shape.Rank > 0 && (x.Shape[-1] == k || x.Shape[-1] < 0)
                ? [new(x.DType, x.Shape.With(-1, n))]
                : throw new OpRuleException("the last dimension of the input is not that of the weights") { Found = x.Shape.ToString(), Expected = $"[.., {k}]" };
        }

        if (!x.Shape.IsKnown)
        {
            int batch = x.Shape is { HasRank: true, Rank: 2 } && x.Shape[1] == k ? x.Shape[0] : -1;
            return [new(x.DType, [batch, n])];
        }

        return x.Shape.ElementCount % k == 0
            ? [new(x.DType, [checked((int)(x.Shape.ElementCount / k)), n])]
            : throw new OpRuleException("the input is no whole number of rows") { Found = x.Shape.ToString(), Expected = $"a multiple of {k} elements" };
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        operands.Has(2)
            ? [OperandRule.Activation, OperandRule.WeightsAlong(0), OperandRule.BiasOf(0, 1)]
            : [OperandRule.Activation, OperandRule.WeightsAlong(0)],
        [OperandRule.Activation])
    {
        Hybrid = true,
    };

    /// <summary><c>dx = dz w</c>, <c>dw = dz' x</c>, <c>db = sum of dz over rows</c>.</summary>
    public void Differentiate(GradientBuilder g)
    {
        (Shape x, Shape w) = (g.Input(0).Type.Shape, g.Input(1).Type.Shape);
        int rows = checked((int)(x.ElementCount / w[1]));
        Value dz = g.Reshape(g.BeforeActivation(Activation, g.Gradient()), [rows, w[0]]);
        if (g.Wants(0))
        {
            g.Give(0, g.Reshape(g.Add(new BatchMatMul(AdjX: false, AdjY: false), dz, g.Input(1)), x));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.Add(new BatchMatMul(AdjX: true, AdjY: false), dz, g.Reshape(g.Input(0), [rows, w[1]])));
        }

        if (g.Wants(2))
        {
            g.Give(2, g.SumTo(dz, [w[0]]));
        }
    }

    public void TraceChannels(ChannelTracer t)
    {
        Shape w = t.Shape(1);
        if (t.Input(0) is { } x)
        {
            // What it reads is [M, K], whatever the shape of x.
            if (x.Reshaped(t.Shape(0), [-1, w[1]]) is { Axis: 1 } row)
            {
                t.SumUp(row, 1, axis: 1);
            }
            else
            {
                t.Fix(x, $"{t.Node} reads it as something else than channels");
            }
        }

        t.Make(1, axis: 0, bias: 2, Math.Max(1, t.Node.Outputs[0].Type.Shape.Rank - 1), Activation);
    }

    public ProductSum? Sums(OpOperands operands)
    {
        (Shape x, Shape w) = (operands[0].Shape, operands[1].Shape);
        return ProductSum.Dense(operands, Conv2DGeometry.Dense(checked((int)(x.ElementCount / w[1])), w[1], w[0]), Activation);
    }

    public Kernel Prepare(KernelContext context)
    {
        (TensorType x, TensorType w) = (context.Input(0), context.Input(1));
        (int n, int k) = (w.Shape[0], w.Shape[1]);
        int m = checked((int)(x.Shape.ElementCount / k));
        Conv2DGeometry geometry = Conv2DGeometry.Dense(m, k, n);
        return (x.DType, w.DType) switch
        {
            (DType.F32, DType.F32) => ConvolutionKernels.Float(context, geometry, Activation),
            (DType.F32, _) => HybridKernels.Dense(context, m, k, n, Activation),
            (DType.I8, _) => PrepareInt8(context, geometry),
            (DType.U8, _) => ConvolutionKernels.UInt8(context, geometry, ReferenceConvolution.WeightOrder.OutputFirst, Activation),
            _ => PrepareInt16(context, geometry),
        };
    }

    private Kernel PrepareInt8(KernelContext context, Conv2DGeometry geometry)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForFullyConnected(
            context.Rounding, x.Scale, SpatialRules.WeightScales(w, axis: 0, geometry.OutputChannels), y.Scale, y.ZeroPoint, SpatialRules.RangeOf(Activation, y));
        return w.Quant is { IsPerAxis: false, ZeroPoint: not 0 }
            ? DenseKernels.WithWeightZeroPoint(context, geometry, stage)
            : ConvolutionKernels.Int8(context, geometry, stage);
    }

    private Kernel PrepareInt16(KernelContext context, Conv2DGeometry geometry)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(0), context.Input(1), context.Output(0));
        Requantizer stage = Requantizer.ForFullyConnected(
            context.Rounding, x.Scale, SpatialRules.WeightScales(w, axis: 0, geometry.OutputChannels), y.Scale, y.ZeroPoint, SpatialRules.RangeOf(Activation, y));
        bool narrow = context.Has(2) ? context.Input(2).DType is DType.I32 : BiasType is DType.I32;
        return DenseKernels.Int16(context, geometry, stage, narrow);
    }
}
