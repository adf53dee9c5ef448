using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>What the pools share: a window over each channel, padding not counted.</summary>
/// <remarks>Shape: <c>x [N, H, W, C] -> y [N, OH, OW, C]</c>.</remarks>
public abstract record Pool2D(int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation) : IShrinkable
{
    public void Describe(AttributeWriter attributes) => attributes
        .Add("filter_h", FilterH)
        .Add("filter_w", FilterW)
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("activation", Activation);

    public void TraceChannels(ChannelTracer t) => t.PassOnChannels(ChannelTracer.KeepsZero(Activation));

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, AllowedTypes);
        operands.RequireRank(0, 4);
        int height = SpatialRules.OutputSize(x.Shape.HasRank ? x.Shape[1] : -1, FilterH, StrideH, 1, Padding);
        int width = SpatialRules.OutputSize(x.Shape.HasRank ? x.Shape[2] : -1, FilterW, StrideW, 1, Padding);
        return [new(x.DType, x.Shape.HasRank ? [x.Shape[0], height, width, x.Shape[3]] : [-1, height, width, -1])];
    }

    public virtual QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation], [OperandRule.SameAsInput(0)]);

    private protected abstract DType[] AllowedTypes { get; }

    private protected static (int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation) ReadOptions(TfLiteSource source)
    {
        Pool2DOptions options = source.Options<Pool2DOptions>();
        return (
            options.FilterHeight,
            options.FilterWidth,
            options.StrideH,
            options.StrideW,
            SpatialRules.Read(options.Padding),
            SpatialRules.Read(options.FusedActivationFunction));
    }

    private protected static (int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation) ParseOptions(AttributeReader attributes) => (
        attributes.Int("filter_h"),
        attributes.Int("filter_w"),
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Enum<FusedActivation>("activation"));

    private protected TfLiteEncoding Encode(int version) => new(version, new Pool2DOptions
    {
        FilterHeight = FilterH,
        FilterWidth = FilterW,
        StrideH = StrideH,
        StrideW = StrideW,
        Padding = SpatialRules.Write(Padding),
        FusedActivationFunction = SpatialRules.Write(Activation),
    });

    private protected static int IntegerVersion(TfLiteTarget target) => target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 => 2,
        _ => 1,
    };

    private protected PoolWalk Walk(KernelContext context)
    {
        Shape x = context.Input(0).Shape;
        return new(
            x[0],
            SpatialRules.WindowOf(x[1], FilterH, StrideH, 1, Padding),
            SpatialRules.WindowOf(x[2], FilterW, StrideW, 1, Padding),
            x[3]);
    }

    /// <summary>Refuses pools whose input and output do not mean the same by their integers.</summary>
    private protected static void RequireSameQuantization(KernelContext context)
    {
        (TensorType x, TensorType y) = (context.Input(0), context.Output(0));
        if (MathF.Abs(x.Scale - y.Scale) > 1e-6f || x.ZeroPoint != y.ZeroPoint)
        {
            throw new OpRuleException("input and output of a pool have the same quantization") { Found = $"{x.Quant} and {y.Quant}" };
        }
    }
}
