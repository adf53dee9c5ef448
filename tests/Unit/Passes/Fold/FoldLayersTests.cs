using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Passes.Fold;
using Optc.Passes.Fuse;
using Xunit;

namespace Optc.Tests.Unit.Passes.Fold;

/// <summary>Constants for each channel, before and behind layers of all kinds.</summary>
public sealed class FoldLayersTests
{
    private const double Tolerance = 2e-6;
    private const int Channels = 4;

    private static readonly FoldScaleIntoLayer Scale = new();
    private static readonly FuseBias Bias = new();
    private static readonly FoldScaleIntoNextLayer ScaleBefore = new();
    private static readonly FoldOffsetIntoNextLayer OffsetBefore = new();

    public static TheoryData<string, bool> Layers
    {
        get
        {
            TheoryData<string, bool> layers = [];
            foreach (string layer in (string[])["conv_2d", "grouped", "depthwise_conv_2d", "multiplied", "fully_connected", "transpose_conv"])
            {
                layers.Add(layer, true);
                layers.Add(layer, false);
            }

            return layers;
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Folds_a_factor_behind_a_layer(string layer, bool bias)
    {
        Module module = Behind(layer, bias, (m, y) => m.Add("y", new Mul(FusedActivation.Relu6), y, PerChannel(y, 3)));

        Module folded = PassModel.Fires(Scale, module, "y", Tolerance);

        Node node = Assert.Single(folded.Main.Nodes);
        Assert.Equal("layer", node.Name);
        Assert.Equal(bias, node.Input(layer == "transpose_conv" ? 3 : 2) is not null);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Folds_a_single_factor_behind_a_layer(string layer, bool bias) => PassModel.Fires(
        Scale, Behind(layer, bias, (m, y) => m.Add("y", new Mul(), PassModel.Floats("k", [], -0.7f), y)), "y", Tolerance);

    [Fact]
    public void Folds_a_divisor_as_its_reciprocal()
    {
        PassModel.Fires(Scale, Behind("conv_2d", true, (m, y) => m.Add("y", new Div(), y, PassModel.Floats("d", [4], 0.3f, -2, 7, 255))), "y", Tolerance);
        PassModel.Fires(
            ScaleBefore, Before("conv_2d", true, PaddingMode.Same, (m, x) => m.Add("step", new Div(), x, PassModel.Floats("d", [1], 255))), "layer", Tolerance);
        Assert.Equal(
            "the constant is what is divided",
            PassModel.Declines(Scale, Behind("conv_2d", true, (m, y) => m.Add("y", new Div(), PerChannel(y, 3), y)), "y"));
        Assert.Equal(
            "a folded weight or bias is not finite",
            PassModel.Declines(Scale, Behind("conv_2d", true, (m, y) => m.Add("y", new Div(), y, PassModel.Floats("d", [1], 0))), "y"));
    }

    [Fact]
    public void Multiplies_by_the_reciprocal_of_a_constant()
    {
        MultiplyByReciprocal rule = new();
        Module Make(Func<PassModel, Value, Value> quotient)
        {
            PassModel model = new();
            return model.Output(quotient(model, model.Input("x", 2, 3))).Build();
        }

        Module module = Make((m, x) => m.Add("y", new Div(FusedActivation.Relu), x, PassModel.Floats("d", [3], 3, -7, 255)));
        Assert.Equal(new Mul(FusedActivation.Relu), Assert.Single(PassModel.Fires(rule, module, "y", Tolerance).Main.Nodes).Op);
        Assert.Equal("a reciprocal is not a normal number", PassModel.Declines(rule, Make((m, x) => m.Add("y", new Div(), x, PassModel.Floats("d", [1], 0))), "y"));
        Assert.Equal("a reciprocal is not a normal number", PassModel.Declines(rule, Make((m, x) => m.Add("y", new Div(), x, PassModel.Floats("d", [1], 3e38f))), "y"));
        Assert.Equal(
            "it does not divide a computed value by a constant",
            PassModel.Declines(rule, Make((m, x) => m.Add("y", new Div(), PassModel.Floats("d", [1], 2), x)), "y"));
        PassModel plain = new();
        Value i = plain.Add("y", new Div(), plain.Input("x", new TensorType(DType.I32, [4])), PassModel.Ints("d", 3));
        Assert.Equal("the quotient of i32 is rounded", PassModel.Declines(rule, plain.Output(i).Build(), "y"));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Fuses_an_offset_behind_a_layer(string layer, bool bias)
    {
        PassModel.Fires(Bias, Behind(layer, bias, (m, y) => m.Add("y", new Add(FusedActivation.Relu), y, PerChannel(y, 3))), "y", Tolerance);
        PassModel.Fires(Bias, Behind(layer, bias, (m, y) => m.Add("y", new Add(), PassModel.Floats("c", [1], 0.3f), y)), "y", Tolerance);
        PassModel.Fires(Bias, Behind(layer, bias, (m, y) => m.Add("y", new Sub(), y, PerChannel(y, 3))), "y", Tolerance);
        PassModel.Fires(Bias, Behind(layer, bias, (m, y) => m.Add("y", new Sub(), PerChannel(y, 3), y)), "y", Tolerance);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Folds_a_factor_before_a_layer(string layer, bool bias)
    {
        foreach (PaddingMode padding in (ReadOnlySpan<PaddingMode>)[PaddingMode.Same, PaddingMode.Valid])
        {
            Module module = Before(layer, bias, padding, (m, x) => m.Add("step", new Mul(), x, PerChannel(x, 3)));
            Assert.Single(PassModel.Fires(ScaleBefore, module, "layer", Tolerance).Main.Nodes);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Folds_an_offset_before_a_layer_without_padding(string layer, bool bias)
    {
        Module Make(PaddingMode padding, IOp op, bool turned) => Before(layer, bias, padding, (m, x) =>
            turned ? m.Add("step", op, PerChannel(x, 3), x) : m.Add("step", op, x, PerChannel(x, 3)));

        foreach ((IOp op, bool turned) in (ReadOnlySpan<(IOp, bool)>)[(new Add(), false), (new Add(), true), (new Sub(), false), (new Sub(), true)])
        {
            if (layer == "transpose_conv")
            {
                Assert.Equal(
                    "the outputs of a transposed convolution see different numbers of taps",
                    PassModel.Declines(OffsetBefore, Make(PaddingMode.Valid, op, turned), "layer"));
                continue;
            }

            Assert.Single(PassModel.Fires(OffsetBefore, Make(PaddingMode.Valid, op, turned), "layer", Tolerance * 4).Main.Nodes);
            if (layer != "fully_connected")
            {
                Assert.Equal(
                    "the border of SAME padding is zero behind the sum, not the constant",
                    PassModel.Declines(OffsetBefore, Make(PaddingMode.Same, op, turned), "layer"));
            }
        }
    }

    [Fact]
    public void Folds_an_offset_before_a_convolution_that_does_not_need_its_padding()
    {
        PassModel model = new();
        Value step = model.Add("step", new Add(), model.Input("x", 1, 4, 4, 2), PassModel.Floats("c", [2], 1, -2));
        Value y = model.Add("layer", new Conv2D(2, 2, PaddingMode.Same), step, PassModel.Random("w", 1, 3, 2, 2, 2));

        PassModel.Fires(OffsetBefore, model.Output(y).Build(), "layer", Tolerance);
    }

    [Fact]
    public void Folds_batch_normalization_as_files_carry_it()
    {
        Module module = Behind("conv_2d", bias: false, (m, y) =>
            m.Add("y", new Add(FusedActivation.Relu), m.Add("scaled", new Mul(), y, PerChannel(y, 3)), PerChannel(y, 4)));
        Module folded = module.Clone();
        PassContext context = new();

        PassSet.FoldLayers.Run(folded, context);

        PassModel.SameInterface(module, folded);
        PassModel.Same(module, folded, Tolerance, "batch normalization");
        Assert.Equal(new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), Assert.Single(folded.Main.Nodes).Op);
        Assert.Equal(2, context.AppliedCount);
    }

    [Fact]
    public void Declines_constants_of_another_shape()
    {
        string Reason(Func<PassModel, Value, Value> step) => PassModel.Declines(Scale, Behind("conv_2d", true, step), "y");

        Assert.Equal(
            "the constant has a number for each position: [6, 6, 1]",
            Reason((m, y) => m.Add("y", new Mul(), y, PassModel.Random("k", 1, 6, 6, 1))));
        Assert.Equal(
            "it enlarges [1, 6, 6, 4] to [3, 6, 6, 4]",
            Reason((m, y) => m.Add("y", new Mul(), y, PassModel.Random("k", 1, 3, 1, 1, 1))));
        Assert.Equal(
            "it enlarges [1, 6, 6, 4] to [1, 1, 6, 6, 4]",
            Reason((m, y) => m.Add("y", new Mul(), y, PassModel.Random("k", 1, 1, 1, 1, 1, 4))));
        Assert.Equal("not exactly one operand is a constant", Reason((m, y) => m.Add("y", new Mul(), y, m.Input("k", 4))));
    }

    [Fact]
    public void Declines_numbers_that_are_not_finite()
    {
        string Reason(float factor) => PassModel.Declines(
            Scale, Behind("conv_2d", true, (m, y) => m.Add("y", new Mul(), y, PassModel.Floats("k", [4], 1, factor, 1, 1))), "y");

        Assert.Equal("the constant is not finite", Reason(float.NaN));
        Assert.Equal("the constant is not finite", Reason(float.PositiveInfinity));
        PassModel model = new();
        Value layer = model.Add("layer", new FullyConnected(), model.Input("x", 1, 1), PassModel.Floats("w", [1, 1], 1e30f));
        Module overflows = model.Output(model.Add("y", new Mul(), layer, PassModel.Floats("k", [1], 1e30f))).Build();
        Assert.Equal("a folded weight or bias is not finite", PassModel.Declines(Scale, overflows, "y"));
    }

    [Fact]
    public void Declines_a_step_that_is_behind_something_else()
    {
        PassModel model = new();
        Module module = model.Output(model.Add("y", new Mul(), model.Add("a", new Tanh(), model.Input("x", 4)), PassModel.Floats("k", [1], 2))).Build();
        Assert.Equal("its operand is not the result of a convolution or dense layer", PassModel.Declines(Scale, module, "y"));

        Module activated = Behind("activated", true, (m, y) => m.Add("y", new Mul(), y, PerChannel(y, 3)));
        Assert.Equal("the fused Relu of 'layer' stands between", PassModel.Declines(Scale, activated, "y"));

        Module tanh = Behind("conv_2d", true, (m, y) => m.Add("y", new Mul(FusedActivation.Tanh), y, PerChannel(y, 3)));
        Assert.Equal("'layer' cannot take over the activation Tanh", PassModel.Declines(Scale, tanh, "y"));
    }

    [Fact]
    public void Declines_when_the_result_of_the_layer_has_other_uses()
    {
        Module used = Behind("conv_2d", true, (m, y) => m.Add("end", new Add(), m.Add("y", new Mul(), y, PerChannel(y, 3)), y));
        Module shown = Behind("conv_2d", true, (m, y) =>
        {
            m.Output(y);
            return m.Add("y", new Mul(), y, PerChannel(y, 3));
        });

        Assert.Equal("'layer' has other uses; folding would compute it twice", PassModel.Declines(Scale, used, "y"));
        Assert.Equal("'layer' has other uses; folding would compute it twice", PassModel.Declines(Scale, shown, "y"));
    }

    [Fact]
    public void Declines_weights_that_are_shared_but_not_biases()
    {
        PassModel model = new();
        (Value w, Value b) = (PassModel.Random("w", 1, 3, 3), PassModel.Random("b", 2, 3));
        Value one = model.Add("one", new FullyConnected(), model.Input("x", 1, 3), w, b);
        Value two = model.Add("two", new FullyConnected(), one, w, b);
        Value three = model.Add("three", new FullyConnected(), two, PassModel.Random("w3", 3, 3, 3), b);
        Value scaled = model.Add("scaled", new Mul(), model.Add("y", new Add(), three, PassModel.Floats("c", [3], 1, 2, 3)), PassModel.Floats("k", [3], 1, 2, 3));
        Value between = model.Add("between", new FullyConnected(), scaled, w, b);
        Module module = model.Output(model.Add("last", new Mul(), between, PassModel.Floats("k", [3], 1, 2, 3))).Build();

        Assert.Equal("the weights 'w' are used elsewhere too; scaled ones would be a second copy", PassModel.Declines(Scale, module, "last"));
        Assert.Equal("the weights 'w' are used elsewhere too; scaled ones would be a second copy", PassModel.Declines(ScaleBefore, module, "between"));
        Module fused = PassModel.Fires(Bias, module, "y", Tolerance * 4);
        Assert.Equal(w.Constant!.AsFloats().ToArray(), PassModel.Find(fused, "one").Inputs[1]!.Constant!.AsFloats().ToArray());
    }

    [Fact]
    public void Declines_weights_and_biases_that_are_computed()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 3);
        Value a = model.Add("a", new FullyConnected(), x, model.Input("w", 3, 3));
        Value b = model.Add("b", new FullyConnected(), x, PassModel.Random("w2", 1, 3, 3), model.Input("bias", 3));
        Value k = PassModel.Floats("k", [3], 1, 2, 3);
        Module module = model.Output(model.Add("ya", new Mul(), a, k), model.Add("yb", new Add(), b, k)).Build();

        Assert.Equal("the weights of 'a' are computed", PassModel.Declines(Scale, module, "ya"));
        Assert.Equal("the bias of 'b' is computed", PassModel.Declines(Bias, module, "yb"));
    }

    [Fact]
    public void Declines_quantized_layers()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [1, 3], new(0.1f, 0)));
        Value layer = model.AddQuantized("layer", new FullyConnected(), new(0.1f, 0), x, PassModel.Bytes("w", 1, 0.01f, 3, 3));
        Value c = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [3]), "c", new(0.1f, 0));
        Module module = model.Output(model.AddQuantized("y", new Add(), new(0.1f, 0), layer, c)).Build();

        Assert.Equal("i8 would round differently", PassModel.Declines(Bias, module, "y"));
    }

    [Fact]
    public void Keeps_the_weights_of_a_hybrid_layer_but_takes_its_bias()
    {
        PassModel model = new();
        Value layer = model.Add("layer", new FullyConnected(), model.Input("x", 1, 16), PassModel.Bytes("w", 1, 0.01f, 3, 16));
        Value sum = model.Add("sum", new Add(), layer, PassModel.Floats("c", [3], 1, 2, 3));
        Module module = model.Output(model.Add("y", new Mul(), sum, PassModel.Floats("k", [3], 1, 2, 3))).Build();

        Module fused = PassModel.Fires(Bias, module, "sum", Tolerance);
        Assert.Equal("the weights of 'layer' are quantized", PassModel.Declines(Scale, fused, "y"));
    }

    [Fact]
    public void Declines_weights_that_are_stored_sparse()
    {
        TensorData data = new(DType.F32, [1, 4], new byte[4], new SparseLayout([0, 1], [], [new SparseLevel(1, [], []), new SparseLevel(4, [0, 1], [2])]));
        PassModel model = new();
        Value layer = model.Add("layer", new FullyConnected(), model.Input("x", 1, 4), GraphBuilder.Constant(data, "w"));
        Module module = model.Output(model.Add("y", new Mul(), layer, PassModel.Floats("k", [1], 2))).Build();

        Assert.Equal("the weights of 'layer' are stored sparse", PassModel.Declines(Scale, module, "y"));
    }

    [Fact]
    public void Declines_steps_before_a_layer_that_cannot_move()
    {
        string Reason(IRewriteRule rule, Func<PassModel, Value, Value> step) =>
            PassModel.Declines(rule, Before("conv_2d", true, PaddingMode.Valid, step), "layer");

        Assert.Equal("its input is not the result of a product", Reason(ScaleBefore, (m, x) => m.Add("step", new Tanh(), x)));
        Assert.Equal("its input is not the result of a sum", Reason(OffsetBefore, (m, x) => m.Add("step", new Tanh(), x)));
        Assert.Equal(
            "the fused Relu of 'step' stands between",
            Reason(ScaleBefore, (m, x) => m.Add("step", new Mul(FusedActivation.Relu), x, PerChannel(x, 3))));
        Assert.Equal(
            "the constant has a number for each position: [6, 6, 1]",
            Reason(OffsetBefore, (m, x) => m.Add("step", new Add(), x, PassModel.Random("c", 1, 6, 6, 1))));
        Assert.Equal(
            "'step' has other uses, so that its node stays",
            Reason(ScaleBefore, (m, x) =>
            {
                Value step = m.Add("step", new Mul(), x, PerChannel(x, 3));
                m.Output(step);
                return step;
            }));
    }

    [Fact]
    public void Declines_a_step_on_a_variable()
    {
        PassModel model = new();
        model.Input("x", 1);
        Value step = model.Add("step", new Mul(), PassModel.Variable("state", 1, 3), PassModel.Floats("k", [3], 1, 2, 3));
        Module module = model.Output(model.Add("layer", new FullyConnected(), step, PassModel.Random("w", 1, 2, 3))).Build();

        Assert.Equal("the variable 'state' may change before the layer reads it", PassModel.Declines(ScaleBefore, module, "layer"));
    }

    [Fact]
    public void Declines_a_constant_before_a_dense_layer_that_flattens()
    {
        PassModel model = new();
        Value step = model.Add("step", new Mul(), model.Input("x", 1, 2, 3), PassModel.Floats("k", [3], 1, 2, 3));
        Module module = model.Output(model.Add("layer", new FullyConnected(), step, PassModel.Random("w", 1, 2, 6))).Build();

        Assert.Equal("the channels of the constant are not the inputs of the layer", PassModel.Declines(ScaleBefore, module, "layer"));
    }

    private static Value PerChannel(Value value, int seed)
    {
        Value numbers = PassModel.Random("per-channel", seed, value.Type.Shape[-1]);
        return seed % 2 == 0 ? numbers : GraphBuilder.Constant(numbers.Constant!.Reshape([1, numbers.Type.Shape[0]]), "per-channel");
    }

    private static Module Behind(string layer, bool bias, Func<PassModel, Value, Value> step)
    {
        PassModel model = new();
        Value y = Layer(model, layer, bias, PaddingMode.Same, model.Input("x", Input(layer).Dims.AsSpan()));
        return model.Output(step(model, y)).Build();
    }

    private static Module Before(string layer, bool bias, PaddingMode padding, Func<PassModel, Value, Value> step)
    {
        PassModel model = new();
        Value x = step(model, model.Input("x", Input(layer).Dims.AsSpan()));
        return model.Output(Layer(model, layer, bias, padding, x)).Build();
    }

    private static Shape Input(string layer) => layer == "fully_connected" ? [2, 5, 3] : [1, 6, 6, Channels];

    private static Value Layer(PassModel model, string layer, bool bias, PaddingMode padding, Value x)
    {
        Value? Offsets(int outputs) => bias ? PassModel.Random("b", 11, outputs) : null;
        Value Add(IOp op, Value w, int outputs) => bias ? model.Add("layer", op, x, w, Offsets(outputs)) : model.Add("layer", op, x, w);
        int size = padding is PaddingMode.Same ? 12 : 13;
        return layer switch
        {
            "conv_2d" => Add(new Conv2D(1, 1, padding), PassModel.Random("w", 10, Channels, 3, 3, Channels), Channels),
            "activated" => Add(new Conv2D(1, 1, padding, FusedActivation.Relu), PassModel.Random("w", 10, Channels, 3, 3, Channels), Channels),
            "grouped" => Add(new Conv2D(1, 2, padding), PassModel.Random("w", 10, 6, 3, 2, 2), 6),
            "depthwise_conv_2d" => Add(new DepthwiseConv2D(2, 1, padding, 1), PassModel.Random("w", 10, 1, 3, 3, Channels), Channels),
            "multiplied" => Add(new DepthwiseConv2D(1, 1, padding, 3), PassModel.Random("w", 10, 1, 3, 2, 3 * Channels), 3 * Channels),
            "fully_connected" => Add(new FullyConnected(KeepNumDims: true), PassModel.Random("w", 10, 5, 3), 5),
            _ => model.Add(
                "layer",
                new TransposeConv(2, 2, padding),
                [PassModel.Ints("shape", 1, size, size, 3), PassModel.Random("w", 10, 3, 3, 3, Channels), x, .. bias ? (Value?[])[Offsets(3)] : []]),
        };
    }
}
