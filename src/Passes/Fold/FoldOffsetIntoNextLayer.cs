using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fold;

/// <summary>
/// Folds a sum with a constant for each channel into the layer that reads it.
/// <code>
///   conv_2d(add(x, c), w, b)
///   => conv_2d(x, w, b + sum of w * c)      c a number for each input channel, or one
/// </code>
/// </summary>
/// <remarks>
/// Only where every output sees all taps: no padding. A border of SAME is zero behind the sum, not c, and the outputs of a
/// TRANSPOSE_CONV see different numbers of taps.
/// </remarks>
public sealed class FoldOffsetIntoNextLayer : IRewriteRule
{
    public string Name => "fold-offset-into-next-layer";

    public string Summary => "folds ADD and SUB of a constant for each channel into the bias of the layer that reads it, where nothing is padded";

    public bool Concerns(IOp op) => LinearLayer.Is(op);

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        LinearLayer layer = LinearLayer.Of(node)!;
        if (layer.X.Producer is not { Op: Add or Sub } sum)
        {
            return Rewrite.Decline("its input is not the result of a sum");
        }

        if (AffineStep.Of(sum, out string? reason) is not { } step)
        {
            return Rewrite.Decline(reason!);
        }

        return WhyNotEverywhere(layer) is { } why ? Rewrite.Decline(why) : LayerFolding.IntoNext(graph, layer, step, patch);
    }

    private static string? WhyNotEverywhere(LinearLayer layer)
    {
        (Shape x, Shape w) = (layer.X.Type.Shape, layer.Weights.Type.Shape);
        return layer.Node.Op switch
        {
            TransposeConv => "the outputs of a transposed convolution see different numbers of taps",
            Conv2D { Padding: PaddingMode.Same } op
                when Pads(x[1], w[1], op.StrideH, op.DilationH) || Pads(x[2], w[2], op.StrideW, op.DilationW) => Border,
            DepthwiseConv2D { Padding: PaddingMode.Same } op
                when Pads(x[1], w[1], op.StrideH, op.DilationH) || Pads(x[2], w[2], op.StrideW, op.DilationW) => Border,
            _ => null,
        };
    }

    private const string Border = "the border of SAME padding is zero behind the sum, not the constant";

    private static bool Pads(int input, int kernel, int stride, int dilation) =>
        input < 0 || Window.Same(input, kernel, stride, dilation) is not { Before: 0, After: 0 };
}
