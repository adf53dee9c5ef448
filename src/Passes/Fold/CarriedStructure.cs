using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Fold;

/// <summary>What holds of a computed constant because it held of the operand that it was computed from.</summary>
internal static class CarriedStructure
{
    /// <param name="node">What computes the constant from constants.</param>
    /// <param name="result">The constant.</param>
    /// <returns><see langword="null"/> for ordinary operands, and for ops of which nothing can be said.</returns>
    public static WeightStructure? Of(Node node, TensorData result)
    {
        if (node.Inputs is not [{ Constant: { Structure: { } structure } data } operand, ..])
        {
            return null;
        }

        WeightStructure? carried = node.Op switch
        {
            Reshape or Squeeze or ExpandDims => structure.Reshaped(data.Shape, result.Shape),
            Transpose => structure.Transposed(data.Shape, Permutation(node)),
            Dequantize when operand.Type.Quant is { } quant => OnGridOf(structure, data, quant),
            Dequantize or Densify or Cast => structure,
            _ => null,
        };
        return carried?.HeldBy(result, carried.Grid?.Axis ?? carried.Codebook?.Axis ?? 0);
    }

    private static int[] Permutation(Node node) => node.Inputs[1]!.Constant!.AsInts();

    /// <summary>Integers with zero points 0 are the codes of a grid.</summary>
    private static WeightStructure OnGridOf(WeightStructure structure, TensorData data, QuantParams quant) =>
        quant.ZeroPoints.All(z => z == 0)
            ? structure with { Grid = new(quant.Scales, quant.IsPerAxis ? quant.Axis : 0, data.DType is DType.I16 ? 16 : 8) }
            : structure;
}
