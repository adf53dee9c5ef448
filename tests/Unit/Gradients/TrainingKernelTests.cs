using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

/// <summary>What training asks of kernels beyond right numbers: the same bits for any threads, no garbage, weights that change.</summary>
public sealed class TrainingKernelTests
{
    [Fact]
    public void Gradients_have_the_same_bits_for_any_number_of_threads()
    {
        Module module = TrainingGraph();
        float[][] one = Run(module, threads: 1);

        Assert.All(one, values => Assert.Contains(values, v => v != 0));
        Assert.Equal(one, Run(module, threads: 2));
        Assert.Equal(one, Run(module, threads: 4));
    }

    [Fact]
    public void Forward_and_backward_allocate_nothing()
    {
        using Interpreter interpreter = new(TrainingGraph());
        Fill(interpreter);
        interpreter.Run();
        interpreter.Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5; i++)
        {
            interpreter.Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_text_form_keeps_every_attribute()
    {
        IOp[] ops =
        [
            new Conv2DInputGradient(5, 6, 4, 2, 3, PaddingMode.Valid, 1, 2),
            new Conv2DWeightGradient(3, 2, 2, 1, PaddingMode.Same, 1, 2, Groups: 2),
            new DepthwiseConv2DInputGradient(5, 6, 4, 2, 3, PaddingMode.Valid, 2, 1),
            new DepthwiseConv2DWeightGradient(3, 2, 1, 2, PaddingMode.Same, 2, 1),
            new AveragePool2DGradient(5, 6, 2, 3, 1, 2, PaddingMode.Same),
            new MaxPool2DGradient(2, 3, 1, 2, PaddingMode.Valid),
        ];

        Assert.All(ops, op => Assert.Equal(op, OpText.ParseOp($"{op.Schema.Name} {AttributeWriter.TextOf(op)}")));
    }

    [Theory]
    [InlineData("graph g(%d: f32[1, 3, 3, 4], %w: f32[4, 3, 3, 2]) -> (%y) { %y = conv_2d_input_gradient(%d, %w) { height: 5, width: 6, channels: 2, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 } }")]
    [InlineData("graph g(%d: f32[1, 3, 3, 4], %w: f32[4, 3, 3, 2]) -> (%y) { %y = conv_2d_input_gradient(%d, %w) { height: 5, width: 5, channels: 3, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 } }")]
    [InlineData("graph g(%x: f32[1, 5, 5, 2], %d: f32[2, 3, 3, 4]) -> (%y) { %y = conv_2d_weight_gradient(%x, %d) { kernel_h: 3, kernel_w: 3, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1, groups: 1 } }")]
    [InlineData("graph g(%x: f32[1, 5, 5, 2], %d: f32[1, 3, 3, 4]) -> (%y) { %y = conv_2d_weight_gradient(%x, %d) { kernel_h: 3, kernel_w: 3, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1, groups: 3 } }")]
    [InlineData("graph g(%d: f32[1, 3, 3, 4], %w: f32[1, 3, 3, 4]) -> (%y) { %y = depthwise_conv_2d_input_gradient(%d, %w) { height: 5, width: 5, channels: 3, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 } }")]
    [InlineData("graph g(%x: f32[1, 5, 5, 2], %d: f32[1, 3, 3, 3]) -> (%y) { %y = depthwise_conv_2d_weight_gradient(%x, %d) { kernel_h: 3, kernel_w: 3, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 } }")]
    [InlineData("graph g(%d: f32[1, 3, 3, 4]) -> (%y) { %y = average_pool_2d_gradient(%d) { height: 5, width: 5, filter_h: 2, filter_w: 2, stride_h: 2, stride_w: 2, padding: Valid } }")]
    [InlineData("graph g(%x: f32[1, 5, 5, 4], %d: f32[1, 3, 3, 4]) -> (%y) { %y = max_pool_2d_gradient(%x, %d) { filter_h: 2, filter_w: 2, stride_h: 2, stride_w: 2, padding: Valid } }")]
    public void Gradients_that_do_not_fit_their_layer_are_refused(string text) => Assert.Throws<DiagnosticException>(() =>
    {
        using Interpreter interpreter = new(OpText.ParseModule(text));
    });

    public static TheoryData<string> Layers => ["conv", "grouped", "dilated", "pointwise", "depthwise", "multiplier", "dense", "product", "products"];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Weights_that_are_computed_give_the_bits_of_constant_ones(string layer)
    {
        (IOp op, int[] xDims, int[] wDims, int bias) = Case(layer);
        (Shape x, Shape w) = (Shape.Create(xDims), Shape.Create(wDims));
        float[][] values = [Numbers(x.ElementCount, 1), Numbers(w.ElementCount, 2), Numbers(bias, 3)];

        float[] constant = Layer(op, x, w, bias, values, computed: false);

        Assert.Contains(constant, v => v != 0);
        Assert.Equal(constant, Layer(op, x, w, bias, values, computed: true));
    }

    private static (IOp Op, int[] X, int[] W, int Bias) Case(string layer) => layer switch
    {
        "conv" => (new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), [2, 9, 7, 5], [20, 3, 3, 5], 20),
        "grouped" => (new Conv2D(2, 1, PaddingMode.Valid), [2, 9, 7, 6], [10, 3, 2, 3], 10),
        "dilated" => (new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu6, 2, 3), [1, 9, 7, 6], [10, 3, 3, 6], 0),
        "pointwise" => (new Conv2D(1, 1, PaddingMode.Valid), [3, 13, 5, 33], [18, 1, 1, 33], 18),
        "depthwise" => (new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), [2, 9, 7, 21], [1, 3, 3, 21], 21),
        "multiplier" => (new DepthwiseConv2D(2, 2, PaddingMode.Same, 3), [2, 9, 7, 5], [1, 3, 3, 15], 0),
        "dense" => (new FullyConnected(FusedActivation.Relu), [7, 37], [19, 37], 19),
        "product" => (new BatchMatMul(AdjX: false, AdjY: true), [2, 101, 37], [19, 37], 0),
        _ => (new BatchMatMul(AdjX: true, AdjY: false), [3, 1, 37, 11], [3, 2, 37, 19], 0),
    };

    private static float[] Layer(IOp op, Shape x, Shape w, int bias, float[][] values, bool computed)
    {
        GraphBuilder builder = new("main");
        Value input = builder.Input("x", new(DType.F32, x));
        Value Operand(string name, Shape shape, float[] data) => computed
            ? builder.Input(name, new(DType.F32, shape))
            : GraphBuilder.Constant(TensorData.FromFloats(shape, data), name);
        Value weights = Operand("w", w, values[1]);
        ImmutableArray<Value?> operands = bias == 0 ? [input, weights] : [input, weights, Operand("b", [bias], values[2])];
        builder.Output(builder.Add(op, operands, "y").Output);
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]));
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            // The first run sees other weights: nothing of them may stay.
            interpreter.Input<float>(i).Fill(3);
        }

        interpreter.Run();
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            values[i].CopyTo(interpreter.Input<float>(i));
        }

        interpreter.Run();
        return interpreter.Output<float>(0).ToArray();
    }

    /// <summary>A small network with every kind of layer; results are the gradients of its weights and of its input.</summary>
    private static Module TrainingGraph()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [23, 16, 12, 3]));
        Value w1 = builder.Input("w1", new(DType.F32, [20, 3, 3, 3]));
        Value w2 = builder.Input("w2", new(DType.F32, [1, 3, 3, 40]));
        Value w3 = builder.Input("w3", new(DType.F32, [18, 1, 1, 40]));
        Value w4 = builder.Input("w4", new(DType.F32, [12, 3, 3, 9]));
        Value w5 = builder.Input("w5", new(DType.F32, [10, 12]));
        Value b1 = builder.Input("b1", new(DType.F32, [20]));
        Value y = builder.Add(new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), [x, w1, b1], "y1").Output;
        y = builder.Add(new DepthwiseConv2D(1, 1, PaddingMode.Same, 2), [y, w2], "y2").Output;
        y = builder.Add(new MaxPool2D(3, 3, 2, 2, PaddingMode.Same), [y], "pool").Output;
        y = builder.Add(new Conv2D(1, 1, PaddingMode.Same), [y, w3], "y3").Output;
        y = builder.Add(new Conv2D(2, 2, PaddingMode.Same, FusedActivation.Relu6), [y, w4], "y4").Output;
        y = builder.Add(new AveragePool2D(4, 3, 1, 1, PaddingMode.Valid), [y], "mean").Output;
        y = builder.Add(new FullyConnected(), [y, w5], "y5").Output;
        Value square = builder.Add(new Mul(), [y, y], "square").Output;
        Value axes = GraphBuilder.Constant(TensorData.FromInts([2], [0, 1]), "axes");
        Value loss = builder.Add(new Sum(KeepDims: false), [square, axes], "loss").Output;
        foreach (Value? gradient in Differentiation.Add(builder, loss, [x, w1, w2, w3, w4, w5, b1]))
        {
            builder.Output(gradient!);
        }

        return GraphBuilder.Module([builder.Build()]);
    }

    private static float[][] Run(Module module, int threads)
    {
        using Interpreter interpreter = new(module, options: new InterpreterOptions { Threads = threads });
        Fill(interpreter);
        interpreter.Run();
        return [.. Enumerable.Range(0, interpreter.OutputCount).Select(i => interpreter.Output<float>(i).ToArray())];
    }

    private static void Fill(Interpreter interpreter)
    {
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            Span<float> target = interpreter.Input<float>(i);
            Numbers(target.Length, i).CopyTo(target);
        }
    }

    private static float[] Numbers(long count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
