using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of a maximum over windows: the first position that holds the maximum gets all of it.</summary>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], dy [N, OH, OW, C] -> dx [N, H, W, C]</c>. Types: f32.</para>
/// <para>Source: the adjoint of <see cref="MaxPool2D"/>; ties as in TensorFlow's <c>MaxPoolGrad</c> on a CPU, in the order
/// kernel row, kernel column.</para>
/// </remarks>
public sealed record MaxPool2DGradient(int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding)
    : IOp<MaxPool2DGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("max_pool_2d_gradient", ["x", "dy"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static MaxPool2DGradient Parse(AttributeReader attributes) => new(
        attributes.Int("filter_h"),
        attributes.Int("filter_w"),
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("filter_h", FilterH)
        .Add("filter_w", FilterW)
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32);
        operands.RequireRank(0, 4);
        TensorType dy = operands.Require(1, DType.F32);
        operands.RequireRank(1, 4);
        if (x.Shape.IsKnown)
        {
            Pool2DGeometry geometry = Geometry(x.Shape);
            SpatialRules.RequireGradientShape(geometry.Height, geometry.Width, geometry.Channels, dy.Shape);
        }

        if (x.Shape.HasRank && dy.Shape.HasRank && x.Shape[0] >= 0 && dy.Shape[0] >= 0 && x.Shape[0] != dy.Shape[0])
        {
            throw new OpRuleException("a gradient has the batch of its value") { Found = $"{x.Shape} and {dy.Shape}" };
        }

        return [x with { Quant = null }];
    }

    public Kernel Prepare(KernelContext context)
    {
        Pool2DGeometry geometry = Geometry(context.Input(0).Shape);
        Action<int, int> body = (image, _) =>
            PoolGradient.Maximum(geometry, image, context.In<float>(0), context.In<float>(1), context.Out<float>(0));
        return () => context.Workers.Run(geometry.Batch, body);
    }

    private Pool2DGeometry Geometry(Shape x) => new(
        x[0],
        SpatialRules.WindowOf(x[1], FilterH, StrideH, 1, Padding),
        SpatialRules.WindowOf(x[2], FilterW, StrideW, 1, Padding),
        x[3]);
}
