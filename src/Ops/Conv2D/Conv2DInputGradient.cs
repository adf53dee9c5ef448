using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of a 2-D convolution with regard to its input.</summary>
/// <param name="Height">H of the input.</param>
/// <param name="Width">W of the input.</param>
/// <param name="Channels">C of the input; the groups follow from it.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, OH, OW, O], w [O, KH, KW, C / G] -> dx [N, H, W, C]</c>.</para>
/// <para>Types: f32. Source: the adjoint of <see cref="Conv2D"/>; see <see cref="PreparedConv2DInputGradient"/>.</para>
/// </remarks>
public sealed record Conv2DInputGradient(
    int Height,
    int Width,
    int Channels,
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    int DilationH = 1,
    int DilationW = 1) : IOp<Conv2DInputGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("conv_2d_input_gradient", ["dy", "w"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static Conv2DInputGradient Parse(AttributeReader attributes) => new(
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
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0 || Height < 0 || Width < 0)
        {
            throw new OpRuleException("weights and sizes of a convolution are known and positive") { Found = $"{w.Shape}, {Height} x {Width}" };
        }

        if (Channels < 1 || Channels % w.Shape[3] != 0 || w.Shape[0] % (Channels / w.Shape[3]) != 0)
        {
            throw new OpRuleException("the depths of input and weights do not make whole groups") { Found = $"{Channels} and {w.Shape}" };
        }

        (Window height, Window width) = Windows(w.Shape);
        SpatialRules.RequireGradientShape(height, width, w.Shape[0], dy.Shape);
        return [new(DType.F32, [dy.Shape.HasRank ? dy.Shape[0] : -1, Height, Width, Channels])];
    }

    public Kernel Prepare(KernelContext context)
    {
        Shape w = context.Input(1).Shape;
        (Window height, Window width) = Windows(w);
        PreparedConv2DInputGradient prepared = new(new(context.Input(0).Shape[0], height, width, Channels, w[0], Channels / w[3]));
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
