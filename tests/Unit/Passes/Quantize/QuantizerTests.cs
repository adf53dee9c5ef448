using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Passes.Quantize;
using Xunit;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class QuantizerTests
{
    private static readonly QuantParams SoftmaxGrid = new(1f / 256, -128);

    [Fact]
    public void A_dense_layer_has_the_grids_that_its_format_demands()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 2);
        Value w = FloatModel.Constant("w", [2, 2], 1.27f, -0.64f, 0.5f, 0.01f);
        Value b = FloatModel.Constant("b", [2], 0.5f, -1);
        Module module = model.Output(model.Add("y", new FullyConnected(), x, w, b)).Build();
        CalibrationData data = new([CalibrationSample.Of(0, TensorData.FromFloats([1, 2], [-1.28f, 1.27f]))]);

        (Module result, QuantizationReport report) = Quantizer.Quantize(module, QuantizationRecipe.StaticInt8, data);

        Node node = Assert.Single(result.Main.Nodes);
        Assert.Equal(new TensorType(DType.I8, [1, 2], new(0.01f, 0)), node.Inputs[0]!.Type);
        Assert.Equal(new TensorType(DType.I8, [2, 2], new(0.01f, 0)), node.Inputs[1]!.Type);
        Assert.Equal([127, -64, 50, 1], node.Inputs[1]!.Constant!.Span<sbyte>().ToArray());
        Assert.Equal(new TensorType(DType.I32, [2], new(0.01f * 0.01f, 0)), node.Inputs[2]!.Type);
        Assert.Equal([5000, -10000], node.Inputs[2]!.Constant!.Span<int>().ToArray());

        // 1.27 * -1.28 - 0.64 * 1.27 + 0.5 = -1.9384 and 0.5 * -1.28 + 0.01 * 1.27 - 1 = -1.6273: the range is -1.9384 to 0.
        Assert.Equal(1.9384f / 255, node.Output.Type.Scale, 1e-7f);
        Assert.Equal(127, node.Output.Type.ZeroPoint);
        LayerReport layer = Assert.Single(report.Layers);
        Assert.Equal((LayerStatus.Quantized, DType.I8, null), (layer.Status, layer.Activations, layer.Reason));
        Assert.Equal("w", Assert.Single(layer.Constants).Operand);
        Assert.True(report.IsInteger);
    }

    [Fact]
    public void Convolutions_have_a_scale_for_each_channel_and_dense_layers_only_where_asked()
    {
        FloatModel model = new();
        Value conv = model.Conv("conv", model.Input("x", 1, 4, 4, 2), 1, 2, 3);
        Value depthwise = model.Add(
            "dw", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), conv, FloatModel.Random("dw/w", 3, 1, 3, 3, 3), FloatModel.Random("dw/b", 4, 3));
        Value flat = model.Add("flat", new Reshape([1, 48]), depthwise);
        Module module = model.Output(model.Dense("dense", flat, 5, 48, 3)).Build();

        Module result = FloatModel.Quantize(module).Module;
        Module perChannel = FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { DenseWeights = WeightGranularity.PerChannel }).Module;

        Assert.Equal((3, 0), Scales(result, "conv"));
        Assert.Equal((3, 3), Scales(result, "dw"));
        Assert.Equal((1, 0), Scales(result, "dense"));
        Assert.Equal((3, 0), Scales(perChannel, "dense"));
        Assert.Equal(3, FloatModel.Layer(result, "dw").Inputs[2]!.Type.Quant!.Scales.Length);
        AssertClose(module, result, 0.3f);

        static (int, int) Scales(Module module, string layer) =>
            FloatModel.Layer(module, layer).Inputs[1]!.Type.Quant! is var quant ? (quant.Scales.Length, quant.Axis) : default;
    }

    [Fact]
    public void Fixed_grids_are_kept_and_data_movement_shares_them()
    {
        FloatModel model = new();
        Value y = model.Add("soft", new Softmax(), model.Dense("dense", model.Input("x", 1, 4), 1, 4, 4));
        Module module = model.Output(model.Add("flat", new Reshape([4]), y)).Build();

        Module result = FloatModel.Quantize(module).Module;

        Assert.Equal("fully_connected softmax reshape", FloatModel.Ops(result));
        Assert.Equal(SoftmaxGrid, FloatModel.Find(result, "soft").Type.Quant);
        Assert.Equal(SoftmaxGrid, FloatModel.Find(result, "flat").Type.Quant);
    }

    [Fact]
    public void Batch_normalization_and_activations_go_into_the_layers_first_unless_that_is_switched_off()
    {
        FloatModel model = new();
        Value dense = model.Dense("dense", model.Input("x", 1, 4), 1, 4, 2);
        Value scaled = model.Add("scaled", new Mul(), dense, FloatModel.Constant("k", [2], 2, 0.5f));
        Module module = model.Output(model.Add("y", new Relu(), scaled)).Build();

        Assert.Equal("fully_connected", FloatModel.Ops(FloatModel.Quantize(module).Module));
        Assert.Equal(
            "fully_connected mul relu", FloatModel.Ops(FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { Prepare = false }).Module));
    }

    [Fact]
    public void A_concatenation_unites_the_ranges_of_layers_that_nothing_else_reads()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Value small = model.Dense("small", x, 1, 4, 2);
        Value large = model.Add("large", new Mul(), model.Dense("large/dense", x, 3, 4, 2), FloatModel.Constant("100", [1], 100));
        Module module = model.Output(model.Add("y", new Concatenation(1), small, large)).Build();

        Module result = FloatModel.Quantize(module).Module;

        Assert.Equal("fully_connected fully_connected concatenation", FloatModel.Ops(result));
        QuantParams grid = FloatModel.Find(result, "y").Type.Quant!;
        Assert.Equal(grid, FloatModel.Find(result, "small").Type.Quant);
        Assert.Equal(grid, FloatModel.Find(result, "large").Type.Quant);
    }

    [Fact]
    public void A_value_that_others_read_keeps_its_grid_before_a_coarse_concatenation()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Value small = model.Dense("small", x, 1, 4, 2);
        Value large = model.Add("large", new Mul(), model.Dense("large/dense", x, 3, 4, 2), FloatModel.Constant("100", [1], 100));
        model.Output(model.Add("y", new Concatenation(1), small, large));
        Module module = model.Output(model.Dense("other", small, 7, 2, 2)).Build();

        (Module result, QuantizationReport report) = FloatModel.Quantize(module);

        Assert.Equal("fully_connected fully_connected quantize concatenation fully_connected", FloatModel.Ops(result));
        Assert.Equal(1, report.Conversions);
        Assert.True(FloatModel.Find(result, "small").Type.Scale * 10 < FloatModel.Find(result, "y").Type.Scale);
        Assert.Same(FloatModel.Find(result, "small"), FloatModel.Layer(result, "other").Inputs[0]);
    }

    [Fact]
    public void A_fixed_grid_too_small_for_a_concatenation_is_requantized()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Value soft = model.Add("soft", new Softmax(), model.Dense("dense", x, 1, 4, 2));
        Module module = model.Output(model.Add("y", new Concatenation(1), soft, model.Dense("wide", x, 3, 4, 2))).Build();

        Module result = FloatModel.Quantize(module).Module;

        Assert.Equal("fully_connected softmax fully_connected quantize concatenation", FloatModel.Ops(result));
        Assert.Equal(SoftmaxGrid, FloatModel.Find(result, "soft").Type.Quant);
        Assert.Equal(FloatModel.Find(result, "y").Type.Quant, FloatModel.Layer(result, "y").Inputs[0]!.Type.Quant);
        AssertClose(module, result, 0.05f);
    }

    [Fact]
    public void Layers_without_integers_stay_float_between_conversions_and_say_why()
    {
        FloatModel model = new();
        Value negative = model.Add("neg", new Neg(), model.Dense("first", model.Input("x", 1, 4), 1, 4, 4));
        Module module = model.Output(model.Dense("last", negative, 3, 4, 2)).Build();

        (Module result, QuantizationReport report) = FloatModel.Quantize(module);

        Assert.Equal("fully_connected dequantize neg quantize fully_connected", FloatModel.Ops(result));
        Assert.Equal(2, report.Conversions);
        Assert.False(report.IsInteger);
        LayerReport layer = Assert.Single(report.WithStatus(LayerStatus.Float));
        Assert.Equal(("neg", "neg", "the operator has no rule for integers"), (layer.Name, layer.Op, layer.Reason));
        AssertClose(module, result, 0.1f);
    }

    [Fact]
    public void Requiring_integers_lists_all_layers_that_stay_float()
    {
        FloatModel model = new();
        Value x = model.Add("a", new Neg(), model.Input("x", 1, 4));
        Module module = model.Output(model.Add("b", new Floor(), x)).Build();

        DiagnosticException problem = Assert.Throws<DiagnosticException>(
            () => FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { RequireInteger = true }));

        Assert.Equal(["neg 'a'", "floor 'b'"], problem.Diagnostics.Select(d => d.At[^1]));
        Assert.All(problem.Diagnostics, d => Assert.Equal(DiagnosticId.NotQuantizable, d.Id));
    }

    [Fact]
    public void A_huge_bias_widens_the_scale_of_its_weights_instead_of_overflowing()
    {
        FloatModel model = new();
        Value w = FloatModel.Constant("w", [1, 2], 1e-7f, -1e-7f);
        Module module = model.Output(model.Add("y", new FullyConnected(), model.Input("x", 1, 2), w, FloatModel.Constant("b", [1], 1e6f))).Build();

        (Module result, QuantizationReport report) = FloatModel.Quantize(module);

        Assert.Equal(1, Assert.Single(report.Layers[0].Constants).WidenedScales);
        int bias = Assert.Single(FloatModel.Layer(result, "y").Inputs[2]!.Constant!.Span<int>().ToArray());
        Assert.InRange(bias, (1 << 30) - 100, (1 << 30) + 100);
        Assert.Equal(1e6f, FloatModel.Run(result, [0.5f, 0.5f])[0][0], 4000f);
    }

    [Fact]
    public void Weights_that_two_layers_share_stay_one_constant()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 3);
        Value w = FloatModel.Random("w", 1, 3, 3);
        Module module = model.Output(model.Add("b", new FullyConnected(), model.Add("a", new FullyConnected(), x, w), w)).Build();

        Module result = FloatModel.Quantize(module).Module;

        Assert.Same(FloatModel.Layer(result, "a").Inputs[1], FloatModel.Layer(result, "b").Inputs[1]);
    }

    [Fact]
    public void A_model_that_is_integer_already_stays_as_it_is()
    {
        FloatModel model = new();
        Module once = FloatModel.Quantize(model.Output(model.Conv("conv", model.Input("x", 1, 4, 4, 2), 1, 2, 3)).Build()).Module;
        CalibrationData data = new([CalibrationSample.Of(0, TensorData.From<sbyte>(DType.I8, [1, 4, 4, 2], new sbyte[32]))]);

        (Module twice, QuantizationReport report) = Quantizer.Quantize(once, QuantizationRecipe.StaticInt8, data);

        Assert.Equal(TfLiteBackend.ToArray(once), TfLiteBackend.ToArray(twice));
        Assert.Equal(LayerStatus.Untouched, Assert.Single(report.Layers).Status);
    }

    [Fact]
    public void Conversions_around_an_integer_model_dissolve_with_its_grids()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4, 4, 2);
        Module original = model.Output(model.Conv("conv", x, 1, 2, 3)).Build();
        Module floats = FloatModel.Quantize(original, QuantizationRecipe.StaticInt8 with { InputType = DType.F32, OutputType = DType.F32 }).Module;
        Assert.Equal("quantize conv_2d dequantize", FloatModel.Ops(floats));

        Module integers = FloatModel.Quantize(floats).Module;

        Assert.Equal("conv_2d", FloatModel.Ops(integers));
        Assert.Equal(FloatModel.Layer(floats, "conv").Inputs[0]!.Type, integers.Main.Inputs[0].Type);
        Assert.Equal(("x", "conv"), (integers.Main.Inputs[0].Name, integers.Main.Outputs[0].Name));
    }

    [Fact]
    public void Fake_quantization_in_a_model_decides_the_grids_and_the_weights()
    {
        FloatModel model = new();
        QuantParams fine = new(0.02f, 10);
        Value x = model.Input("x", 1, 2);
        Value seen = Fake(model, "fx", x, fine);
        Value integers = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [2, 2], [1, 2, -3, 50]), "w", new(0.5f, 0));
        Value w = model.Add("w/real", new Dequantize(), integers);
        Value sum = model.Add("dense", new FullyConnected(FusedActivation.Relu), seen, w, FloatModel.Random("b", 1, 2));
        Module module = model.Output(Fake(model, "fy", sum, new(0.25f, -128))).Build();

        Module result = FloatModel.Quantize(module).Module;

        Node node = Assert.Single(result.Main.Nodes);
        Assert.Equal(fine, result.Main.Inputs[0].Type.Quant);
        Assert.Equal(new TensorType(DType.I8, [2, 2], new(0.5f, 0)), node.Inputs[1]!.Type);
        Assert.Equal([1, 2, -3, 50], node.Inputs[1]!.Constant!.Span<sbyte>().ToArray());
        Assert.Equal(new QuantParams(0.25f, -128), result.Main.Outputs[0].Type.Quant);

        static Value Fake(FloatModel model, string name, Value x, QuantParams grid)
        {
            Value q = model.AddTyped($"{name}/q", new QuantizeOp(DType.I8), x, new(DType.I8, x.Type.Shape, grid));
            return model.Add(name, new Dequantize(), q);
        }
    }

    [Fact]
    public void Sixteen_bits_keep_symmetric_grids_and_wide_biases()
    {
        FloatModel model = new();
        Value conv = model.Conv("conv", model.Input("x", 1, 4, 4, 2), 1, 2, 3);
        Module module = model.Output(model.Add("sum", new Add(PotScaleInt16: true), conv, conv)).Build();

        Module result = FloatModel.Quantize(module, QuantizationRecipe.StaticInt16x8).Module;
        Module narrow = FloatModel.Quantize(module, QuantizationRecipe.StaticInt16x8 with { BiasOfInt16 = DType.I32 }).Module;

        Node node = FloatModel.Layer(result, "conv");
        Assert.Equal((DType.I16, DType.I8, DType.I64), (node.Inputs[0]!.Type.DType, node.Inputs[1]!.Type.DType, node.Inputs[2]!.Type.DType));
        Assert.Equal(0, node.Output.Type.ZeroPoint);
        Assert.Equal(new Add(), FloatModel.Layer(result, "sum").Op);
        Assert.Equal(DType.I32, FloatModel.Layer(narrow, "conv").Inputs[2]!.Type.DType);
        Assert.Equal(DType.I32, ((Conv2D)FloatModel.Layer(narrow, "conv").Op).BiasType);
        AssertClose(module, result, 0.05f);
        AssertClose(module, narrow, 0.05f);
    }

    [Fact]
    public void A_layer_with_state_is_quantized_with_the_range_of_its_state()
    {
        FloatModel model = new();
        Value state = GraphBuilder.Variable("state", new(DType.F32, [1, 8]));
        Value y = model.Add(
            "svdf", new Svdf(1, FusedActivation.None), model.Input("x", 1, 4), FloatModel.Random("f", 1, 2, 4), FloatModel.Random("t", 2, 2, 4), FloatModel.Random("b", 3, 2), state);
        Module module = model.Output(y).Build();

        Module result = FloatModel.Quantize(module).Module;

        Node node = Assert.Single(result.Main.Nodes);
        Assert.Equal(
            [DType.I8, DType.I8, DType.I16, DType.I32, DType.I16], node.Inputs.Select(v => v!.Type.DType));
        Assert.Equal(node.Inputs[2]!.Type.Scale * node.Inputs[4]!.Type.Scale, node.Inputs[3]!.Type.Scale);
        Assert.True(node.Inputs[4]!.IsVariable);
        AssertClose(module, result, 0.05f);
    }

    [Fact]
    public void Graphs_that_control_flow_calls_stay_float()
    {
        GraphBuilder body = new("body");
        Value inner = body.Input("i", new(DType.F32, [1, 4]));
        body.Output(body.Add(new Relu(), [inner], "body/relu").Output);
        Graph called = body.Build();
        GraphBuilder main = new("main", name => name == "body" ? called : null);
        Value x = main.Input("x", new(DType.F32, [1, 4]));
        Value condition = GraphBuilder.Constant(TensorData.From<byte>(DType.Bool, [1], [1]), "c");
        main.Output(main.Add(new If("body", "body"), [condition, x], "if").Output);
        Module module = GraphBuilder.Module([main.Build(), called]);

        (Module result, QuantizationReport report) = FloatModel.Quantize(module);

        Assert.Equal("dequantize if quantize", FloatModel.Ops(result));
        Assert.Equal(
            ["calls graphs, which stay float", "stands in the graph 'body'; only the main graph is quantized"],
            report.WithStatus(LayerStatus.Float).Select(l => l.Reason));
    }

    [Fact]
    public void Weights_that_are_no_numbers_leave_their_layer_float()
    {
        FloatModel model = new();
        Value w = FloatModel.Constant("w", [1, 2], float.NaN, 1);
        Value y = model.Add("y", new FullyConnected(), model.Input("x", 1, 2), w);
        Module module = model.Output(model.Add("abs", new Abs(), y)).Build();

        Assert.Equal(
            "operand 1: its constant holds NaN or infinity",
            FloatModel.Quantize(module, QuantizationRecipe.StaticInt8 with { Rules = [new("abs") { KeepFloat = true }], OutputType = DType.F32 }).Report.Layers[0].Reason);
    }

    [Fact]
    public void The_given_module_and_what_is_not_quantized_stay_as_they_are()
    {
        FloatModel model = new();
        Module module = model.Output(model.Dense("y", model.Input("x", 1, 4), 1, 4, 2)).Build();
        byte[] before = TfLiteBackend.ToArray(module);

        Module result = FloatModel.Quantize(module).Module;

        Assert.Equal(before, TfLiteBackend.ToArray(module));
        Assert.Equal((module.Description, "note"), (result.Description, Assert.Single(result.Metadata).Name));
        Signature signature = Assert.Single(result.Signatures);
        Assert.Equal("serve", signature.Key);
        Assert.Equal(("the x", result.Main.Inputs[0]), Assert.Single(signature.Inputs));
        Assert.Equal(("the y", result.Main.Outputs[0]), Assert.Single(signature.Outputs));
    }

    [Fact]
    public void What_was_quantized_is_the_same_after_writing_and_reading()
    {
        FloatModel model = new();
        Value conv = model.Conv("conv", model.Input("x", 1, 4, 4, 2), 1, 2, 3, FusedActivation.Relu6);
        Value pool = model.Add("pool", new MaxPool2D(2, 2, 2, 2, PaddingMode.Valid), conv);
        Module result = FloatModel.Quantize(model.Output(pool).Build()).Module;

        Module read = FrontendSet.Read(TfLiteBackend.ToArray(result), "file");

        float[] x = FloatModel.Numbers(9, 32);
        Assert.Equal(FloatModel.Run(result, x), FloatModel.Run(read, x));
    }

    [Fact]
    public void A_static_recipe_needs_data() => Assert.Equal(
        DiagnosticId.NoCalibrationData,
        Assert.Throws<DiagnosticException>(() => Quantizer.Quantize(Small(), QuantizationRecipe.StaticInt8)).Diagnostics[0].Id);

    [Fact]
    public void Options_that_do_not_fit_together_are_all_listed()
    {
        QuantizationRecipe recipe = QuantizationRecipe.DynamicRange with { InputType = DType.I8, RequireInteger = true, MinimumElements = -1 };

        Assert.Equal(3, Assert.Throws<DiagnosticException>(() => Quantizer.Quantize(Small(), recipe)).Diagnostics.Length);
    }

    [Fact]
    public void A_cancelled_quantization_ends()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Module module = Small();

        Assert.ThrowsAny<OperationCanceledException>(() => Quantizer.Quantize(
            module, QuantizationRecipe.StaticInt8, FloatModel.Data(module), new PassContext { Cancellation = source.Token }));
    }

    /// <summary>Compares what two modules make of the calibration samples, in real numbers.</summary>
    internal static void AssertClose(Module expected, Module actual, float tolerance)
    {
        foreach (CalibrationSample sample in FloatModel.Data(expected).Samples())
        {
            float[][] inputs = [.. sample.Steps[0].Select(t => t.Data.AsFloats().ToArray())];
            foreach ((float[] reference, float[] result) in FloatModel.Run(expected, inputs).Zip(FloatModel.Run(actual, inputs)))
            {
                Assert.All(reference.Zip(result), p => Assert.True(Math.Abs(p.First - p.Second) <= tolerance, $"{p.First} and {p.Second}"));
            }
        }
    }

    private static Module Small()
    {
        FloatModel model = new();
        return model.Output(model.Dense("y", model.Input("x", 1, 4), 1, 4, 2)).Build();
    }
}
