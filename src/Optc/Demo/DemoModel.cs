using Optc.Ir;
using Optc.Numerics;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;

namespace Optc.Demo;

/// <summary>A small convolutional classifier of sounds, made without training by gradients.</summary>
/// <remarks>
/// <para>Shape: <c>audio_features f32 [1, time = 49, frequency = 40, 1] -> probabilities f32 [1, class = 5]</c>. A convolution and
/// three depthwise separable blocks with ReLU, the mean over time, a dense read-out, softmax; 19,055 numbers.</para>
/// <para>The filters of the convolutions are random and stay so. The outputs of each layer are brought to mean 0 and
/// variance near 1 per channel over training sounds, and that is folded into its weights (by powers of two) and biases, as if batch
/// normalisation had been there. Only the read-out is fitted, by ridge regression: an extreme learning machine (Huang, Zhu
/// and Siew, Neurocomputing 2006; Saxe et al., "On random weights and unsupervised feature learning", ICML 2011).</para>
/// <para>Fitted numbers are rounded to coarse grids, so that what the vector unit of a machine does to the last bit of a sum
/// does not reach the model.</para>
/// </remarks>
public static class DemoModel
{
    public const string InputName = "audio_features";

    public const string OutputName = "probabilities";

    private const ulong FilterSeed = 20;
    private const int SoundsForStatistics = 100;

    /// <summary>Grid of the biases of the convolutions, whose outputs have variance 1.</summary>
    private const double BiasSteps = 64;

    /// <summary>Relative to the variance of the features.</summary>
    private const double Ridge = 0.1;

    /// <summary>Makes probabilities of the regression's estimates, which lie between 0 and 1.</summary>
    private const double LogitGain = 8;

    private static readonly LayerSpec[] Architecture =
    [
        new("conv", Depthwise: false, Kernel: 3, Stride: 2, Channels: 16),
        new("block1/depthwise", Depthwise: true, Kernel: 3, Stride: 1, Channels: 16),
        new("block1/pointwise", Depthwise: false, Kernel: 1, Stride: 1, Channels: 40),
        new("block2/depthwise", Depthwise: true, Kernel: 3, Stride: 2, Channels: 40),
        new("block2/pointwise", Depthwise: false, Kernel: 1, Stride: 1, Channels: 80),
        new("block3/depthwise", Depthwise: true, Kernel: 3, Stride: 2, Channels: 80),
        new("block3/pointwise", Depthwise: false, Kernel: 1, Stride: 1, Channels: 128),
    ];

    /// <summary>The classifier fitted to sounds.</summary>
    /// <param name="threads">At least 1; the result does not depend on it.</param>
    /// <exception cref="OperationCanceledException">Cancelled between two sounds.</exception>
    public static Module Build(LabelledSounds train, int threads = 1, CancellationToken cancellation = default)
    {
        float[][] pictures = [.. train.Features.Select(f => f.AsFloats().ToArray())];
        List<Layer> layers = Normalise([.. pictures.Take(SoundsForStatistics)], threads, cancellation);
        float[][] features = Run(Assemble(layers, readOut: null), pictures, threads, cancellation);
        return Assemble(layers, RidgeRegression.Fit(features, train.Labels, DemoTask.ClassNames.Length, Ridge, LogitGain));
    }

    /// <summary>Draws the filters layer by layer and scales them by the statistics of what they give.</summary>
    private static List<Layer> Normalise(float[][] images, int threads, CancellationToken cancellation)
    {
        SplitMix64 random = new(FilterSeed);
        Shape shape = [1, .. LogMelFeatures.Shape];
        List<Layer> layers = [];
        foreach (LayerSpec spec in Architecture)
        {
            Shape filters = spec.FilterShape(shape[3]);
            int fanIn = (int)(filters.ElementCount / spec.Channels);
            float[] weights = new float[filters.ElementCount];
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = (float)(random.NextNormal() / Math.Sqrt(fanIn));
            }

            Layer raw = new(spec, filters, weights, new float[spec.Channels]);
            GraphBuilder builder = new("layer");
            Value output = raw.AddTo(builder, builder.Input("x", new(DType.F32, shape)), FusedActivation.None);
            builder.Output(output);
            images = Run(GraphBuilder.Module([builder.Build()]), images, threads, cancellation);
            (double[] gains, double[] offsets) = Statistics(images, spec.Channels);
            layers.Add(raw.Scaled(gains, offsets));
            Activate(images, gains, offsets);
            shape = output.Type.Shape;
        }

        return layers;
    }

    /// <summary>What brings each channel to mean 0 and a standard deviation between 0.7 and 1.4: <c>gain * x + offset</c>.</summary>
    /// <param name="images">[.., C], the channels innermost.</param>
    private static (double[] Gains, double[] Offsets) Statistics(float[][] images, int channels)
    {
        double[] sums = new double[channels];
        double[] squares = new double[channels];
        foreach (float[] image in images)
        {
            for (int i = 0; i < image.Length; i++)
            {
                double value = image[i];
                sums[i % channels] += value;
                squares[i % channels] += value * value;
            }
        }

        double count = images.Sum(image => (double)image.Length / channels);
        (double[] gains, double[] offsets) = (new double[channels], new double[channels]);
        for (int c = 0; c < channels; c++)
        {
            double mean = sums[c] / count;
            double deviation = Math.Sqrt((squares[c] / count) - (mean * mean));
            gains[c] = Math.ScaleB(1, -Math.ILogB(deviation * Math.Sqrt(2)));
            offsets[c] = Math.Round(-mean * gains[c] * BiasSteps) / BiasSteps;
        }

        return (gains, offsets);
    }

    /// <summary>What the layer gives with these gains and offsets and ReLU, in place.</summary>
    private static void Activate(float[][] images, double[] gains, double[] offsets)
    {
        foreach (float[] image in images)
        {
            for (int i = 0; i < image.Length; i++)
            {
                int c = i % gains.Length;
                image[i] = MathF.Max(0, (float)((gains[c] * image[i]) + offsets[c]));
            }
        }
    }

    /// <summary>The network; without a read-out it ends in the features that a read-out would take.</summary>
    private static Module Assemble(List<Layer> layers, (float[] Weights, float[] Bias)? readOut)
    {
        GraphBuilder builder = new("main");
        Value input = builder.Input(InputName, new(DType.F32, [1, .. LogMelFeatures.Shape]));
        Value x = input;
        foreach (Layer layer in layers)
        {
            x = layer.AddTo(builder, x, FusedActivation.Relu);
        }

        (int time, int frequency, int channels) = (x.Type.Shape[1], x.Type.Shape[2], x.Type.Shape[3]);
        x = builder.Add(new AveragePool2D(time, 1, 1, 1, PaddingMode.Valid), [x], "mean_over_time").Outputs[0];
        int size = frequency * channels;
        Value flat = GraphBuilder.Constant(TensorData.FromInts([2], [1, size]), "features/shape");
        x = builder.Add(new Reshape([1, size]), [x, flat], "features").Outputs[0];
        if (readOut is var (weights, bias))
        {
            Value w = GraphBuilder.Constant(TensorData.FromFloats([bias.Length, size], weights), "read_out/weights");
            Value b = GraphBuilder.Constant(TensorData.FromFloats([bias.Length], bias), "read_out/bias");
            x = builder.Add(new FullyConnected(), [x, w, b], "read_out").Outputs[0];
            x = builder.Add(new Softmax(), [x], OutputName).Outputs[0];
        }

        builder.Output(x);
        Graph graph = builder.Build();
        return GraphBuilder.Module(
            [graph],
            [new Signature("serving_default", graph, [(InputName, input)], [(OutputName, x)])],
            description: "optc demo: classifier of synthesised sounds");
    }

    private static float[][] Run(Module module, float[][] inputs, int threads, CancellationToken cancellation)
    {
        float[][] outputs = new float[inputs.Length][];
        ParallelOptions options = new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.For(0, inputs.Length, options, () => new Interpreter(module), (i, _, interpreter) =>
        {
            inputs[i].CopyTo(interpreter.Input<float>(0));
            interpreter.Run(cancellation);
            outputs[i] = interpreter.Output<float>(0).ToArray();
            return interpreter;
        }, interpreter => interpreter.Dispose());
        return outputs;
    }

    private sealed record LayerSpec(string Name, bool Depthwise, int Kernel, int Stride, int Channels)
    {
        public Shape FilterShape(int depth) => Depthwise ? [1, Kernel, Kernel, Channels] : [Channels, Kernel, Kernel, depth];
    }

    /// <param name="Filters">Shape of the weights: [1, KH, KW, C] when depthwise, else [C, KH, KW, depth].</param>
    private sealed record Layer(LayerSpec Spec, Shape Filters, float[] Weights, float[] Bias)
    {
        private int ChannelOf(int index) => Spec.Depthwise ? index % Spec.Channels : (int)(index / (Filters.ElementCount / Spec.Channels));

        public Layer Scaled(double[] gains, double[] offsets) => this with
        {
            Weights = [.. Weights.Select((w, i) => (float)(w * gains[ChannelOf(i)]))],
            Bias = Array.ConvertAll(offsets, o => (float)o),
        };

        public Value AddTo(GraphBuilder builder, Value x, FusedActivation activation)
        {
            Value w = GraphBuilder.Constant(TensorData.FromFloats(Filters, Weights), $"{Spec.Name}/weights");
            Value b = GraphBuilder.Constant(TensorData.FromFloats([Spec.Channels], Bias), $"{Spec.Name}/bias");
            IOp op = Spec.Depthwise
                ? new DepthwiseConv2D(Spec.Stride, Spec.Stride, PaddingMode.Same, DepthMultiplier: 1, activation)
                : new Conv2D(Spec.Stride, Spec.Stride, PaddingMode.Same, activation);
            return builder.Add(op, [x, w, b], Spec.Name).Outputs[0];
        }
    }
}
