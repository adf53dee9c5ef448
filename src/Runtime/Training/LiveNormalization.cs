using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Runtime.Training;

/// <summary>Gives convolutions whose batch normalization is folded one again, so that training can go on with statistics of batches.</summary>
/// <remarks>
/// <c>conv(x, w) + b</c> becomes <c>conv(x, w) * 1 + b</c> in the form that training takes for a normalization; with mean and variance of
/// <c>conv(x, w)</c> it has a positive gamma and computes what it computed. Statistics repair the shift and the loss of variance that zeros
/// and shared values cause, which folded ones cannot.
/// </remarks>
public static class LiveNormalization
{
    /// <summary>Changes a module, and says which values it needs the statistics of.</summary>
    /// <returns>For each layer that was changed its name and the value that is normalized.</returns>
    public static ImmutableArray<(string Layer, Value Value)> Insert(Module module)
    {
        List<(string, Value)> inserted = [];
        HashSet<string> names = [];
        foreach (Node node in module.Main.Nodes.ToArray())
        {
            if (!Concerns(node) || !names.Add(node.Name))
            {
                continue;
            }

            int channels = node.Output.Type.Shape[-1];
            GraphPatch patch = new();
            (IOp op, FusedActivation activation) = node.Op switch
            {
                Conv2D c => ((IOp)(c with { Activation = FusedActivation.None }), c.Activation),
                DepthwiseConv2D c => (c with { Activation = FusedActivation.None }, c.Activation),
                _ => throw new InvalidOperationException($"'{node}' is no convolution."),
            };
            float[] ones = new float[channels];
            Array.Fill(ones, 1);
            TensorData offsets = node.Input(2)?.Constant?.ToDense().Reshape([channels]) ?? TensorData.FromFloats([channels], new float[channels]);
            string name = node.Output.Name;
            Value raw = patch.Add(op, [node.Inputs[0], node.Inputs[1]], node.Output.Type, $"{name}/conv");
            Value scaled = patch.Add(
                new Mul(), [raw, GraphPatch.Constant(TensorData.FromFloats([channels], ones), $"{name}/bn_scale/gamma")], node.Output.Type, $"{name}/bn_scale");
            Value shifted = patch.Add(
                new Add(activation), [scaled, GraphPatch.Constant(offsets, $"{name}/bn_shift/beta")], node.Output, $"{name}/bn_shift");
            patch.Replace(node.Output, shifted);
            patch.ApplyTo(module, module.Main, node);
            inserted.Add((name, raw));
        }

        return [.. inserted];
    }

    private static bool Concerns(Node node) =>
        node.Op is (Conv2D { Activation: FusedActivation.None or FusedActivation.Relu or FusedActivation.Relu6 or FusedActivation.ReluN1To1 }
            or DepthwiseConv2D { Activation: FusedActivation.None or FusedActivation.Relu or FusedActivation.Relu6 or FusedActivation.ReluN1To1 })
        && node.Output.Type is { DType: DType.F32, Quant: null, Shape.Rank: 4 }
        && node.Output.Type.Shape[-1] > 0
        && node.Inputs[1] is { Constant.DType: DType.F32, UseCount: 1 }
        && node.Input(2) is null or { Constant.DType: DType.F32 };
}
