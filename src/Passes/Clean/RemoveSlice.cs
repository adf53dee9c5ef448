using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a slice that takes everything.
/// <code>
///   slice(x [h, w], [0, 0], [h, w])     slice(x, [0, ..], [-1, ..])
///   => x
/// </code>
/// </summary>
public sealed class RemoveSlice : RewriteRule<Slice>
{
    public override string Name => "remove-slice";

    public override string Summary => "removes a SLICE that takes the whole tensor";

    protected override Rewrite Apply(Graph graph, Node node, Slice op, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } begin || Identity.Ints(node, 2) is not { } size)
        {
            return Rewrite.Decline("begin or size are computed");
        }

        Shape shape = node.Inputs[0]!.Type.Shape;
        for (int i = 0; i < begin.Length; i++)
        {
            if (begin[i] != 0 || (size[i] != -1 && (!shape.HasRank || shape[i] != size[i])))
            {
                return Rewrite.Decline($"it takes a part of dimension {i} of {shape}");
            }
        }

        return Identity.Forward(graph, node, node.Inputs[0]!, patch);
    }
}
