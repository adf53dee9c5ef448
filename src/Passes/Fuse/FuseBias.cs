using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Fold;

namespace Optc.Passes.Fuse;

/// <summary>
/// Makes a sum with a constant for each channel part of the bias of the layer before it.
/// <code>
///   add(conv_2d(x, w, b), c)     sub(conv_2d(x, w, b), c)     sub(c, conv_2d(x, w, b))
///   => conv_2d(x, w, b + c)      conv_2d(x, w, b - c)         conv_2d(x, -w, c - b)
/// </code>
/// </summary>
/// <remarks>
/// Also for DEPTHWISE_CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV, with a bias or without; the weights may be quantized
/// (hybrid layers) or shared, unless the sign changes.
/// </remarks>
public sealed class FuseBias : IRewriteRule
{
    public string Name => "fuse-bias";

    public string Summary => "makes ADD and SUB of a constant for each channel part of the bias of the layer before it";

    public bool Concerns(IOp op) => op is Add or Sub;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch) => LayerFolding.IntoPrevious(graph, node, patch);
}
