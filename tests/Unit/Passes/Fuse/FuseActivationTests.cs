using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Fuse;
using Xunit;

namespace Optc.Tests.Unit.Passes.Fuse;

public sealed class FuseActivationTests
{
    private static readonly FuseActivation Rule = new();

    private static readonly IOp[] Activations = [new Relu(), new Relu6(), new ReluN1To1()];

    public static TheoryData<string> Producers =>
        ["conv_2d", "depthwise_conv_2d", "transpose_conv", "fully_connected", "add", "sub", "mul", "average_pool_2d", "max_pool_2d", "l2_pool_2d"];

    [Theory]
    [MemberData(nameof(Producers))]
    public void Fuses_rectifiers_into_every_op_that_takes_them(string producer)
    {
        foreach (IOp activation in Activations)
        {
            PassModel model = new();
            Value y = model.Add("y", activation, Producer(model, producer, model.Input("x", 1, 4, 4, 2)));

            Module fused = PassModel.Fires(Rule, model.Output(y).Build(), "y");

            Node node = Assert.Single(fused.Main.Nodes);
            Assert.Equal((producer, "producer", "y"), (node.Op.Schema.Name, node.Name, node.Output.Name));
        }
    }

    [Theory]
    [InlineData(DType.I8, 5)]
    [InlineData(DType.I8, -128)]
    [InlineData(DType.I16, 0)]
    public void Fuses_quantized_rectifiers_to_the_same_integers(DType type, int zeroPoint)
    {
        foreach (IOp activation in Activations.Where(a => type is DType.I8 || a is not ReluN1To1))
        {
            QuantParams grid = new(type is DType.I16 ? 0.0005f : 0.03f, zeroPoint);
            PassModel model = new();
            Value x = model.Input("x", new TensorType(type, [1, 9, 9, 4], grid));
            Value conv = model.AddQuantized("conv", new Conv2D(1, 1, PaddingMode.Same), grid, x, PassModel.Bytes("w", 3, 0.004f, 4, 3, 3, 4));
            Value rectified = model.AddQuantized("rectified", activation, grid, conv);
            Value sum = model.AddQuantized("sum", new Add(), grid, rectified, x);
            Module module = model.Output(model.AddQuantized("y", activation, grid, sum)).Build();

            Module fused = PassModel.Fires(Rule, PassModel.Fires(Rule, module, "rectified"), "y");

            Assert.Equal("conv_2d add", PassModel.Ops(fused));
        }
    }

    [Fact]
    public void Joins_two_activations_where_one_does_the_work_of_both()
    {
        FusedActivation Joined(FusedActivation first, IOp second)
        {
            PassModel model = new();
            Value sum = model.Add("sum", new Add(first), model.Input("x", 50), PassModel.Random("c", 1, 50));
            Module fused = PassModel.Fires(Rule, model.Output(model.Add("y", second, sum)).Build(), "y");
            return ((Add)Assert.Single(fused.Main.Nodes).Op).Activation;
        }

        Assert.Equal(FusedActivation.Relu6, Joined(FusedActivation.Relu, new Relu6()));
        Assert.Equal(FusedActivation.Relu6, Joined(FusedActivation.Relu6, new Relu()));
        Assert.Equal(FusedActivation.ReluN1To1, Joined(FusedActivation.ReluN1To1, new ReluN1To1()));
    }

    [Fact]
    public void Declines_what_has_no_fused_form()
    {
        Assert.Equal("it has no fused form", Reason(new Relu0To1(), FusedActivation.None));
        Assert.Equal("the kernels ignore a fused TANH", Reason(new Tanh(), FusedActivation.None));
        Assert.Equal("ReluN1To1 and Relu in a row are no fused activation", Reason(new Relu(), FusedActivation.ReluN1To1));
        Assert.Equal("Tanh and Relu in a row are no fused activation", Reason(new Relu(), FusedActivation.Tanh));
    }

    [Fact]
    public void Declines_nodes_that_take_no_activation()
    {
        PassModel model = new();
        Value x = model.Input("x", 4);
        Value a = model.Add("a", new Relu(), model.Add("neg", new Neg(), x));
        Value b = model.Add("b", new Relu(), x);
        Value c = model.Add("c", new Relu(), model.Add("joined", new Concatenation(0), a, b));
        Module module = model.Output(c).Build();

        foreach (string layer in (ReadOnlySpan<string>)["a", "b", "c"])
        {
            Assert.Equal("its operand is not the result of a node that takes an activation", PassModel.Declines(Rule, module, layer));
        }
    }

    [Fact]
    public void Declines_when_others_read_the_result_before_the_activation()
    {
        PassModel model = new();
        Value sum = model.Add("sum", new Add(), model.Input("x", 4), PassModel.Random("c", 1, 4));
        Module used = model.Output(model.Add("end", new Mul(), model.Add("y", new Relu(), sum), sum)).Build();
        Assert.Equal("'sum' has other uses, before the activation", PassModel.Declines(Rule, used, "y"));

        PassModel other = new();
        sum = other.Add("sum", new Add(), other.Input("x", 4), PassModel.Random("c", 1, 4));
        Module shown = other.Output(sum, other.Add("y", new Relu(), sum)).Build();
        Assert.Equal("'sum' has other uses, before the activation", PassModel.Declines(Rule, shown, "y"));
    }

    [Fact]
    public void Declines_a_rectifier_that_rescales()
    {
        PassModel model = new();
        QuantParams grid = new(0.1f, 0);
        Value x = model.Input("x", new TensorType(DType.I8, [4], grid));
        Value sum = model.AddQuantized("sum", new Add(), grid, x, x);
        Module module = model.Output(model.AddQuantized("y", new Relu(), new(0.05f, -128), sum)).Build();

        Assert.Equal("it changes the quantization", PassModel.Declines(Rule, module, "y"));
    }

    private static string Reason(IOp activation, FusedActivation present)
    {
        PassModel model = new();
        Value sum = model.Add("sum", new Add(present), model.Input("x", 4), PassModel.Random("c", 1, 4));
        return PassModel.Declines(Rule, model.Output(model.Add("y", activation, sum)).Build(), "y");
    }

    private static Value Producer(PassModel model, string op, Value x) => op switch
    {
        "conv_2d" => model.Add("producer", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("w", 1, 3, 3, 3, 2)),
        "depthwise_conv_2d" => model.Add("producer", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), x, PassModel.Random("w", 1, 1, 3, 3, 2)),
        "transpose_conv" => model.Add("producer", new TransposeConv(2, 2, PaddingMode.Same), PassModel.Ints("s", 1, 8, 8, 3), PassModel.Random("w", 1, 3, 3, 3, 2), x),
        "fully_connected" => model.Add("producer", new FullyConnected(), x, PassModel.Random("w", 1, 5, 2), PassModel.Random("b", 2, 5)),
        "add" => model.Add("producer", new Add(), x, x),
        "sub" => model.Add("producer", new Sub(), x, PassModel.Random("c", 1, 2)),
        "mul" => model.Add("producer", new Mul(), x, PassModel.Random("c", 1, 1, 4, 1, 2)),
        "average_pool_2d" => model.Add("producer", new AveragePool2D(2, 2, 2, 2, PaddingMode.Same), x),
        "max_pool_2d" => model.Add("producer", new MaxPool2D(2, 2, 2, 2, PaddingMode.Same), x),
        _ => model.Add("producer", new L2Pool2D(2, 2, 2, 2, PaddingMode.Same), x),
    };
}
