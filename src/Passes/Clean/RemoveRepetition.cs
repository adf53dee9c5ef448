using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a repetition by one.
/// <code>
///   tile(x, [1, 1, ..])     broadcast_to(x [h, w], [h, w])
///   => x
/// </code>
/// </summary>
public sealed class RemoveRepetition : IRewriteRule
{
    public string Name => "remove-repetition";

    public string Summary => "removes TILE and BROADCAST_TO that repeat nothing";

    public bool Concerns(IOp op) => op is Tile or BroadcastTo;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } wanted)
        {
            return Rewrite.Decline("multiples or shape are computed");
        }

        Value x = node.Inputs[0]!;
        bool same = node.Op is Tile ? Array.TrueForAll(wanted, m => m == 1) : x.Type.Shape.Equals(Shape.Create(wanted));
        return same ? Identity.Forward(graph, node, x, patch) : Rewrite.Decline($"it repeats {x.Type.Shape} to {node.Output.Type.Shape}");
    }
}
