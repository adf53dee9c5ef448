using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a strided slice that takes every element in order.
/// <code>
///   strided_slice(x [h, w], [0, 0], [h, w], [1, 1])
///   => x
/// </code>
/// </summary>
/// <remarks>With steps of 1, equal shapes say that nothing is left out; an unknown dimension must be open at both ends.</remarks>
public sealed class RemoveStridedSlice : RewriteRule<StridedSlice>
{
    public override string Name => "remove-strided-slice";

    public override string Summary => "removes a STRIDED_SLICE that takes the whole tensor";

    protected override Rewrite Apply(Graph graph, Node node, StridedSlice op, GraphPatch patch)
    {
        if (Identity.Ints(node, 1) is not { } begin || Identity.Ints(node, 2) is null || Identity.Ints(node, 3) is not { } strides)
        {
            return Rewrite.Decline("begin, end or strides are computed");
        }

        if (op.NewAxisMask != 0 || op.ShrinkAxisMask != 0)
        {
            return Rewrite.Decline("it inserts or drops dimensions");
        }

        if (Array.Exists(strides, s => s != 1))
        {
            return Rewrite.Decline("it leaves elements out or turns their order");
        }

        Shape shape = node.Inputs[0]!.Type.Shape;
        if (!shape.Equals(node.Output.Type.Shape))
        {
            return Rewrite.Decline($"it takes {node.Output.Type.Shape} of {shape}");
        }

        for (int i = 0; i < begin.Length && !shape.IsKnown; i++)
        {
            bool open = (begin[i] == 0 || (op.BeginMask >> i & 1) != 0) && (op.EndMask >> i & 1) != 0;
            if (op.EllipsisMask != 0 || !shape.HasRank || (shape[i] < 0 && !open))
            {
                return Rewrite.Decline($"it may take a part of {shape}");
            }
        }

        return Identity.Forward(graph, node, node.Inputs[0]!, patch);
    }
}
