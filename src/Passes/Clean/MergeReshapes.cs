using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Lets a reshape of a reshape read what the first one reads.
/// <code>
///   reshape(reshape(x, a), b)
///   => reshape(x, b)
/// </code>
/// </summary>
/// <remarks>Either may be a SQUEEZE or an EXPAND_DIMS; the result is a RESHAPE then.</remarks>
public sealed class MergeReshapes : IRewriteRule
{
    public string Name => "merge-reshapes";

    public string Summary => "makes one RESHAPE of several in a row";

    public bool Concerns(IOp op) => Identity.Reshapes(op);

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (node.Inputs[0]!.Producer is not { } first || !Identity.Reshapes(first.Op))
        {
            return Rewrite.Decline("its operand is not the result of a reshape");
        }

        Value x = first.Inputs[0]!;
        if (x.IsVariable)
        {
            return Rewrite.Decline($"the first reshape keeps what the variable '{x.Name}' held");
        }

        if (x.Constant is { Sparse: not null })
        {
            return Rewrite.Decline($"'{x.Name}' is stored sparse");
        }

        if (!Equals(x.Type.Quant, first.Output.Type.Quant))
        {
            return Rewrite.Decline("the first reshape changes the quantization");
        }

        if (node.Op is Reshape)
        {
            return patch.SetInput(node, 0, x);
        }

        Shape shape = node.Output.Type.Shape;
        return shape.HasRank && shape.Dims.Count(d => d < 0) <= 1
            ? patch.Replace(node.Output, patch.Add(new Reshape(shape.Dims), [x], node.Output, node.Name))
            : Rewrite.Decline($"its result of {shape} cannot be said by a RESHAPE");
    }
}
