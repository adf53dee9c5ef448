using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a CAST to the element type that is there.
/// <code>
///   cast(x f32) to f32
///   => x
/// </code>
/// </summary>
public sealed class RemoveCast : RewriteRule<Cast>
{
    public override string Name => "remove-cast";

    public override string Summary => "removes a CAST to the element type that is there already";

    protected override Rewrite Apply(Graph graph, Node node, Cast op, GraphPatch patch)
    {
        (DType from, DType to) = (node.Inputs[0]!.Type.DType, node.Output.Type.DType);
        return from == to
            ? Identity.Forward(graph, node, node.Inputs[0]!, patch)
            : Rewrite.Decline($"it changes {from.Name} to {to.Name}");
    }
}
