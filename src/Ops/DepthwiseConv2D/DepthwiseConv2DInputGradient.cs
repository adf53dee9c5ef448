using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of a depthwise convolution with regard to its input.</summary>
/// <param name="Height">H of the input.</param>
/// <param name="Width">W of the input.</param>
/// <param name="Channels">C of the input; the multiplier m follows from it.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, OH, OW, C * m], w [1, KH, KW, C * m] -> dx [N, H, W, C]</c>.</para>
/// <para>Types: f32. Source: the adjoint of <see cref="DepthwiseConv2D"/>; see
/// <see cref="PreparedDepthwiseConv2DInputGradient"/>.</para>
/// </remarks>
public sealed record DepthwiseConv2DInputGradient(
    int Height,
    int Width,
    int Channels,
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    int DilationH = 1,
    int DilationW = 1) : IOp<DepthwiseConv2DInputGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("depthwise_conv_2d_input_gradient", ["dy", "w"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static DepthwiseConv2DInputGradient Parse(AttributeReader attributes) => new(
        attributes.Int("height"),
        attributes.Int("width"),
        attributes.Int("channels"),
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Int("dilation_h"),
        attributes.Int("dilation_w"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("height", Height)
        .Add("width", Width)
        .Add("channels", Channels)
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("dilation_h", DilationH)
        .Add("dilation_w", DilationW);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType dy = operands.Require(0, DType.F32);
        operands.RequireRank(0, 4);
        TensorType w = operands.Require(1, DType.F32);
        operands.RequireRank(1, 4);
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0 || w.Shape[0] != 1 || Height < 0 || Width < 0)
        {
            throw new OpRuleException("the weights of a depthwise convolution are [1, KH, KW, C * m] without zeros") { Found = w.Shape.ToString() };
        }

        if (Channels < 1 || w.Shape[3] % Channels != 0)
        {
            throw new OpRuleException("the depth of the weights is no multiple of that of the input")
            {
                Found = $"{w.Shape[3]}",
                Expected = $"a multiple of {Channels}",
            };
        }

        (Window height, Window width) = Windows(w.Shape);
        SpatialRules.RequireGradientShape(height, width, w.Shape[3], dy.Shape);
        return [new(DType.F32, [dy.Shape.HasRank ? dy.Shape[0] : -1, Height, Width, Channels])];
    }

    public Kernel Prepare(KernelContext context)
    {
        Shape w = context.Input(1).Shape;
        (Window height, Window width) = Windows(w);
        PreparedDepthwiseConv2DInputGradient prepared = new(new(context.Input(0).Shape[0], height, width, Channels, w[3], Channels));
        Scratch scratch = context.Reserve(prepared.ScratchBytes, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
            prepared.RunChunk(chunk, context.In<float>(0), context.Out<float>(0), scratch.Bytes(worker));
        if (context.Constant(1) is { } weights)
        {
            prepared.Load(weights.Span<float>());
            return () => context.Workers.Run(prepared.ChunkCount, body);
        }

        return () =>
        {
            prepared.Load(context.In<float>(1));
            context.Workers.Run(prepared.ChunkCount, body);
        };
    }

    private (Window Height, Window Width) Windows(Shape w) => (
        SpatialRules.WindowOf(Height, w[1], StrideH, DilationH, Padding),
        SpatialRules.WindowOf(Width, w[2], StrideW, DilationW, Padding));
}
