using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Unit.Backends.EthosU;

/// <summary>A network of every layer that the hardware has weights for, and of some that it has not.</summary>
internal static class NetworkSample
{
    /// <summary>Convolution (1 x 1 with per-channel scales), depthwise of one channel and of many, transposed convolution, dense layer.</summary>
    public static Module Int8()
    {
        GraphBuilder graph = new("main");
        Value x = graph.Input("x", new(DType.I8, [1, 8, 8, 1], new(0.05f, -3)));
        Value first = graph.Add(
            new DepthwiseConv2D(1, 1, PaddingMode.Same, 6), [x, Weights("w0", 1, [1, 3, 3, 6], axis: 3), Bias("b0", 2, 6)], "first", new QuantParams(0.1f, 4)).Output;
        Value wide = graph.Add(
            new Conv2D(1, 1, PaddingMode.Same), [first, Weights("w1", 3, [20, 1, 1, 6], axis: 0), Bias("b1", 4, 20)], "wide", new QuantParams(0.2f, 0)).Output;
        Value depth = graph.Add(
            new DepthwiseConv2D(1, 1, PaddingMode.Same, 1, DilationH: 2, DilationW: 2),
            [wide, Weights("w2", 5, [1, 3, 3, 20], axis: 3), Bias("b2", 6, 20)],
            "depth",
            new QuantParams(0.15f, 1)).Output;
        Value up = graph.Add(
            new TransposeConv(2, 2, PaddingMode.Same),
            [GraphBuilder.Constant(TensorData.FromInts([4], [1, 16, 16, 5]), "shape"), Weights("w3", 7, [5, 3, 2, 20], axis: 0), depth],
            "up",
            new QuantParams(0.3f, 2)).Output;
        Value flat = graph.Add(
            new Reshape([1, 1280]), [up, GraphBuilder.Constant(TensorData.FromInts([2], [1, 1280]), "flat")], "flat", new QuantParams(0.3f, 2)).Output;
        Value y = graph.Add(new FullyConnected(), [flat, Weights("w4", 8, [33, 1280], axis: null), Bias("b4", 9, 33)], "dense", new QuantParams(0.4f, 5)).Output;
        graph.Output(y);
        return GraphBuilder.Module([graph.Build()]);
    }

    public static Value Weights(string name, int seed, Shape shape, int? axis)
    {
        Random random = new(seed);
        sbyte[] codes = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => (sbyte)random.Next(-127, 128))];
        QuantParams quant = axis is { } along
            ? new([.. Enumerable.Range(0, shape[along]).Select(i => 0.01f + (0.003f * i))], [0], along)
            : new(0.013f, 0);
        return GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, shape, codes), name, quant);
    }

    public static Value Bias(string name, int seed, int count)
    {
        Random random = new(seed);
        return GraphBuilder.Constant(TensorData.FromInts([count], [.. Enumerable.Range(0, count).Select(_ => random.Next(-100_000, 100_000))]), name);
    }
}
