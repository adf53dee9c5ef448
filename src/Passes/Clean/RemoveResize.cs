using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a resizing to the size that is there.
/// <code>
///   resize(x [n, h, w, c], [h, w])
///   => x
/// </code>
/// </summary>
/// <remarks>
/// Every pixel then lies on itself. A float RESIZE_BILINEAR stays: its weighted sum turns -0 into +0, and an infinite
/// neighbour with weight 0 into NaN.
/// </remarks>
public sealed class RemoveResize : IRewriteRule
{
    public string Name => "remove-resize";

    public string Summary => "removes RESIZE_NEAREST_NEIGHBOR, and RESIZE_BILINEAR of integers, to the size that is there already";

    public bool Concerns(IOp op) => op is ResizeNearestNeighbor or ResizeBilinear;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } size)
        {
            return Rewrite.Decline("the size is computed");
        }

        Value x = node.Inputs[0]!;
        if (!x.Type.Shape.HasRank || x.Type.Shape[1] != size[0] || x.Type.Shape[2] != size[1])
        {
            return Rewrite.Decline($"it changes the size of {x.Type.Shape} to {Shape.Create(size)}");
        }

        return node.Op is ResizeBilinear && x.Type.DType is DType.F32
            ? Rewrite.Decline("a weighted sum of floats with weight 0 does not keep -0 and infinite neighbours")
            : Identity.Forward(graph, node, x, patch);
    }
}
