using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Report;

/// <summary>What a constant is to the operators that use it: weights, a bias, or something else.</summary>
internal static class OperandRole
{
    private const int Furthest = 4;

    /// <summary>The weightiest role of a value in the layers that read it, with the layer and the name of the operand there.</summary>
    /// <remarks>Looks through operators that only convert or rearrange, such as DEQUANTIZE before a layer.</remarks>
    public static (TfLiteByteUse Use, Node Layer, string Operand) Of(Value value, Node user, int input)
    {
        (TfLiteByteUse Use, Node Layer, string Operand) best = Find(user, input, depth: 0);
        foreach (Node other in value.Users.Distinct())
        {
            for (int i = 0; i < other.Inputs.Length; i++)
            {
                if (other.Inputs[i] == value && Find(other, i, depth: 0) is var role && role.Use < best.Use)
                {
                    best = role;
                }
            }
        }

        return best;
    }

    private static (TfLiteByteUse Use, Node Layer, string Operand) Find(Node node, int input, int depth)
    {
        string operand = NameOf(node.Op.Schema, input);
        (TfLiteByteUse Use, Node Layer, string Operand) own = (UseOf(node, operand), node, operand);
        if (depth == Furthest
            || operand != "x"
            || node.Op is not (Densify or Dequantize or Quantize or FakeQuant or Cast or Reshape or Transpose or ExpandDims or Squeeze))
        {
            return own;
        }

        foreach (Node user in node.Outputs[0].Users)
        {
            for (int i = 0; i < user.Inputs.Length; i++)
            {
                if (user.Inputs[i] == node.Outputs[0] && Find(user, i, depth + 1) is var behind && behind.Use < own.Use)
                {
                    own = behind;
                }
            }
        }

        return own;
    }

    private static TfLiteByteUse UseOf(Node node, string operand) => operand switch
    {
        "w" or "weights" or "table" or "alpha" => TfLiteByteUse.Weights,
        "bias" => TfLiteByteUse.Biases,
        "x" when node.Op is Gather or GatherNd => IsReal(node.Inputs[0]!.Type) ? TfLiteByteUse.Weights : TfLiteByteUse.OtherConstants,
        "x" or "y" when node.Op is BatchMatMul => TfLiteByteUse.Weights,
        _ when operand.EndsWith("_weights", StringComparison.Ordinal)
            || operand.EndsWith("_recurrent", StringComparison.Ordinal)
            || operand.EndsWith("_peephole", StringComparison.Ordinal) => TfLiteByteUse.Weights,
        _ when operand.EndsWith("_bias", StringComparison.Ordinal) => TfLiteByteUse.Biases,
        _ => TfLiteByteUse.OtherConstants,
    };

    private static bool IsReal(TensorType type) => type.DType.IsFloat || type.Quant is not null;

    private static string NameOf(OpSchema schema, int input)
    {
        int last = schema.Inputs.Length - 1;
        return last < 0 ? "" : schema.Inputs[Math.Min(input, last)].TrimEnd('?', '*');
    }
}
