using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Fold;

/// <summary>
/// Folds a product with a constant for each channel into the layer that reads it.
/// <code>
///   conv_2d(mul(x, k), w, b)
///   => conv_2d(x, w * k, b)      k a number for each input channel, or one
/// </code>
/// </summary>
/// <remarks>Padding does no harm: the border is zero before the product and behind it.</remarks>
public sealed class FoldScaleIntoNextLayer : IRewriteRule
{
    public string Name => "fold-scale-into-next-layer";

    public string Summary => "folds MUL and DIV by a constant for each channel into the weights of the layer that reads it";

    public bool Concerns(IOp op) => LinearLayer.Is(op);

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        LinearLayer layer = LinearLayer.Of(node)!;
        if (layer.X.Producer is not { Op: Mul or Div } product)
        {
            return Rewrite.Decline("its input is not the result of a product");
        }

        return AffineStep.Of(product, out string? reason) is { } step
            ? LayerFolding.IntoNext(graph, layer, step, patch)
            : Rewrite.Decline(reason!);
    }
}
