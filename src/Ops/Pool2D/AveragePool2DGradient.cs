using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of a mean over windows: each position gets its share of the windows it lies in.</summary>
/// <param name="Height">H of the input.</param>
/// <param name="Width">W of the input.</param>
/// <remarks>
/// <para>Shape: <c>dy [N, OH, OW, C] -> dx [N, H, W, C]</c>. Types: f32.</para>
/// <para>Source: the adjoint of <see cref="AveragePool2D"/>, which does not count the padding.</para>
/// </remarks>
public sealed record AveragePool2DGradient(int Height, int Width, int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding)
    : IOp<AveragePool2DGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("average_pool_2d_gradient", ["dy"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static AveragePool2DGradient Parse(AttributeReader attributes) => new(
        attributes.Int("height"),
        attributes.Int("width"),
        attributes.Int("filter_h"),
        attributes.Int("filter_w"),
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"));

    public void Describe(AttributeWriter attributes) => attributes
        .Add("height", Height)
        .Add("width", Width)
        .Add("filter_h", FilterH)
        .Add("filter_w", FilterW)
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType dy = operands.Require(0, DType.F32);
        operands.RequireRank(0, 4);
        if (Height < 0 || Width < 0)
        {
            throw new OpRuleException("the size of an image is not negative") { Found = $"{Height} x {Width}" };
        }

        (Window height, Window width) = Windows();
        SpatialRules.RequireGradientShape(height, width, dy.Shape.HasRank ? dy.Shape[3] : -1, dy.Shape);
        return [new(DType.F32, dy.Shape.HasRank ? [dy.Shape[0], Height, Width, dy.Shape[3]] : [-1, Height, Width, -1])];
    }

    public Kernel Prepare(KernelContext context)
    {
        Shape dy = context.Input(0).Shape;
        (Window height, Window width) = Windows();
        Pool2DGeometry geometry = new(dy[0], height, width, dy[3]);
        Scratch share = context.Reserve(dy[3] * (long)sizeof(float), perWorker: true);
        Action<int, int> body = (image, worker) =>
            PoolGradient.Average(geometry, image, context.In<float>(0), context.Out<float>(0), share.Span<float>(worker));
        return () => context.Workers.Run(geometry.Batch, body);
    }

    private (Window Height, Window Width) Windows() => (
        SpatialRules.WindowOf(Height, FilterH, StrideH, 1, Padding),
        SpatialRules.WindowOf(Width, FilterW, StrideW, 1, Padding));
}
