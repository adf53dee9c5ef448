using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Passes;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

/// <summary>Random float graphs of many ops, quantized in every way.</summary>
public sealed class RandomModelTests
{
    private const int Models = 30;

    /// <summary>Signal to noise that is left after up to ten layers; a wrong grid or a wrong tie gives less than 10 dB.</summary>
    private const double LeastSqnr = 14;

    public static TheoryData<string> Recipes => ["static-int8", "static-int16x8", "dynamic-range", "float16"];

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Quantized_models_are_well_formed_close_and_survive_their_file(string name)
    {
        QuantizationRecipe recipe = QuantizationRecipe.Find(name)! with { MinimumElements = 0 };
        for (int seed = 0; seed < Models; seed++)
        {
            Module module = Make(new(seed));
            CalibrationData data = FloatModel.Data(module);

            (Module result, QuantizationReport report) = Quantizer.Quantize(module, recipe, data);

            Module read = FrontendSet.Read(TfLiteBackend.ToArray(result), $"seed {seed}");
            string which = $"seed {seed}: {FloatModel.Ops(module)} to {FloatModel.Ops(result)}";
            Assert.Equal(module.Main.Outputs.Select(o => o.Name), result.Main.Outputs.Select(o => o.Name));
            double noise = 0;
            double signal = 0;
            foreach (CalibrationSample sample in data.Samples())
            {
                float[] x = sample.Steps[0][0].Data.AsFloats().ToArray();
                float[][] actual = FloatModel.Run(result, x);
                Assert.Equal(actual, FloatModel.Run(read, x));
                foreach ((float expected, float found) in FloatModel.Run(module, x).SelectMany(o => o).Zip(actual.SelectMany(o => o)))
                {
                    signal += expected * expected;
                    noise += (expected - found) * (expected - found);
                }
            }

            double sqnr = 10 * Math.Log10(signal / Math.Max(noise, 1e-30));
            Assert.True(sqnr >= (recipe.Activations is DType.I16 || name == "float16" ? 25 : LeastSqnr), $"{sqnr:0.0} dB, {which}");
            Assert.DoesNotContain(report.Layers, l => l.Reason?.Contains("scale", StringComparison.Ordinal) == true);
        }
    }

    [Theory]
    [InlineData("static-int8")]
    [InlineData("static-int16x8")]
    public void Every_integer_layer_has_the_grids_that_its_rule_demands(string name)
    {
        for (int seed = 0; seed < Models; seed++)
        {
            Module module = Make(new(seed));
            Module result = Quantizer.Quantize(module, QuantizationRecipe.Find(name)!, FloatModel.Data(module), new PassContext { Threads = 2 }).Module;
            foreach (Node node in result.Main.Nodes.Where(n => n.Op is IQuantizable && n.Outputs[0].Type.DType is DType.I8 or DType.I16))
            {
                CheckGrids(node, $"seed {seed}, {node}");
            }
        }
    }

    private static void CheckGrids(Node node, string which)
    {
        QuantRule rule = ((IQuantizable)node.Op).QuantRule(OpOperands.Of(node));
        QuantParams Grid(OperandRule operand, TensorType type)
        {
            QuantParams quant = type.Quant!;
            Assert.True(type.DType is not DType.I16 || quant.ZeroPoint == 0, which);
            Assert.True(operand is not FixedRule own || quant.Equals(type.DType is DType.I8 ? own.Int8 : own.Int16), which);
            Assert.True(operand is not SharedRule shared || quant.Equals(node.Inputs[shared.Input]!.Type.Quant), which);
            return quant;
        }

        for (int i = 0; i < Math.Min(rule.Inputs.Length, node.Inputs.Length); i++)
        {
            if (node.Inputs[i] is not { } value)
            {
                continue;
            }

            switch (rule.Inputs[i])
            {
                case WeightsRule weights:
                    Assert.True(value.Type.DType is DType.I8 && value.Type.Quant!.ZeroPoints.All(z => z == 0), which);
                    Assert.False(value.Constant!.Span<sbyte>().Contains(sbyte.MinValue), which);
                    Assert.True(!value.Type.Quant!.IsPerAxis || (weights.PerChannel && value.Type.Quant.Axis == weights.Axis), which);
                    break;
                case BiasRule bias:
                    float input = node.Inputs[bias.Input]!.Type.Scale;
                    Assert.Equal(node.Inputs[bias.Weights]!.Type.Quant!.Scales.Select(s => input * s), value.Type.Quant!.Scales);
                    break;
                case AsIsRule:
                    break;
                default:
                    Assert.Equal(node.Outputs[0].Type.DType, value.Type.DType);
                    Grid(rule.Inputs[i], value.Type);
                    break;
            }
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (rule.Outputs[i] is not AsIsRule)
            {
                Grid(rule.Outputs[i], node.Outputs[i].Type);
            }
        }
    }

    /// <summary>A chain of layers on <c>[1, 4, 4, c]</c> with branches that meet again.</summary>
    private static Module Make(Random random)
    {
        FloatModel model = new();
        List<Value> values = [model.Input("x", 1, 4, 4, 2)];
        int layers = random.Next(2, 9);
        for (int i = 0; i < layers; i++)
        {
            Value x = values[random.Next(Math.Max(0, values.Count - 3), values.Count)];
            values.Add(Layer(model, random, $"layer{i}", x, values));
        }

        model.Output(values[^1]);
        if (random.Next(3) == 0)
        {
            model.Output(values[^2]);
        }

        return model.Build();
    }

    private static Value Layer(FloatModel model, Random random, string name, Value x, List<Value> values)
    {
        int channels = x.Type.Shape[3];
        int seed = random.Next();
        FusedActivation activation = (FusedActivation)random.Next(4);
        switch (random.Next(12))
        {
            case 0 or 1:
                return model.Conv(name, x, seed, channels, random.Next(1, 5), activation);
            case 2:
                return model.Add(
                    name,
                    new DepthwiseConv2D(1, 1, PaddingMode.Same, 1, activation),
                    x,
                    FloatModel.Random($"{name}/w", seed, 1, 3, 3, channels),
                    FloatModel.Random($"{name}/b", seed ^ 1, channels));
            case 3 when values.FirstOrDefault(v => v != x && v.Type.Shape.Equals(x.Type.Shape)) is { } other:
                return model.Add(name, random.Next(3) switch { 0 => new Add(activation), 1 => new Sub(activation), _ => new Mul(activation) }, x, other);
            case 4:
                return model.Add(name, new Concatenation(3), x, values[random.Next(values.Count)]);
            case 5:
                return model.Add(name, new MaxPool2D(3, 3, 1, 1, PaddingMode.Same), x);
            case 6:
                return model.Add(name, new AveragePool2D(3, 3, 1, 1, PaddingMode.Same), x);
            case 7:
                return model.Add(name, random.Next(2) == 0 ? new Logistic() : new Tanh(), x);
            case 8:
                return model.Add(name, new LeakyRelu(0.25f), x);
            case 9:
                return model.Add(name, new Neg(), x);
            case 10:
                return model.Add(name, new Reshape([1, 4, 4, channels]), x);
            default:
                return model.Add(name, random.Next(2) == 0 ? new Relu() : new Softmax(), x);
        }
    }
}
