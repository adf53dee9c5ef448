using Optc.Ir;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a RESHAPE, SQUEEZE or EXPAND_DIMS that leaves the shape as it is.
/// <code>
///   reshape(x [n, c], [n, c])
///   => x
/// </code>
/// </summary>
/// <remarks>
/// A shape with one unknown dimension is left as it is too if the others stay: the number of elements decides the last.
/// With two unknown ones it may change.
/// </remarks>
public sealed class RemoveReshape : IRewriteRule
{
    public string Name => "remove-reshape";

    public string Summary => "removes RESHAPE, SQUEEZE and EXPAND_DIMS to the shape that is there already";

    public bool Concerns(IOp op) => Identity.Reshapes(op);

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        (Shape from, Shape to) = (node.Inputs[0]!.Type.Shape, node.Output.Type.Shape);
        if (!from.HasRank || from.Dims.Count(d => d < 0) > 1)
        {
            return Rewrite.Decline($"a shape of {from} may change");
        }

        return from.Equals(to)
            ? Identity.Forward(graph, node, node.Inputs[0]!, patch)
            : Rewrite.Decline($"it changes {from} to {to}");
    }
}
