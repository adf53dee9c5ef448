using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of a 2-D convolution with regard to its weights.</summary>
/// <param name="KernelH">KH.</param>
/// <param name="KernelW">KW.</param>
/// <param name="Groups">G.</param>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], dy [N, OH, OW, O] -> dw [O, KH, KW, C / G]</c>.</para>
/// <para>Types: f32. Source: the adjoint of <see cref="Conv2D"/>; see <see cref="PreparedConv2DWeightGradient"/>.</para>
/// </remarks>
public sealed record Conv2DWeightGradient(
    int KernelH,
    int KernelW,
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    int DilationH = 1,
    int DilationW = 1,
    int Groups = 1) : IOp<Conv2DWeightGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("conv_2d_weight_gradient", ["x", "dy"], ["dw"]) { Kernels = KernelTypes.F32 };

    public static Conv2DWeightGradient Parse(AttributeReader attributes) => new(
        attributes.Int("kernel_h"),
        attributes.Int("kernel_w"),
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Int("dilation_h"),
        attributes.Int("dilation_w"),
        attributes.Int("groups"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("kernel_h", KernelH)
        .Add("kernel_w", KernelW)
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("dilation_h", DilationH)
        .Add("dilation_w", DilationW)
        .Add("groups", Groups);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32);
        operands.RequireRank(0, 4);
        TensorType dy = operands.Require(1, DType.F32);
        operands.RequireRank(1, 4);
        int inputs = x.Shape.HasRank ? x.Shape[3] : -1;
        int outputs = dy.Shape.HasRank ? dy.Shape[3] : -1;
        if (Groups < 1 || inputs == 0 || outputs == 0 || (inputs > 0 && inputs % Groups != 0) || (outputs > 0 && outputs % Groups != 0))
        {
            throw new OpRuleException("the depths of input and result do not make whole groups")
            {
                Found = $"{x.Shape} and {dy.Shape}",
                Expected = $"{Groups} groups",
            };
        }

        if (x.Shape.IsKnown)
        {
            (Window height, Window width) = Windows(x.Shape);
            SpatialRules.RequireGradientShape(height, width, outputs, dy.Shape);
        }

        if (x.Shape.HasRank && dy.Shape.HasRank && x.Shape[0] >= 0 && dy.Shape[0] >= 0 && x.Shape[0] != dy.Shape[0])
        {
            throw new OpRuleException("a gradient has the batch of its value") { Found = $"{x.Shape} and {dy.Shape}" };
        }

        return [new(DType.F32, [outputs, KernelH, KernelW, inputs < 0 ? -1 : inputs / Groups])];
    }

    public Kernel Prepare(KernelContext context)
    {
        (Shape x, Shape dy) = (context.Input(0).Shape, context.Input(1).Shape);
        (Window height, Window width) = Windows(x);
        PreparedConv2DWeightGradient prepared = new(new(x[0], height, width, x[3], dy[3], Groups));
        if (prepared.SlotCount == 0)
        {
            return () => context.Out<float>(0).Clear();
        }

        Scratch scratch = context.Reserve(prepared.ScratchBytes, perWorker: true);
        Scratch partials = context.Reserve(prepared.PartialLength * sizeof(float));
        Action<int, int> slot = (index, worker) =>
            prepared.RunSlot(index, context.In<float>(0), context.In<float>(1), partials.Span<float>(), scratch.Bytes(worker));
        Action<int, int> part = (index, _) => prepared.Reduce(index, partials.Span<float>(), context.Out<float>(0));
        return () =>
        {
            context.Workers.Run(prepared.SlotCount, slot);
            context.Workers.Run(prepared.PartCount, part);
        };
    }

    private (Window Height, Window Width) Windows(Shape x) => (
        SpatialRules.WindowOf(x[1], KernelH, StrideH, DilationH, Padding),
        SpatialRules.WindowOf(x[2], KernelW, StrideW, DilationW, Padding));
}
