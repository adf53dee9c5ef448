using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Runtime.Training;
using Optc.Tests.Unit.Passes;
using Optc.Training;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>Models and data for runs of a few steps, and ways to look at what became of weights.</summary>
internal static class SmallModels
{
    /// <summary>A run of 6 steps.</summary>
    public static FitOptions Short { get; } = new() { Epochs = 2, BatchSize = 8, KeepBest = false, AllowEmptyClasses = true, Rate = LearningRate.Constant(0.01) };

    /// <summary>Normal, depthwise and pointwise convolutions with batch normalization, a dense layer; 8 channels.</summary>
    public static Model Convolutional(ulong seed = 1) =>
        Model.Of(Architecture.Find("ds-cnn-s").Build(new() { Input = [8, 8, 1], Classes = 3, Width = 0.125, Seed = seed }));

    /// <summary>One dense layer, x [1, inputs].</summary>
    public static Model Dense(int outputs, int inputs, Func<int, float> weight)
    {
        PassModel model = new();
        Value x = model.Input("x", 1, inputs);
        Value w = PassModel.Floats("dense/w", [outputs, inputs], [.. Enumerable.Range(0, outputs * inputs).Select(weight)]);
        return Model.Of(model.Output(model.Add("dense", new FullyConnected(), x, w, PassModel.Floats("dense/b", [outputs], new float[outputs]))).Build());
    }

    /// <summary>A convolution without bias, a rectifier that is a node by itself, the mean of all positions, a dense layer.</summary>
    public static Model SeparateRectifier(int channels, int kernel = 3)
    {
        PassModel model = new();
        Value y = model.Input("x", 1, 8, 8, 1);
        y = model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), y, PassModel.Random("conv/w", 4, channels, kernel, kernel, 1));
        y = model.Add("relu", new Relu(), y);
        y = model.Add("pool", new AveragePool2D(8, 8, 1, 1, PaddingMode.Valid), y);
        y = model.Add("flat", new Reshape([-1, channels]), y, PassModel.Ints("shape", -1, channels));
        return Model.Of(model.Output(model.Add("dense", new FullyConnected(), y, PassModel.Random("dense/w", 5, 3, channels))).Build());
    }

    public static float Normal(int element) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - new Random(element).NextDouble())) * Math.Cos(2 * Math.PI * new Random(~element).NextDouble()));

    /// <summary>24 samples of 3 classes that are told apart by their mean.</summary>
    public static Dataset Samples(Model model, int classes = 3)
    {
        Shape shape = model.Inputs[0].Type.Shape.With(0, 24);
        Random random = new(9);
        int size = (int)(shape.ElementCount / 24);
        float[] x = [.. Enumerable.Range(0, 24 * size).Select(i => (random.NextSingle() * 2) - 1 + (i / size % classes))];
        return Dataset.Of(TensorData.FromFloats(shape, x), TensorData.FromInts([24], [.. Enumerable.Range(0, 24).Select(i => i % classes)]));
    }

    /// <summary>The weights of layers by the names of their tensors.</summary>
    public static Dictionary<string, TensorData> Weights(Model model) => model.Module.Main.Nodes
        .Where(n => n.Op is Conv2D or DepthwiseConv2D or FullyConnected)
        .ToDictionary(n => n.Inputs[1]!.Name, n => n.Inputs[1]!.Constant!);

    public static int Distinct(TensorData weight) => weight.DType is DType.F32
        ? weight.AsFloats().ToArray().Select(v => v == 0 ? 0 : v).Distinct().Count()
        : weight.Span<sbyte>().ToArray().Distinct().Count();

    /// <summary>Different codes: on the grid of the weight if it has one.</summary>
    public static int Codes(TensorData weight) => weight.Structure is { } structure ? structure.Codes(weight).Distinct().Count() : Distinct(weight);

    public static int Zeros(TensorData weight) => weight.DType is DType.F32 ? weight.AsFloats().Count(0f) : weight.Span<sbyte>().Count((sbyte)0);
}
