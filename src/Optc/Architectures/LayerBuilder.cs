using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>Builds the layers that architectures consist of, with their initial weights.</summary>
/// <remarks>
/// Batch normalization stands in the graph as files carry it, a product and a sum for each channel:
/// <code>
///   y = act(x * gamma / sqrt(variance + epsilon) + (beta - mean * gamma / sqrt(variance + epsilon)))
///   LAYER/bn_scale: mul(x, [1, 1, ..])     LAYER/bn_shift: add(x, [0, 0, ..]), which carries the activation
/// </code>
/// with fresh statistics (mean 0, variance 1, gamma 1, beta 0). The layer before it has no bias. Training recognizes the pair by these
/// names and its constants; <see cref="Optc.Passes.Pipelines.PrepareForQuantization"/> folds it into the layer.
/// </remarks>
internal sealed class LayerBuilder(ArchitectureOptions options)
{
    private const int ChannelGrain = 8;
    private const double LeastPart = 0.9;

    private readonly GraphBuilder _graph = new("main");

    public Value Input(Shape sample) => _graph.Input("input", new(DType.F32, [1, .. sample]));

    /// <summary>A number of channels by the width of the model.</summary>
    /// <remarks>Source: <c>_make_divisible</c> of the MobileNetV2 reference implementation.</remarks>
    public int Channels(int channels)
    {
        if (options.Width == 1)
        {
            return channels;
        }

        double exact = channels * options.Width;
        int rounded = Math.Max(ChannelGrain, (int)(exact + (ChannelGrain / 2)) / ChannelGrain * ChannelGrain);
        return rounded < LeastPart * exact ? rounded + ChannelGrain : rounded;
    }

    /// <summary>Convolution x [1, H, W, C], w [O, KH, KW, C], with normalization and activation.</summary>
    public Value Convolution(
        Value x, string name, int channels, (int H, int W) kernel, (int H, int W) stride, FusedActivation activation, bool normalise = true)
    {
        int depth = x.Type.Shape[3];
        TensorData w = InitialWeights.Draw(
            options.Initializer, [channels, kernel.H, kernel.W, depth], (long)kernel.H * kernel.W * depth, (long)kernel.H * kernel.W * channels, options.Seed, name);
        return Linear(x, name, a => new Conv2D(stride.H, stride.W, PaddingMode.Same, a), w, channels, activation, normalise);
    }

    /// <summary>Depthwise convolution x [1, H, W, C], w [1, KH, KW, C], with normalization and activation.</summary>
    public Value Depthwise(Value x, string name, (int H, int W) kernel, (int H, int W) stride, FusedActivation activation)
    {
        int channels = x.Type.Shape[3];
        long taps = (long)kernel.H * kernel.W;
        TensorData w = InitialWeights.Draw(options.Initializer, [1, kernel.H, kernel.W, channels], taps, taps, options.Seed, name);
        return Linear(x, name, a => new DepthwiseConv2D(stride.H, stride.W, PaddingMode.Same, DepthMultiplier: 1, a), w, channels, activation, normalise: true);
    }

    /// <summary>Dense layer x [1, K], w [units, K], with normalization and activation.</summary>
    public Value Dense(Value x, string name, int units, FusedActivation activation)
    {
        int inputs = x.Type.Shape[1];
        TensorData w = InitialWeights.Draw(options.Initializer, [units, inputs], inputs, units, options.Seed, name);
        return Linear(x, name, a => new FullyConnected(a), w, units, activation, normalise: true);
    }

    /// <summary>Dense layer with bias and without activation, x [1, K] to [1, units].</summary>
    public Value Readout(Value x, string name, int units) => Readout(_graph.Add, x, name, units, options.Seed);

    /// <inheritdoc cref="Readout(Value, string, int)"/>
    /// <param name="add">Appends a node.</param>
    public static Value Readout(NodeFactory add, Value x, string name, int units, ulong seed)
    {
        int inputs = x.Type.Shape.Dims.Aggregate(1, (a, b) => a * Math.Abs(b));
        TensorData w = InitialWeights.Draw(Initializer.GlorotUniform, [units, inputs], inputs, units, seed, name);
        Value weights = GraphBuilder.Constant(w, $"{name}/weights");
        Value bias = GraphBuilder.Constant(TensorData.FromFloats([units], new float[units]), $"{name}/bias");
        return add(new FullyConnected(), [x, weights, bias], name).Output;
    }

    public Value Sum(Value a, Value b, string name, FusedActivation activation = FusedActivation.None) => _graph.Add(new Add(activation), [a, b], name).Output;

    /// <summary>Mean over all positions, [1, H, W, C] to [1, C].</summary>
    public Value MeanOfPositions(Value x, string name)
    {
        Shape shape = x.Type.Shape;
        Value pooled = _graph.Add(new AveragePool2D(shape[1], shape[2], 1, 1, PaddingMode.Valid), [x], name).Output;
        return Flatten(pooled, $"{name}/flat");
    }

    /// <summary>One row for each sample, whatever the batch: [N, ..] to [N, K].</summary>
    public Value Flatten(Value x, string name)
    {
        int size = (int)(x.Type.Shape.ElementCount / x.Type.Shape[0]);
        Value shape = GraphBuilder.Constant(TensorData.FromInts([2], [-1, size]), $"{name}/shape");
        return _graph.Add(new Reshape([-1, size]), [x, shape], name).Output;
    }

    /// <summary>Rows [N, K] back in the shape of an input, whatever the batch.</summary>
    public Value Unflatten(Value x, string name, Shape shape)
    {
        Shape wanted = shape.With(0, -1);
        Value target = GraphBuilder.Constant(TensorData.FromInts([wanted.Rank], wanted.Dims.AsSpan()), $"{name}/shape");
        return _graph.Add(new Reshape(wanted.Dims), [x, target], name).Output;
    }

    public Value Softmax(Value x, string name) => _graph.Add(new Softmax(), [x], name).Output;

    /// <summary>The finished model with signature <c>serving_default</c>.</summary>
    public Module Build(Value input, Value output, string outputName, string description)
    {
        _graph.Output(output);
        Graph graph = _graph.Build();
        return GraphBuilder.Module([graph], [new("serving_default", graph, [(input.Name, input)], [(outputName, output)])], description: description);
    }

    private Value Linear(
        Value x, string name, Func<FusedActivation, IOp> op, TensorData w, int channels, FusedActivation activation, bool normalise)
    {
        Value weights = GraphBuilder.Constant(w, $"{name}/weights");
        if (!normalise || !options.BatchNormalization)
        {
            Value bias = GraphBuilder.Constant(TensorData.FromFloats([channels], new float[channels]), $"{name}/bias");
            return _graph.Add(op(activation), [x, weights, bias], name).Output;
        }

        Value y = _graph.Add(op(FusedActivation.None), [x, weights], name).Output;
        float[] ones = new float[channels];
        Array.Fill(ones, 1);
        Value scale = GraphBuilder.Constant(TensorData.FromFloats([channels], ones), $"{name}/bn_scale/gamma");
        Value shift = GraphBuilder.Constant(TensorData.FromFloats([channels], new float[channels]), $"{name}/bn_shift/beta");
        y = _graph.Add(new Mul(), [y, scale], $"{name}/bn_scale").Output;
        return _graph.Add(new Add(activation), [y, shift], $"{name}/bn_shift").Output;
    }
}

/// <summary>Appends an op with one output to a graph that is being built.</summary>
internal delegate Node NodeFactory(IOp op, ImmutableArray<Value?> inputs, string name, params ReadOnlySpan<QuantParams?> outputQuant);
