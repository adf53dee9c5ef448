using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Fold;

/// <summary>
/// Folds a product with a constant for each channel into the layer before it, as files carry batch normalization.
/// <code>
///   mul(conv_2d(x, w, b), k)
///   => conv_2d(x, w * k, b * k)      k a number for each output channel, or one
/// </code>
/// </summary>
/// <remarks>
/// Also for DEPTHWISE_CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV; a DIV is a product with 1 / k; an activation of the product becomes that of the layer.
/// Computed in double precision. Weights that another node uses too are not copied: the product is cheaper than they are.
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
/// 2018, section 3.2.
/// </remarks>
public sealed class FoldScaleIntoLayer : IRewriteRule
{
    public string Name => "fold-scale-into-layer";

    public string Summary => "folds MUL and DIV by a constant for each channel into the weights and bias of the layer before it";

    public bool Concerns(IOp op) => op is Mul or Div;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch) => LayerFolding.IntoPrevious(graph, node, patch);
}
