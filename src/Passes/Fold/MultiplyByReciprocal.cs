using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Fold;

/// <summary>
/// Makes a quotient by a constant a product, which integer kernels know and every target computes faster.
/// <code>
///   div(x, c)
///   => mul(x, 1 / c)
/// </code>
/// </summary>
/// <remarks>Float only. The reciprocal is rounded, so that a result may differ in its last bits.</remarks>
public sealed class MultiplyByReciprocal : RewriteRule<Div>
{
    public override string Name => "multiply-by-reciprocal";

    public override string Summary => "makes DIV by a constant a MUL, which can be quantized";

    protected override Rewrite Apply(Graph graph, Node node, Div op, GraphPatch patch)
    {
        Value x = node.Inputs[0]!;
        if (node.Inputs[1] is not { Constant: { } constant } divisor || x.Constant is not null)
        {
            return Rewrite.Decline("it does not divide a computed value by a constant");
        }

        if (x.Type.DType is not DType.F32)
        {
            return Rewrite.Decline($"the quotient of {x.Type.DType.Name} is rounded");
        }

        if (constant.Structure is not null)
        {
            return Rewrite.Decline($"'{divisor.Name}' has a structure, which its reciprocals do not have");
        }

        float[] reciprocals = Array.ConvertAll(constant.ToDense().AsFloats().ToArray(), c => (float)(1.0 / c));
        if (!Array.TrueForAll(reciprocals, float.IsNormal))
        {
            return Rewrite.Decline("a reciprocal is not a normal number");
        }

        Value factor = GraphPatch.Constant(TensorData.FromFloats(constant.Shape, reciprocals), divisor.Name);
        return patch.Replace(node.Output, patch.Add(new Mul(op.Activation), [x, factor], node.Output, node.Name));
    }
}
