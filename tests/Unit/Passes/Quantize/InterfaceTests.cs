using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class InterfaceTests
{
    [Theory]
    [InlineData(DType.I8, DType.I8, "fully_connected softmax")]
    [InlineData(DType.F32, DType.F32, "quantize fully_connected softmax dequantize")]
    [InlineData(DType.U8, DType.U8, "quantize fully_connected softmax quantize")]
    [InlineData(DType.I16, DType.I16, "quantize fully_connected softmax quantize")]
    [InlineData(DType.F32, DType.I8, "quantize fully_connected softmax")]
    [InlineData(DType.I8, DType.F32, "fully_connected softmax dequantize")]
    public void Inputs_and_outputs_have_the_asked_types_and_their_own_names(DType input, DType output, string ops)
    {
        Module module = Classifier();

        Module result = FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { InputType = input, OutputType = output }).Module;

        Assert.Equal(ops, FloatModel.Ops(result));
        Assert.Equal(("x", input), (result.Main.Inputs[0].Name, result.Main.Inputs[0].Type.DType));
        Assert.Equal(("soft", output), (result.Main.Outputs[0].Name, result.Main.Outputs[0].Type.DType));
        Assert.Equal(result.Main.Outputs[0], result.Signatures[0].Outputs[0].Value);
        QuantizerTests.AssertClose(module, result, 0.02f);
    }

    [Theory]
    [InlineData(DType.I16, DType.I16, "fully_connected softmax")]
    [InlineData(DType.I8, DType.I8, "quantize fully_connected softmax quantize")]
    [InlineData(DType.U8, DType.U8, "quantize quantize fully_connected softmax quantize quantize")]
    [InlineData(DType.F32, DType.F32, "quantize fully_connected softmax dequantize")]
    public void Sixteen_bit_layers_can_have_any_interface(DType input, DType output, string ops)
    {
        Module module = Classifier();

        Module result = FloatModel.Quantize(module, QuantizationRecipe.StaticInt16x8 with { InputType = input, OutputType = output }).Module;

        Assert.Equal(ops, FloatModel.Ops(result));
        Assert.Equal((input, output), (result.Main.Inputs[0].Type.DType, result.Main.Outputs[0].Type.DType));
        Assert.Equal("soft", result.Main.Outputs[0].Name);
        QuantizerTests.AssertClose(module, result, 0.02f);
    }

    [Theory]
    [InlineData(DType.U8)]
    [InlineData(DType.I8)]
    [InlineData(DType.I16)]
    public void The_interface_is_integer_also_where_float_layers_stand_at_it(DType type)
    {
        FloatModel model = new();
        Value first = model.Add("first", new Neg(), model.Input("x", 1, 4));
        Module module = model.Output(model.Add("last", new Floor(), model.Dense("dense", first, 1, 4, 4))).Build();

        Module result = FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { InputType = type, OutputType = type }).Module;

        Assert.Equal((type, type), (result.Main.Inputs[0].Type.DType, result.Main.Outputs[0].Type.DType));
        Assert.Equal("last", result.Main.Outputs[0].Name);
        Assert.StartsWith("dequantize neg quantize fully_connected dequantize floor quantize", FloatModel.Ops(result), StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_that_layers_read_too_keeps_its_name()
    {
        FloatModel model = new();
        Value middle = model.Dense("middle", model.Input("x", 1, 4), 1, 4, 4);
        Module module = model.Output(middle).Output(model.Dense("end", middle, 3, 4, 2)).Build();

        Module result = FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { OutputType = DType.F32 }).Module;

        Assert.Equal("fully_connected fully_connected dequantize dequantize", FloatModel.Ops(result));
        Assert.Equal(["middle", "end"], result.Main.Outputs.Select(o => o.Name));
        Assert.All(result.Main.Outputs, o => Assert.Equal(DType.F32, o.Type.DType));
        QuantizerTests.AssertClose(module, result, 0.1f);
    }

    [Fact]
    public void Inputs_of_other_types_stay()
    {
        GraphBuilder builder = new("main");
        Value index = builder.Input("index", new(DType.I32, [2]));
        Value table = FloatModel.Random("table", 1, 10, 3);
        builder.Output(builder.Add(new EmbeddingLookup(), [index, table], "rows").Output);
        Module module = GraphBuilder.Module([builder.Build()]);
        CalibrationData data = new(Enumerable.Range(0, 5).Select(i => CalibrationSample.Of(i, TensorData.FromInts([2], [i, i + 5]))).ToArray());

        Module result = Quantizer.Quantize(module, QuantizationRecipe.StaticInt8, data).Module;

        Assert.Equal(DType.I32, result.Main.Inputs[0].Type.DType);
        Assert.Equal(DType.I8, result.Main.Outputs[0].Type.DType);
        Assert.Equal(DType.I8, result.Main.Nodes[0].Inputs[1]!.Type.DType);
    }

    [Fact]
    public void An_input_that_is_an_output_is_passed_on()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Module module = model.Output(x).Output(model.Dense("y", x, 1, 4, 2)).Build();

        Module same = FloatModel.Quantize(module).Module;
        Module converted = FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { OutputType = DType.F32 }).Module;

        Assert.Same(same.Main.Inputs[0], same.Main.Outputs[0]);
        Assert.Equal([DType.F32, DType.F32], converted.Main.Outputs.Select(o => o.Type.DType));
    }

    private static Module Classifier()
    {
        FloatModel model = new();
        return model.Output(model.Add("soft", new Softmax(), model.Dense("dense", model.Input("x", 1, 4), 1, 4, 3))).Build();
    }
}
