using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>
/// Removes a QUANTIZE that gives back the integers that are there.
/// <code>
///   quantize(dequantize(q))     with the type and the parameters of q
///   quantize(q)                 to the type and the parameters of q
///   => q
/// </code>
/// </summary>
/// <remarks>
/// Exact: <c>s (q - z)</c> in float is off by less than half a step for integers of up to 16 bits. The other order,
/// DEQUANTIZE of QUANTIZE, rounds and is left alone.
/// </remarks>
public sealed class RemoveQuantize : RewriteRule<Ops.Quantize>
{
    public override string Name => "remove-quantize";

    public override string Summary => "removes a QUANTIZE to the parameters from which the value was dequantized, or which it has";

    protected override Rewrite Apply(Graph graph, Node node, Ops.Quantize op, GraphPatch patch)
    {
        Value x = node.Inputs[0]!;
        TensorType result = node.Output.Type;
        if (x.Type.DType is DType.F32)
        {
            if (x.Producer is not { Op: Dequantize } dequantize)
            {
                return Rewrite.Decline("its operand is not the result of a DEQUANTIZE");
            }

            x = dequantize.Inputs[0]!;
        }

        if (result.DType is not (DType.I8 or DType.U8 or DType.I16 or DType.I4))
        {
            return Rewrite.Decline($"{result.DType.Name} may hold more digits than float");
        }

        if (x.Type.DType != result.DType || x.Type.Quant is null || !x.Type.Quant.Equals(result.Quant))
        {
            return Rewrite.Decline($"it changes {x.Type} to {result}");
        }

        return result.Quant!.Scales.All(s => float.IsNormal(s) && s > 0 && float.IsFinite(s * ushort.MaxValue))
            ? Identity.Forward(graph, node, x, patch)
            : Rewrite.Decline("a scale is too small or too large for the products to be exact");
    }
}
