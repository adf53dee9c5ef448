using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Snapshots;

namespace Optc.Tests.Unit.Passes.Shrink;

/// <summary>A trained model whose convolutions are edited so that channels become superfluous.</summary>
internal static class PlantedModel
{
    public static Module Original() =>
        Model.Load(Path.Combine(SharedFolder.Path, "models", "kws_ref_model", "kws_ref_model.tflite")).Module;

    /// <summary>One of <c>original, dead, unread, const, sat, mix</c>.</summary>
    public static Module Make(string name)
    {
        Module module = Original().Clone();
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
