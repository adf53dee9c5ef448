using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Quantization;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Passes.Quantize;

/// <summary>Decides for every layer whether it becomes integer, and if not, why.</summary>
/// <param name="refused">Layers that turned out to have no integer kernel for the scales they got, with the reason.</param>
internal sealed class LayerPlanner(Module module, QuantizationRecipe recipe, IReadOnlyDictionary<Node, string> refused)
{
    public ImmutableArray<LayerPlan> Plan(Graph graph) => [.. graph.Nodes.Select(Plan)];

    private LayerPlan Plan(Node node)
    {
        LayerSettings settings = LayerRules.For(recipe, node);
        LayerPlan Leave(LayerStatus status, string reason) => new(node, status, settings, null, reason);
        if (node.Op is QuantizeOp or Dequantize)
        {
            return Leave(LayerStatus.Untouched, "converts between float and integers");
        }

        if (!node.Inputs.Concat(node.Outputs).Any(v => v is { Type.DType: DType.F32 }))
        {
            return Leave(LayerStatus.Untouched, "has no float operand");
        }

        if (settings.KeepFloat is not null)
        {
            return Leave(LayerStatus.Float, settings.KeepFloat);
        }

        if (refused.TryGetValue(node, out string? refusal))
        {
            return Leave(LayerStatus.Float, refusal);
        }

        if (node.Op is If or While)
        {
            return Leave(LayerStatus.Float, "calls graphs, which stay float");
        }

        if (node.Op is not IQuantizable quantizable)
        {
            return Leave(LayerStatus.Float, "the operator has no rule for integers");
        }

        try
        {
            QuantRule rule = quantizable.QuantRule(OpOperands.Of(node, module.FindGraph));
            return Obstacle(node, rule, settings.Activations) is { } obstacle
                ? Leave(LayerStatus.Float, obstacle)
                : new(node, LayerStatus.Quantized, settings, rule, null);
        }
        catch (OpRuleException problem)
        {
            return Leave(LayerStatus.Float, TextOf(problem));
        }
    }

    public static string TextOf(OpRuleException problem) =>
        problem.Found is null ? problem.Message : $"{problem.Message}: {problem.Found}";

    private static string? Obstacle(Node node, QuantRule rule, DType activations)
    {
        KernelTypes needed = activations is DType.I8 ? KernelTypes.I8 : KernelTypes.I16;
        if (!rule.Activations.HasFlag(needed))
        {
            return $"the operator has no kernel for {activations.Name} activations";
        }

        for (int i = 0; i < Math.Min(rule.Inputs.Length, node.Inputs.Length); i++)
        {
            if (node.Inputs[i] is { } operand && Obstacle(rule.Inputs[i], operand) is { } obstacle)
            {
                return $"operand {i}: {obstacle}";
            }
        }

        for (int i = 0; i < rule.Outputs.Length; i++)
        {
            if (rule.Outputs[i] is not AsIsRule && node.Outputs[i].Type.DType is not DType.F32)
            {
                return $"result {i}: it is {node.Outputs[i].Type.DType.Name}, not f32";
            }
        }

        return null;
    }

    private static string? Obstacle(OperandRule rule, Value operand)
    {
        if (rule is AsIsRule)
        {
            return null;
        }

        if (operand.Type.DType is not DType.F32)
        {
            return operand.Constant is null
                ? $"it is {operand.Type.DType.Name}; layers that are partly quantized are left alone"
                : $"its constant is {operand.Type.DType.Name} already";
        }

        TensorData? constant = FloatConstants.Of(operand);
        if (constant is not null && !AffineGrid.IsFinite(constant))
        {
            return "its constant holds NaN or infinity";
        }

        return rule switch
        {
            WeightsRule weights when constant is null && FloatConstants.IntegerWeights(operand, weights.Axis, weights.PerChannel) is null =>
                "weights must be constant",
            BiasRule when constant is null => "a bias must be constant",
            WideRule when constant is null && !operand.IsVariable => "it must be a constant or a variable",
            ActivationRule or SharedRule or FixedRule when operand.IsVariable => "float variables stay float",
            _ => null,
        };
    }
}
