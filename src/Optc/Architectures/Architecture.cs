using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;

namespace Optc.Architectures;

/// <summary>A kind of model to start from, built for any input and number of classes, with random weights.</summary>
/// <remarks>
/// The model takes <c>input f32 [1, ..]</c> and gives <c>probabilities f32 [1, class]</c>, by a dense layer <c>head/dense</c> and
/// <c>head/softmax</c>; that of an autoencoder gives <c>reconstruction</c> in the shape of its input. Layers have names such as
/// <c>block1/depthwise</c>; how batch normalization is written: a product <c>LAYER/bn_scale</c> by ones and a sum <c>LAYER/bn_shift</c> with
/// zeros, whose activation is that of the layer.
/// </remarks>
public sealed class Architecture
{
    private const int MostElements = 1 << 26;
    private const int MostClasses = 1 << 20;
    private const double WidestWidth = 16;

    private readonly Func<LayerBuilder, Value, int, Value> _layers;

    private Architecture(string name, string summary, Shape input, int? classes, bool takesImages, Func<LayerBuilder, Value, int, Value> layers)
    {
        (Name, Summary, DefaultInput, DefaultClasses, TakesImages, _layers) = (name, summary, input, classes, takesImages, layers);
    }

    /// <summary>As the command line writes it.</summary>
    public string Name { get; }

    /// <summary>One line, without full stop.</summary>
    public string Summary { get; }

    /// <summary>Shape of a sample unless another is asked for.</summary>
    public Shape DefaultInput { get; }

    /// <summary>Number of classes unless another is asked for; <see langword="null"/> when the model tells no classes apart.</summary>
    public int? DefaultClasses { get; }

    /// <summary>True when a sample is [H, W, C], or [H, W] with one channel; else any shape is read as a row of numbers.</summary>
    public bool TakesImages { get; }

    /// <summary>All of them, in alphabetical order.</summary>
    public static ImmutableArray<Architecture> All { get; } =
    [
        new(
            "autoencoder", "dense autoencoder 128 x4, 8, 128 x4 for unusual sounds (MLPerf Tiny)", [640], null, takesImages: false, Autoencoder.Layers),
        new(
            "ds-cnn-l", "depthwise separable convolutions, 276 channels, for keywords (Hello Edge)", [49, 10, 1], 12, takesImages: true, (b, x, n) => DepthwiseSeparable.Layers(b, x, n, DepthwiseSeparable.Large)),
        new(
            "ds-cnn-m", "depthwise separable convolutions, 172 channels, for keywords (Hello Edge)", [49, 10, 1], 12, takesImages: true, (b, x, n) => DepthwiseSeparable.Layers(b, x, n, DepthwiseSeparable.Medium)),
        new(
            "ds-cnn-s", "depthwise separable convolutions, 64 channels, for keywords (Hello Edge, MLPerf Tiny)", [49, 10, 1], 12, takesImages: true, (b, x, n) => DepthwiseSeparable.Layers(b, x, n, DepthwiseSeparable.Small)),
        new(
            "mlp", "dense layers 256 and 128 with rectifiers", [28, 28, 1], 10, takesImages: false, MultilayerPerceptron.Layers),
        new(
            "mobilenet-v1", "MobileNet with depthwise separable convolutions and rectifiers; --width 0.25 is MLPerf Tiny's", [96, 96, 3], 2, takesImages: true, MobileNetV1.Layers),
        new(
            "mobilenet-v2", "MobileNetV2 with inverted residuals and linear bottlenecks", [96, 96, 3], 2, takesImages: true, MobileNetV2.Layers),
        new(
            "resnet-8", "residual network with 16, 32 and 64 channels for small pictures (MLPerf Tiny)", [32, 32, 3], 10, takesImages: true, ResidualNetwork.Layers),
    ];

    /// <summary>The architecture of that name.</summary>
    /// <exception cref="DiagnosticException">There is none; those that exist are listed.</exception>
    public static Architecture Find(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw Problem("there is no such architecture", $"'{name}'", string.Join(", ", All.Select(a => a.Name)));

    /// <summary>The model with random weights.</summary>
    /// <exception cref="DiagnosticException">The architecture does not take such inputs, classes or width.</exception>
    public Module Build(ArchitectureOptions? options = null)
    {
        options ??= ArchitectureOptions.Default;
        Shape sample = SampleOf(options.Input ?? DefaultInput);
        int classes = ClassesOf(options);
        if (!(options.Width is > 0 and <= WidestWidth))
        {
            throw Problem("a model cannot have this width", options.Width.ToString("R", CultureInfo.InvariantCulture), $"a number above 0, at most {WidestWidth}");
        }

        LayerBuilder layers = new(options);
        Value input = layers.Input(sample);
        Value output = _layers(layers, input, classes);
        return layers.Build(input, output, DefaultClasses is null ? "reconstruction" : "probabilities", $"{Name}, untrained");
    }

    private Shape SampleOf(Shape wanted)
    {
        Shape sample = TakesImages && wanted.Rank == 2 ? [.. wanted, 1] : wanted;
        return sample.IsKnown && sample.Rank > 0 && sample.Dims.All(d => d > 0) && (!TakesImages || sample.Rank == 3) && Fits(sample)
            ? sample
            : throw Problem(
                $"the architecture {Name} does not take such a sample",
                wanted.ToString(),
                $"{(TakesImages ? "height, width and channels" : "dimensions")}, each 1 or more, and at most {MostElements} elements");

        static bool Fits(Shape shape) => shape.Dims.Aggregate(1.0, (product, dim) => product * dim) <= MostElements;
    }

    private int ClassesOf(ArchitectureOptions options)
    {
        if (DefaultClasses is null)
        {
            return options.Classes is null
                ? 0
                : throw Problem($"the architecture {Name} tells no classes apart", $"{options.Classes} classes", "no number of classes");
        }

        int classes = options.Classes ?? DefaultClasses.Value;
        return classes is >= 2 and <= MostClasses
            ? classes
            : throw Problem("a classifier cannot have this number of classes", classes.ToString(CultureInfo.InvariantCulture), $"2 to {MostClasses}");
    }

    private static DiagnosticException Problem(string message, string found, string expected) =>
        new(new Diagnostic(DiagnosticId.InvalidOption, message) { Found = found, Expected = expected });
}
