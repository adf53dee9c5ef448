using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Makes one permutation of two.
/// <code>
///   transpose(transpose(x, p), q)
///   => transpose(x, r)      r[i] = p[q[i]]
/// </code>
/// </summary>
public sealed class MergeTransposes : RewriteRule<Transpose>
{
    public override string Name => "merge-transposes";

    public override string Summary => "makes one TRANSPOSE of two in a row";

    protected override Rewrite Apply(Graph graph, Node node, Transpose op, GraphPatch patch)
    {
        if (node.Inputs[0]!.Producer is not { Op: Transpose } first)
        {
            return Rewrite.Decline("its operand is not the result of a transpose");
        }

        if (Identity.Ints(node, 1) is not { } outer || Identity.Ints(first, 1) is not { } inner)
        {
            return Rewrite.Decline("a permutation is computed");
        }

        Value x = first.Inputs[0]!;
        if (x.IsVariable)
        {
            return Rewrite.Decline($"the first transpose keeps what the variable '{x.Name}' held");
        }

        if (!Equals(x.Type.Quant, node.Output.Type.Quant))
        {
            return Rewrite.Decline("quantization per axis follows the permutation");
        }

        int[] joined = [.. outer.Select(axis => inner[axis])];
        Value permutation = GraphPatch.Constant(TensorData.FromInts([joined.Length], joined), node.Inputs[1]!.Name);
        return patch.Replace(node.Output, patch.Add(op, [x, permutation], node.Output, node.Name));
    }
}
