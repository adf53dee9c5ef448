using Optc.Backends.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class WeightOnlyTests
{
    [Fact]
    public void Dynamic_range_stores_weights_of_enough_elements_in_eight_bits()
    {
        FloatModel model = new();
        Value large = model.Dense("large", model.Input("x", 1, 32), 1, 32, 40);
        Module module = model.Output(model.Dense("small", large, 3, 40, 2)).Build();

        (Module result, QuantizationReport report) = Quantizer.Quantize(module, QuantizationRecipe.DynamicRange);

        Node node = FloatModel.Layer(result, "large");
        Assert.Equal((DType.F32, DType.I8, DType.F32), (node.Inputs[0]!.Type.DType, node.Inputs[1]!.Type.DType, node.Inputs[2]!.Type.DType));
        Assert.True(((FullyConnected)node.Op).AsymmetricInputs);
        Assert.Equal(DType.F32, FloatModel.Layer(result, "small").Inputs[1]!.Type.DType);
        Assert.Equal([null, "weights have fewer than 1024 elements"], report.Layers.Select(l => l.Reason));
        Assert.Equal([LayerStatus.WeightsOnly, LayerStatus.Float], report.Layers.Select(l => l.Status));
        Assert.InRange(report.Layers[0].Constants[0].Sqnr, 40, 60);
        Assert.Equal(("x", "small"), (result.Main.Inputs[0].Name, result.Main.Outputs[0].Name));
        QuantizerTests.AssertClose(module, result, 0.2f);
    }

    [Fact]
    public void Dynamic_range_takes_convolutions_per_channel_and_tables_per_tensor()
    {
        FloatModel model = new();
        Module module = model.Output(model.Conv("conv", model.Input("x", 1, 4, 4, 2), 1, 2, 3)).Build();
        GraphBuilder lookup = new("main");
        lookup.Output(lookup.Add(new EmbeddingLookup(), [lookup.Input("i", new(DType.I32, [1])), FloatModel.Random("t", 1, 8, 4)], "rows").Output);
        QuantizationRecipe all = QuantizationRecipe.DynamicRange with { MinimumElements = 0 };

        Module conv = Quantizer.Quantize(module, all).Module;
        Module rows = Quantizer.Quantize(GraphBuilder.Module([lookup.Build()]), all).Module;

        Assert.Equal(3, FloatModel.Layer(conv, "conv").Inputs[1]!.Type.Quant!.Scales.Length);
        Assert.Equal(DType.I8, FloatModel.Layer(rows, "rows").Inputs[1]!.Type.DType);
        Assert.Equal(DType.F32, rows.Main.Outputs[0].Type.DType);
        QuantizerTests.AssertClose(module, conv, 0.1f);
    }

    [Fact]
    public void Half_precision_stands_behind_conversions()
    {
        FloatModel model = new();
        Module module = model.Output(model.Dense("y", model.Input("x", 1, 32), 1, 32, 40)).Build();

        (Module result, QuantizationReport report) = Quantizer.Quantize(module, QuantizationRecipe.Float16);

        Assert.Equal("dequantize fully_connected", FloatModel.Ops(result));
        Assert.Equal(DType.F16, result.Main.Nodes[0].Inputs[0]!.Type.DType);
        Assert.Equal(DType.F32, FloatModel.Layer(result, "y").Inputs[2]!.Type.DType);
        Assert.True(report.Layers[0].Constants[0].Sqnr > 60);
        Assert.True(TfLiteBackend.ToArray(result).Length < TfLiteBackend.ToArray(module).Length * 0.6);
        QuantizerTests.AssertClose(module, result, 0.01f);
    }

    [Fact]
    public void Half_precision_is_not_for_values_beyond_its_range()
    {
        FloatModel model = new();
        Module module = model.Output(model.Add("y", new FullyConnected(), model.Input("x", 1, 1), FloatModel.Constant("w", [1, 1], 70000))).Build();

        (Module result, QuantizationReport report) = Quantizer.Quantize(module, QuantizationRecipe.Float16 with { MinimumElements = 0 });

        Assert.Equal("fully_connected", FloatModel.Ops(result));
        Assert.Equal("'w' has values beyond half precision", report.Layers[0].Reason);
    }

    [Fact]
    public void Half_precision_of_shared_constants_is_made_once()
    {
        FloatModel model = new();
        Value w = FloatModel.Random("w", 1, 3, 3);
        Value a = model.Add("a", new FullyConnected(), model.Input("x", 1, 3), w);
        Module module = model.Output(model.Add("b", new FullyConnected(), a, w)).Build();

        Assert.Equal(
            "dequantize fully_connected fully_connected",
            FloatModel.Ops(Quantizer.Quantize(module, QuantizationRecipe.Float16 with { MinimumElements = 0 }).Module));
    }

    [Fact]
    public void Half_precision_weights_become_integers_by_a_static_recipe_and_stay_for_float_layers()
    {
        FloatModel model = new();
        Value a = model.Dense("a", model.Input("x", 1, 4), 1, 4, 4);
        Module module = model.Output(model.Dense("b", a, 3, 4, 2)).Build();
        Module half = Quantizer.Quantize(module, QuantizationRecipe.Float16 with { MinimumElements = 0 }).Module;

        Module result = FloatModel.Quantize(half, QuantizationRecipe.StaticInt8 with { Rules = [new("^b$") { KeepFloat = true }] }).Module;

        Assert.Equal("fully_connected dequantize dequantize dequantize fully_connected quantize", FloatModel.Ops(result));
        Assert.Equal(DType.I8, FloatModel.Layer(result, "a").Inputs[1]!.Type.DType);
        QuantizerTests.AssertClose(module, result, 0.1f);
    }

    [Fact]
    public void Layers_can_be_kept_float()
    {
        FloatModel model = new();
        Module module = model.Output(model.Dense("y", model.Input("x", 1, 32), 1, 32, 40)).Build();
        LayerRule rule = new("y") { KeepFloat = true };

        foreach (QuantizationRecipe recipe in new[] { QuantizationRecipe.DynamicRange, QuantizationRecipe.Float16 })
        {
            (Module result, QuantizationReport report) = Quantizer.Quantize(module, recipe with { Rules = [rule] });

            Assert.Equal("kept float by rule 'y'", report.Layers[0].Reason);
            Assert.Equal("fully_connected", FloatModel.Ops(result));
        }
    }
}
