using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a concatenation of one tensor.
/// <code>
///   concatenation(x)
///   => x
/// </code>
/// </summary>
public sealed class RemoveConcatenation : RewriteRule<Concatenation>
{
    public override string Name => "remove-concatenation";

    public override string Summary => "removes a CONCATENATION of one tensor";

    protected override Rewrite Apply(Graph graph, Node node, Concatenation op, GraphPatch patch) => node.Inputs.Length == 1
        ? Identity.Forward(graph, node, node.Inputs[0]!, patch)
        : Rewrite.Decline($"it joins {node.Inputs.Length} tensors");
}
