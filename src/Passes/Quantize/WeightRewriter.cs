using System.Collections.Immutable;
using System.Numerics.Tensors;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Quantization;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Passes.Quantize;

/// <summary>Stores constants small and leaves the activations in float, in place.</summary>
internal sealed class WeightRewriter(Module module, QuantizationRecipe recipe)
{
    private readonly Dictionary<(Value Value, QuantParams? Grid), Value> _made = [];
    private int _conversions;

    public QuantizationReport Rewrite()
    {
        List<LayerReport> layers = [];
        foreach (Graph graph in module.Graphs)
        {
            foreach (Node node in graph.Nodes.ToArray())
            {
                layers.Add(graph == module.Main
                    ? Rewrite(graph, node)
                    : Left(node, LayerStatus.Float, $"stands in the graph '{graph.Name}'; only the main graph is quantized"));
            }
        }

        return new(recipe.Name, [.. layers], [], _conversions);
    }

    private LayerReport Rewrite(Graph graph, Node node)
    {
        LayerSettings settings = LayerRules.For(recipe, node);
        if (node.Op is QuantizeOp or Dequantize || !node.Inputs.Concat(node.Outputs).Any(v => v is { Type.DType: DType.F32 }))
        {
            return Left(node, LayerStatus.Untouched, "has no float operand, or only converts");
        }

        if (settings.KeepFloat is not null)
        {
            return Left(node, LayerStatus.Float, settings.KeepFloat);
        }

        return recipe.Mode is QuantizationMode.Float16 ? ToHalf(graph, node) : ToHybrid(graph, node, settings);
    }

    private static LayerReport Left(Node node, LayerStatus status, string reason) => new(node.Name, node.Op.Title, status, reason, DType.F32, []);

    private LayerReport ToHalf(Graph graph, Node node)
    {
        List<ConstantReport> constants = [];
        string? reason = null;
        GraphPatch patch = new();
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i] is not { Constant: { DType: DType.F32 } constant } operand)
            {
                continue;
            }

            TensorData data = constant.ToDense();
            reason = data.AsFloats().Length < recipe.MinimumElements ? $"constants have fewer than {recipe.MinimumElements} elements"
                : !FitsHalf(data.AsFloats()) ? $"'{operand.Name}' has values beyond half precision"
                : null;
            if (reason is not null)
            {
                continue;
            }

            patch.SetInput(node, i, Half(patch, operand, data, AxisOf(node, i), out TensorData half));
            float[] rounded = new float[data.Shape.ElementCount];
            TensorPrimitives.ConvertToSingle(half.Span<Half>(), rounded);
            constants.Add(new(operand.Name, NameOf(node, i), DType.F16, null, WeightQuantizer.Sqnr(data.AsFloats(), rounded), 0));
        }

        if (constants.Count == 0)
        {
            return Left(node, LayerStatus.Float, reason ?? "has no float constant");
        }

        patch.ApplyTo(module, graph, node);
        return new(node.Name, node.Op.Title, LayerStatus.WeightsOnly, null, DType.F32, [.. constants]);
    }

    /// <summary>Output channels of a weight; 0 for other operands.</summary>
    private int AxisOf(Node node, int operand)
    {
        try
        {
            QuantRule? rule = (node.Op as IQuantizable)?.QuantRule(OpOperands.Of(node, module.FindGraph));
            return rule is not null && operand < rule.Inputs.Length && rule.Inputs[operand] is WeightsRule weights ? weights.Axis : 0;
        }
        catch (OpRuleException)
        {
            return 0;
        }
    }

    private Value Half(GraphPatch patch, Value operand, TensorData data, int axis, out TensorData half)
    {
        if (_made.TryGetValue((operand, null), out Value? known))
        {
            half = known.Producer!.Inputs[0]!.Constant!;
            return known;
        }

        Half[] narrow = new Half[data.Shape.ElementCount];
        TensorPrimitives.ConvertToHalf(data.AsFloats(), narrow);
        half = TensorData.From<Half>(DType.F16, data.Shape, narrow);
        half = half.With(data.Structure?.HeldBy(half, axis));
        Value wide = patch.Add(new Dequantize(), [GraphPatch.Constant(half, operand.Name)], new TensorType(DType.F32, data.Shape), $"{operand.Name}_f32");
        _conversions++;
        _made.Add((operand, null), wide);
        return wide;
    }

    /// <summary>Numbers that half precision holds without becoming infinite; NaN never does.</summary>
    private static bool FitsHalf(ReadOnlySpan<float> values) => !values.ContainsAnyExceptInRange((float)System.Half.MinValue, (float)System.Half.MaxValue);

    private LayerReport ToHybrid(Graph graph, Node node, LayerSettings settings)
    {
        QuantRule rule;
        try
        {
            if (node.Op is not IQuantizable quantizable || !(rule = quantizable.QuantRule(OpOperands.Of(node, module.FindGraph))).Hybrid)
            {
                return Left(node, LayerStatus.Float, "the operator has no kernel for float activations with integer weights");
            }
        }
        catch (OpRuleException problem)
        {
            return Left(node, LayerStatus.Float, LayerPlanner.TextOf(problem));
        }

        GraphPatch patch = new();
        List<ConstantReport> constants = [];
        ImmutableArray<Value?> inputs = node.Inputs;
        string reason = "has no float weights";
        for (int i = 0; i < Math.Min(rule.Inputs.Length, node.Inputs.Length); i++)
        {
            // An op that looks up rows has its table where others have an activation.
            WeightsRule? weights = rule.Inputs[i] switch
            {
                WeightsRule own => own,
                ActivationRule => new(0, PerChannel: false),
                _ => null,
            };
            if (weights is null || node.Inputs[i] is not { } operand || FloatConstants.Of(operand) is not { } data)
            {
                continue;
            }

            if (data.Shape.ElementCount < recipe.MinimumElements)
            {
                reason = $"weights have fewer than {recipe.MinimumElements} elements";
                continue;
            }

            if (!AffineGrid.IsFinite(data))
            {
                reason = "weights hold NaN or infinity";
                continue;
            }

            QuantizedWeights result = WeightQuantizer.CanKeepGrid(data, weights.Axis, weights.PerChannel)
                ? WeightQuantizer.OnGrid(data)
                : WeightQuantizer.Quantize(data, weights.Axis, weights.PerChannel && settings.Weights is WeightGranularity.PerChannel);
            inputs = inputs.SetItem(i, Shared(operand, result));
            float[] approximation = AffineGrid.Dequantize(result.Data, result.Quant);
            constants.Add(new(operand.Name, NameOf(node, i), DType.I8, result.Quant, WeightQuantizer.Sqnr(data.AsFloats(), approximation), 0));
        }

        if (constants.Count == 0)
        {
            return Left(node, LayerStatus.Float, reason);
        }

        // Every runtime that looks at the option then quantizes the activations as the others do in any case.
        IOp op = node.Op is FullyConnected dense ? dense with { AsymmetricInputs = true } : node.Op;
        Node replacement = patch.AddNode(op, inputs, [.. node.Outputs.Select(o => (o.Name, o.Type))], node.Name);
        foreach ((Value old, Value with) in node.Outputs.Zip(replacement.Outputs))
        {
            patch.Replace(old, with);
        }

        patch.ApplyTo(module, graph, node);
        return new(node.Name, node.Op.Title, LayerStatus.WeightsOnly, null, DType.F32, [.. constants]);
    }

    private Value Shared(Value operand, QuantizedWeights weights)
    {
        if (!_made.TryGetValue((operand, weights.Quant), out Value? made))
        {
            made = GraphPatch.Constant(weights.Data, operand.Name, weights.Quant);
            _made.Add((operand, weights.Quant), made);
        }

        return made;
    }

    private static string NameOf(Node node, int operand) =>
        operand < node.Op.Schema.Inputs.Length ? node.Op.Schema.Inputs[operand].TrimEnd('?', '*') : $"{operand}";
}
