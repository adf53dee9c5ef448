using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a border of no width.
/// <code>
///   pad(x, [[0, 0], [0, 0], ..])
///   => x
/// </code>
/// </summary>
public sealed class RemovePad : IRewriteRule
{
    public string Name => "remove-pad";

    public string Summary => "removes PAD, PADV2 and MIRROR_PAD whose borders have no width";

    public bool Concerns(IOp op) => op is Pad or PadV2 or MirrorPad;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } widths)
        {
            return Rewrite.Decline("the widths of the border are computed");
        }

        return Array.TrueForAll(widths, w => w == 0)
            ? Identity.Forward(graph, node, node.Inputs[0]!, patch)
            : Rewrite.Decline("the border has a width");
    }
}
