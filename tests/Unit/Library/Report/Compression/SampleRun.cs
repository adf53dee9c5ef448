using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Tests.Unit.Passes.Quantize;

namespace Optc.Tests.Unit.Library.Report.Compression;

/// <summary>Small chains of stages.</summary>
internal static class SampleRun
{
    /// <summary>A convolution with batch normalization, a depthwise one and a dense layer; half of the weights 0 and 4 distinct values where asked for.</summary>
    public static Model Float(bool isPruned = false, bool isClustered = false, string conv = "conv", bool normalized = true)
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 6, 6, 2);
        x = model.Add(conv, new Conv2D(1, 1, PaddingMode.Same), x, Weights($"{conv}/w", 1, [8, 3, 3, 2]), FloatModel.Random($"{conv}/b", 2, 8));
        if (normalized)
        {
            x = model.Add($"{conv}/bn_scale", new Mul(), x, FloatModel.Constant($"{conv}/scale", [8], 1, 2, 4, 8, 0.5f, 0.25f, 16, 1));
            x = model.Add($"{conv}/bn_shift", new Add(), x, FloatModel.Random($"{conv}/shift", 3, 8));
        }

        x = model.Add("depthwise", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), x, FloatModel.Random("depthwise/w", 4, 1, 3, 3, 8), FloatModel.Random("depthwise/b", 5, 8));
        x = model.Add("flat", new Reshape([1, 288]), x, FloatModel.Ints("shape", 1, 288));
        x = model.Add("dense", new FullyConnected(), x, Weights("dense/w", 6, [4, 288]), FloatModel.Random("dense/b", 7, 4));
        return Model.Of(model.Output(x).Build(), "small");

        Value Weights(string name, int seed, Shape shape)
        {
            float[] values = FloatModel.Numbers(seed, (int)shape.ElementCount);
            float median = values.Select(Math.Abs).Order().ElementAt(values.Length / 2);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = isPruned && Math.Abs(values[i]) < median ? 0 : values[i];
                values[i] = isClustered && values[i] != 0 ? MathF.Sign(values[i]) * (Math.Abs(values[i]) < 0.75f ? 0.625f : 0.875f) : values[i];
            }

            return FloatModel.Constant(name, shape, values);
        }
    }

    public static Model Int8(Model model, WeightGranularity weights = WeightGranularity.PerChannel)
    {
        TensorType input = model.Inputs[0].Type;
        Shape samples = [4, .. input.Shape.Dims[1..]];
        Dataset data = Dataset.Of(TensorData.FromFloats(samples, FloatModel.Numbers(9, (int)samples.ElementCount)));
        return model.Quantize(QuantizationRecipe.StaticInt8 with { Weights = weights }, data);
    }

    /// <summary>Three stages with everything that a report can show.</summary>
    public static CompressionRun Whole()
    {
        Model baseline = Float();
        Model pruned = Float(isPruned: true);
        Model clustered = Float(isPruned: true, isClustered: true);
        return new("small <model>", Metric.Accuracy,
        [
            new("Baseline") { Float = baseline, Int8 = Int8(baseline), FloatScore = 0.831, Int8Score = 0.829 },
            new("Pruned")
            {
                Float = pruned,
                Int8 = Int8(pruned),
                FloatScore = 0.825,
                Int8Score = double.NaN,
                Curve = [new(1, 0.001, 2.5, 0.5, true), new(2, 0.0005, 1.25, 0.825, true), new(3, 0.0001, 1.5, 0.8, false)],
            },
            new("PCQAT")
            {
                Float = clustered,
                Int8 = Int8(clustered),
                FakeQuantScore = 0.8225,
                Int8Score = 0.82,
                Mode = "PCQAT",
                ModeReason = "the weights have zeros and 5 values",
                Curve = [new(1, 0.001, 1.125, null, false)],
            },
        ])
        {
            Samples = 2000,
            Skipped = [new("depthwise", "Pruned", "few weights & dear"), new("depthwise", "PCQAT", "9 weights a channel")],
            Agreement = [new("conv", 0.0078125, 52.5, 0.01), new("dense", 0.25, double.PositiveInfinity)],
            Invariants =
            [
                new("conv", "zeros kept", "72 of 144", "72 of 144", Holds: true),
                new("dense", "zeros kept", "576 of 1152", "576 of 1152", Holds: true),
                new("dense", "distinct codes", "at most 5", "5", Holds: true),
            ],
            Pareto = [new("a", 900, 0.82, Chosen: true), new("b", 1200, 0.83), new("c", 1000, 0.81), new("d", 800, double.NaN)],
            Reproduction = new("0.1.0", [ContentHash.Of("recipe", "pcqat.yaml", "steps"u8)], 7, "steps:\n  - prune: 0.5\n\t# a tab & <brackets>\n", "optc optimize small.tflite"),
        };
    }

    public static ImmutableArray<StageResult> One(Model model, string name = "Baseline") => [new(name) { Float = model }];
}
