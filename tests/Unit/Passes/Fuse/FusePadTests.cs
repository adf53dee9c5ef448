using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Fuse;
using Xunit;

namespace Optc.Tests.Unit.Passes.Fuse;

public sealed class FusePadTests
{
    private const double Tolerance = 1e-6;

    private static readonly FusePad Rule = new();

    [Theory]
    [InlineData(5, 3, 1, 1, 1, 1)]
    [InlineData(5, 5, 1, 1, 2, 2)]
    [InlineData(6, 3, 2, 1, 0, 1)]
    [InlineData(5, 3, 2, 1, 1, 1)]
    [InlineData(6, 2, 1, 1, 0, 1)]
    [InlineData(7, 3, 1, 2, 2, 2)]
    [InlineData(6, 3, 2, 1, 0, 2)] // the last row of the border is reached by no window
    public void Makes_the_border_the_padding_of_the_convolution(int size, int kernel, int stride, int dilation, int before, int after)
    {
        int[] widths = [0, 0, before, after, before, after, 0, 0];
        PassModel model = new();
        Value padded = model.Add("pad", new Pad(), model.Input("x", 2, size, size, 2), PassModel.Paddings("p", widths));
        Value conv = model.Add(
            "conv", new Conv2D(stride, stride, PaddingMode.Valid, DilationH: dilation, DilationW: dilation), padded, PassModel.Random("w", 1, 3, kernel, kernel, 2));
        Value again = model.Add("pad2", new PadV2(), conv, PassModel.Paddings("p2", 0, 0, 1, 1, 1, 1, 0, 0), PassModel.Floats("v", [], 0));
        Value depthwise = model.Add("depthwise", new DepthwiseConv2D(1, 1, PaddingMode.Valid, 1), again, PassModel.Random("w2", 2, 1, 3, 3, 3));

        Module fused = PassModel.Fires(Rule, PassModel.Fires(Rule, model.Output(depthwise).Build(), "conv", Tolerance), "depthwise", Tolerance);

        Assert.Equal("conv_2d depthwise_conv_2d", PassModel.Ops(fused));
    }

    [Fact]
    public void Keeps_every_integer_of_a_quantized_convolution()
    {
        QuantParams grid = new(0.03f, 7);
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [1, 8, 8, 4], grid));
        Value padded = model.AddQuantized("pad", new Pad(), grid, x, PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0));
        Value conv = model.AddQuantized("conv", new Conv2D(1, 1, PaddingMode.Valid), grid, padded, PassModel.Bytes("w", 1, 0.01f, 4, 3, 3, 4));

        Assert.Equal("conv_2d", PassModel.Ops(PassModel.Fires(Rule, model.Output(conv).Build(), "conv")));
    }

    [Theory]
    [InlineData(5, 3, 1, 0, 2, "SAME pads 1 and 1 rows, the border has 0 and 2")]
    [InlineData(5, 3, 1, 2, 0, "SAME pads 1 and 1 rows, the border has 2 and 0")]
    [InlineData(6, 3, 2, 1, 1, "SAME pads 0 and 1 rows, the border has 1 and 1")]
    [InlineData(5, 3, 1, 2, 2, "SAME pads 1 and 1 rows, the border has 2 and 2")]
    [InlineData(5, 3, 1, 1, 2, "SAME pads 1 and 1 rows, the border has 1 and 2")]
    public void Declines_borders_that_SAME_would_not_make(int size, int kernel, int stride, int before, int after, string reason) =>
        Assert.Equal(reason, PassModel.Declines(Rule, Padded([0, 0, before, after, before, after, 0, 0], size, kernel, stride), "conv"));

    [Fact]
    public void Declines_columns_that_do_not_fit_even_where_rows_do() => Assert.Equal(
        "SAME pads 1 and 1 columns, the border has 0 and 0", PassModel.Declines(Rule, Padded([0, 0, 1, 1, 0, 0, 0, 0], 5, 3, 1), "conv"));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void Declines_borders_along_batch_or_channels(int batch, int channels) => Assert.Equal(
        "the border is not around the image alone", PassModel.Declines(Rule, Padded([batch, 0, 1, 1, 1, 1, 0, channels], 5, 3, 1), "conv"));

    [Fact]
    public void Declines_borders_of_another_value()
    {
        Assert.Equal("the border is not known to be zero", Reason(model => model.Add(
            "pad", new PadV2(), model.Input("x", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0), PassModel.Floats("v", [1], 0.5f))));
        Assert.Equal("the border is not known to be zero", Reason(model => model.Add(
            "pad", new PadV2(), model.Input("x", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0), model.Input("v", 1))));
        Assert.Equal("its input is not the result of a PAD", Reason(model => model.Add(
            "pad", new MirrorPad(MirrorPadMode.Reflect), model.Input("x", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0))));
    }

    [Fact]
    public void Declines_a_raw_zero_that_is_not_the_zero_point()
    {
        QuantParams grid = new(0.03f, 7);
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [1, 5, 5, 2], grid));
        Value zero = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [0]), "v", grid);
        Value padded = model.AddQuantized("pad", new PadV2(), grid, x, PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0), zero);
        Value conv = model.AddQuantized("conv", new Conv2D(1, 1, PaddingMode.Valid), grid, padded, PassModel.Bytes("w", 1, 0.01f, 2, 3, 3, 2));

        Assert.Equal("the border is not known to be zero", PassModel.Declines(Rule, model.Output(conv).Build(), "conv"));
    }

    [Fact]
    public void Declines_other_uses_computed_widths_and_unknown_sizes()
    {
        Assert.Equal("'pad' has other uses, so that its node stays", Reason(model =>
        {
            Value padded = model.Add("pad", new Pad(), model.Input("x", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0));
            model.Output(padded);
            return padded;
        }));
        Assert.Equal("the widths of the border are computed", Reason(model => model.AddTyped(
            "pad", new Pad(), new(DType.F32, [1, 7, 7, 2]), model.Input("x", 1, 5, 5, 2), model.Input("p", new TensorType(DType.I32, [4, 2])))));
        Assert.Equal("the variable 'state' may change before the convolution reads it", Reason(model => model.Add(
            "pad", new Pad(), PassModel.Variable("state", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0))));
        Assert.Equal("the number of rows is not known", Reason(model => model.Add(
            "pad", new Pad(), model.Input("x", new TensorType(DType.F32, [1, -1, 5, 2])), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0))));
    }

    [Fact]
    public void Declines_a_convolution_that_pads_already()
    {
        PassModel model = new();
        Value padded = model.Add("pad", new Pad(), model.Input("x", 1, 5, 5, 2), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0));
        Module module = model.Output(model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), padded, PassModel.Random("w", 1, 2, 3, 3, 2))).Build();

        Assert.Equal("it pads already", PassModel.Declines(Rule, module, "conv"));
    }

    [Fact]
    public void Declines_weights_that_make_zero_not_a_number()
    {
        PassModel model = new();
        float[] w = new float[9];
        w[4] = float.PositiveInfinity;
        Value padded = model.Add("pad", new Pad(), model.Input("x", 1, 5, 5, 1), PassModel.Paddings("p", 0, 0, 1, 1, 1, 1, 0, 0));
        Module module = model.Output(model.Add("conv", new Conv2D(1, 1, PaddingMode.Valid), padded, PassModel.Floats("w", [1, 3, 3, 1], w))).Build();

        Assert.Equal("a weight that is not finite makes the border not a number", PassModel.Declines(Rule, module, "conv"));
    }

    [Fact]
    public void Is_not_concerned_with_pools() => Assert.False(Rule.Concerns(new MaxPool2D(3, 3, 1, 1, PaddingMode.Valid)));

    private static Module Padded(int[] widths, int size, int kernel, int stride)
    {
        PassModel model = new();
        Value padded = model.Add("pad", new Pad(), model.Input("x", 1, size, size, 2), PassModel.Paddings("p", widths));
        Value w = PassModel.Random("w", 1, 2, kernel, kernel, padded.Type.Shape[3]);
        return model.Output(model.Add("conv", new Conv2D(stride, stride, PaddingMode.Valid), padded, w)).Build();
    }

    private static string Reason(Func<PassModel, Value> border)
    {
        PassModel model = new();
        Value conv = model.Add("conv", new Conv2D(1, 1, PaddingMode.Valid), border(model), PassModel.Random("w", 1, 2, 3, 3, 2));
        return PassModel.Declines(Rule, model.Output(conv).Build(), "conv");
    }
}
