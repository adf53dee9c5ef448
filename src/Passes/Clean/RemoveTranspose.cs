using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a permutation that keeps the order.
/// <code>
///   transpose(x, [0, 1, 2, ..])
///   => x
/// </code>
/// </summary>
public sealed class RemoveTranspose : RewriteRule<Transpose>
{
    public override string Name => "remove-transpose";

    public override string Summary => "removes a TRANSPOSE that keeps the order of the dimensions";

    protected override Rewrite Apply(Graph graph, Node node, Transpose op, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } permutation)
        {
            return Rewrite.Decline("the permutation is computed");
        }

        return permutation.AsSpan().SequenceEqual(Enumerable.Range(0, permutation.Length).ToArray())
            ? Identity.Forward(graph, node, node.Inputs[0]!, patch)
            : Rewrite.Decline($"it changes the order of the dimensions to {Shape.Create(permutation)}");
    }
}
