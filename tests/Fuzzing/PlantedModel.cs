using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Fuzzing;

/// <summary>A trained model whose convolutions are edited so that channels become superfluous.</summary>
public static class PlantedModel
{
    /// <summary>A copy of a model with edited convolutions.</summary>
    /// <param name="original">Its first convolution is the stem, whose inputs stay.</param>
    /// <param name="name">One of <c>original, dead, unread, const, sat, mix</c>.</param>
    public static Module Make(Module original, string name)
    {
        Module module = original.Clone();
        foreach (string edit in name is "mix" ? ["dead", "unread", "const"] : new[] { name })
        {
            int index = 0;
            foreach (Node node in module.Main.Nodes.Where(n => n.Op is Conv2D).ToArray())
            {
                Edit(module, node, edit, isStem: index++ == 0);
            }
        }

        return module;
    }

    private static void Edit(Module module, Node node, string edit, bool isStem)
    {
        Value w = node.Inputs[1]!;
        Value b = node.Inputs[2]!;
        sbyte[] weights = w.Constant!.Span<sbyte>().ToArray();
        int[] bias = b.Constant!.Span<int>().ToArray();
        int outputs = bias.Length;
        int inputs = w.Type.Shape[3];
        int row = weights.Length / outputs;
        for (int o = 0; o < outputs; o++)
        {
            bool isCleared = (edit is "dead" && o % 4 == 1) || (edit is "const" && o % 16 == 2);
            for (int k = 0; k < row; k++)
            {
                if (isCleared || (edit is "unread" && !isStem && k % inputs % 4 == 3))
                {
                    weights[(o * row) + k] = 0;
                }
            }

            bias[o] = edit switch
            {
                "dead" when isCleared => 0,
                "const" when isCleared => 1 << 20,
                "sat" when o % 8 == 5 => -(1 << 20),
                _ => bias[o],
            };
        }

        GraphPatch patch = new();
        patch.SetInput(node, 1, GraphPatch.Constant(TensorData.From<sbyte>(DType.I8, w.Type.Shape, weights), w.Name, w.Type.Quant));
        patch.SetInput(node, 2, GraphPatch.Constant(TensorData.FromInts(b.Type.Shape, bias), b.Name, b.Type.Quant));
        patch.ApplyTo(module, module.Main, node);
    }
}
