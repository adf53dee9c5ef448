using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Quantization;

namespace Optc.Passes.Quantize;

/// <summary>The operands of one integer layer.</summary>
internal sealed class OperandQuantizer(LayerPlan plan, QuantizationRecipe recipe, ScalePlan scales, ValueForms forms)
{
    // Half of the range of an int32 accumulator is left to the products; in TFLite's converter likewise.
    private const double LargestBias32 = 1L << 30;

    // Accelerators keep 40 bits of a bias; one bit is left to the products.
    private const double LargestBias64 = 1L << 38;

    private readonly Dictionary<int, QuantizedWeights> _weights = [];
    private readonly List<ConstantReport> _report = [];

    public ImmutableArray<ConstantReport> Report => [.. _report];

    private Node Node => plan.Node;

    private DType Type => plan.Activations;

    /// <summary>The operand in the form that the integer layer reads.</summary>
    /// <exception cref="LayerRefusal">A bias cannot be expressed.</exception>
    public Value? Quantize(int index)
    {
        if (Node.Inputs[index] is not { } operand)
        {
            return null;
        }

        OperandRule rule = index < plan.Rule!.Inputs.Length ? plan.Rule.Inputs[index] : OperandRule.AsIs;
        switch (rule)
        {
            case WeightsRule or WideRule when WeightsOf(index) is { } weights:
                Describe(index, operand, weights);
                return forms.Constant(operand, weights.Data, weights.Quant);
            case WideRule:
                return forms.Variable(operand, new(DType.I16, operand.Type.Shape, scales.OfOperand(Node, index)));
            case BiasRule bias:
                return Bias(operand, bias);
            case AsIsRule:
                return forms.AsSource(operand);
            default:
                return Activation(index, operand);
        }
    }

    private Value Activation(int index, Value operand)
    {
        QuantParams grid = scales.OfOperand(Node, index);
        Value value = forms.AsIntegers(operand, Type, grid);
        if (FloatConstants.Of(operand) is not null)
        {
            Describe(index, operand, new(value.Constant!, grid, 0));
        }

        return value;
    }

    private Value Bias(Value operand, BiasRule rule)
    {
        float input = WeightsOf(rule.Input) is { } constant ? constant.Quant.Scale : scales.OfOperand(Node, rule.Input).Scale;
        QuantParams weights = WeightsOf(rule.Weights)?.Quant ?? scales.OfOperand(Node, rule.Weights);
        QuantizedWeights bias = WeightQuantizer.Bias(FloatConstants.Of(operand)!, BiasType, input, weights)
            ?? throw new LayerRefusal(Node, "the bias cannot be expressed in steps of input scale times weight scale");
        return forms.Constant(operand, bias.Data, bias.Quant);
    }

    private DType BiasType => Type is DType.I8 ? DType.I32
        : Node.Op is Conv2D or FullyConnected ? recipe.BiasOfInt16
        : DType.I64;

    /// <summary>Integers of a constant operand whose scales are the layer's own; <see langword="null"/> for other operands.</summary>
    private QuantizedWeights? WeightsOf(int index)
    {
        if (_weights.TryGetValue(index, out QuantizedWeights? known))
        {
            return known;
        }

        QuantizedWeights? weights = plan.Rule!.Inputs[index] switch
        {
            WeightsRule rule => Weights(Node.Inputs[index]!, rule, index),
            WideRule when FloatConstants.Of(Node.Inputs[index]!) is { } data => Wide(data, index),
            _ => null,
        };
        if (weights is not null)
        {
            _weights.Add(index, weights);
        }

        return weights;
    }

    private QuantizedWeights Weights(Value operand, WeightsRule rule, int index)
    {
        bool perChannel = rule.PerChannel && plan.Settings.Weights is WeightGranularity.PerChannel;
        if (FloatConstants.Of(operand) is not { } data)
        {
            Value integers = FloatConstants.IntegerWeights(operand, rule.Axis, rule.PerChannel)!;
            return new(integers.Constant!, integers.Type.Quant!, 0);
        }

        return WeightQuantizer.CanKeepGrid(data, rule.Axis, rule.PerChannel)
            ? WeightQuantizer.OnGrid(data, SmallestScales(index, data.Structure!.Grid!.Scales.Length > 1))
            : WeightQuantizer.Quantize(data, rule.Axis, perChannel, SmallestScales(index, perChannel));
    }

    private QuantizedWeights Wide(TensorData data, int index)
    {
        QuantParams grid = scales.OfOperand(Node, index);
        double[] smallest = SmallestScales(index, perChannel: false);
        bool widen = smallest is [var least, ..] && grid.Scale < least;
        grid = widen ? new(AffineGrid.ScaleOf(smallest[0]), 0) : grid;
        return new(AffineGrid.Quantize(data, DType.I16, grid), grid, widen ? 1 : 0);
    }

    /// <summary>What the bias on these weights asks of their scales; empty without a bias.</summary>
    private double[] SmallestScales(int weights, bool perChannel)
    {
        for (int i = 0; i < Math.Min(plan.Rule!.Inputs.Length, Node.Inputs.Length); i++)
        {
            if (plan.Rule.Inputs[i] is BiasRule rule && rule.Weights == weights && Node.Inputs[i] is { } bias)
            {
                return WeightQuantizer.SmallestScales(
                    FloatConstants.Of(bias)!.AsFloats(),
                    perChannel,
                    scales.OfOperand(Node, rule.Input).Scale,
                    BiasType is DType.I32 ? LargestBias32 : LargestBias64);
            }
        }

        return [];
    }

    private void Describe(int index, Value operand, QuantizedWeights constant)
    {
        string name = index < Node.Op.Schema.Inputs.Length ? Node.Op.Schema.Inputs[index].TrimEnd('?', '*') : $"{index}";
        float[] approximation = AffineGrid.Dequantize(constant.Data, constant.Quant);
        float[] original = FloatConstants.Of(operand)?.AsFloats().ToArray() ?? approximation;
        _report.Add(new(operand.Name, name, constant.Data.DType, constant.Quant, WeightQuantizer.Sqnr(original, approximation), constant.Widened));
    }
}
