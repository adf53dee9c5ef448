using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fold;

/// <summary>What the rules share that move constants into the weights and the bias of a layer.</summary>
internal static class LayerFolding
{
    /// <summary>Folds a step into the layer that computes its operand.</summary>
    public static Rewrite IntoPrevious(Graph graph, Node node, GraphPatch patch)
    {
        if (AffineStep.Of(node, out string? reason) is not { } step)
        {
            return Rewrite.Decline(reason!);
        }

        if (LinearLayer.Of(step.X.Producer) is not { } layer)
        {
            return Rewrite.Decline("its operand is not the result of a convolution or dense layer");
        }

        if (layer.Activation is not FusedActivation.None)
        {
            return Rewrite.Decline($"the fused {layer.Activation} of '{layer.Node.Name}' stands between");
        }

        if (Fuse.ActivationSlot.IntervalOf(step.Activation) is null)
        {
            return Rewrite.Decline($"'{layer.Node.Name}' cannot take over the activation {step.Activation}");
        }

        if (step.X.UseCount > 1 || graph.IsOutput(step.X))
        {
            return Rewrite.Decline($"'{step.X.Name}' has other uses; folding would compute it twice");
        }

        if (layer.WhyFixed(weights: !step.IsOffsetOnly) is { } why)
        {
            return Rewrite.Decline(why);
        }

        int outputs = layer.OutputChannels;
        double[] factors = step.Factors(outputs);
        double[] bias = layer.BiasNumbers();
        double[] offsets = step.Offsets(outputs);
        for (int o = 0; o < outputs; o++)
        {
            bias[o] = (bias[o] * factors[o]) + offsets[o];
        }

        double[]? weights = null;
        if (!step.IsOffsetOnly)
        {
            weights = layer.WeightNumbers();
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] *= factors[layer.OutputOf(i)];
            }
        }

        bool keepsBias = layer.Bias is null && Array.TrueForAll(offsets, o => o == 0);
        WeightStructure? before = step.IsOffsetOnly ? null : layer.Weights.Constant?.Structure;
        WeightStructure? structure = before?.Scaled(layer.OutputAxis, factors);
        if (before is not null && structure is null)
        {
            return Rewrite.Decline($"the codebooks or grids of '{layer.Node.Name}' do not run along its output channels");
        }

        return layer.With(patch, layer.X, weights, keepsBias ? null : bias, step.Activation, node.Output, structure) is { } result
            ? patch.Replace(node.Output, result)
            : Rewrite.Decline("a folded weight or bias is not finite");
    }

    /// <summary>Folds the step that computes the input of a layer into it.</summary>
    public static Rewrite IntoNext(Graph graph, LinearLayer layer, AffineStep step, GraphPatch patch)
    {
        if (step.Activation is not FusedActivation.None)
        {
            return Rewrite.Decline($"the fused {step.Activation} of '{step.Node.Name}' stands between");
        }

        if (layer.X.UseCount > 1 || graph.IsOutput(layer.X))
        {
            return Rewrite.Decline($"'{layer.X.Name}' has other uses, so that its node stays");
        }

        int channels = step.X.Type.Shape[-1];
        if (channels <= 0 || (layer.Node.Op is Ops.FullyConnected && channels != layer.Weights.Type.Shape[1]))
        {
            return Rewrite.Decline("the channels of the constant are not the inputs of the layer");
        }

        if (layer.WhyFixed(weights: !step.IsOffsetOnly) is { } why)
        {
            return Rewrite.Decline(why);
        }

        if (layer.Weights is not { Constant: { DType: DType.F32, Sparse: null } })
        {
            return Rewrite.Decline($"the sum of the weights of '{layer.Node.Name}' is not known");
        }

        double[] factors = step.Factors(channels);
        double[] offsets = step.Offsets(channels);
        double[] weights = layer.WeightNumbers();
        double[] bias = layer.BiasNumbers();
        for (int i = 0; i < weights.Length; i++)
        {
            int input = layer.InputOf(i, channels);
            bias[layer.OutputOf(i)] += weights[i] * offsets[input];
            weights[i] *= factors[input];
        }

        bool keepsBias = layer.Bias is null && Array.TrueForAll(offsets, o => o == 0);
        if (!step.IsOffsetOnly && layer.Weights.Constant.Structure is { } structure && (structure.Codebook is not null || structure.Grid is not null)
            && Array.Exists(factors, f => f != factors[0]))
        {
            return Rewrite.Decline($"the weights of '{layer.Node.Name}' lie on a grid or in a codebook, which factors for input channels would break");
        }

        WeightStructure? kept = step.IsOffsetOnly || layer.Weights.Constant.Structure is not { } before ? null
            : Array.TrueForAll(factors, f => f == factors[0]) ? before.Scaled(layer.OutputAxis, factors)
            : new() { Mask = before.Mask };
        Value? result = layer.With(
            patch, step.X, step.IsOffsetOnly ? null : weights, keepsBias ? null : bias, layer.Activation, layer.Node.Output, kept);
        return result is null
            ? Rewrite.Decline("a folded weight or bias is not finite")
            : patch.Replace(layer.Node.Output, result);
    }
}
