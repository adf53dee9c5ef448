using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Training;

/// <summary>What mean and deviation are measured for.</summary>
public enum NormalizationKind
{
    /// <summary>Each channel, the last axis; a sample [T] or [F] has one channel.</summary>
    Channel,

    /// <summary>Each element of a sample.</summary>
    Element,
}

/// <summary>Brings inputs to the range in which training works well: <c>y = (x - mean) * scale</c>.</summary>
/// <param name="Shape">Shape of <paramref name="Mean"/> and <paramref name="Scale"/>, the last dimensions of a sample: [] or [C] or all of them.</param>
/// <remarks>
/// It belongs to the model: <see cref="FoldInto"/> puts it in front of the first layer, so that the finished model takes raw data.
/// </remarks>
public sealed record Normalization(Shape Shape, ImmutableArray<float> Mean, ImmutableArray<float> Scale)
{
    /// <summary>Bytes to 0 .. 1: <c>x / 255</c>.</summary>
    public static Normalization Bytes { get; } = new(Shape.Scalar, [0], [1f / 255]);

    /// <summary>Mean and reciprocal of the standard deviation of the first input.</summary>
    /// <param name="data">The training part only: what validation is to measure must not be known before.</param>
    /// <remarks>
    /// Two passes in double, sample by sample, the deviation of the whole population (divisor n). What never changes has
    /// scale 1.
    /// </remarks>
    public static Normalization Measure(TrainingData data, NormalizationKind kind = NormalizationKind.Channel)
    {
        Shape sample = data.InputShapes[0];
        Shape shape = kind is NormalizationKind.Element ? sample : sample.Rank <= 1 ? Shape.Scalar : [sample[-1]];
        int period = (int)shape.ElementCount;
        float[] x = new float[sample.ElementCount];
        double[] means = new double[period];
        double[] squares = new double[period];
        double count = (double)data.Count * x.Length / Math.Max(1, period);
        foreach (int index in data.Samples)
        {
            data.ReadInput(0, index, x);
            for (int i = 0; i < x.Length; i++)
            {
                means[i % period] += x[i];
            }
        }

        for (int i = 0; i < period; i++)
        {
            means[i] /= count;
        }

        foreach (int index in data.Samples)
        {
            data.ReadInput(0, index, x);
            for (int i = 0; i < x.Length; i++)
            {
                double distance = x[i] - means[i % period];
                squares[i % period] += distance * distance;
            }
        }

        return new(
            shape,
            [.. means.Select(m => (float)m)],
            [.. squares.Select(s => s > 0 ? (float)(1 / Math.Sqrt(s / count)) : 1f)]);
    }

    /// <summary>True when a sample of this shape can be normalised.</summary>
    public bool Fits(Shape sample) => Shape.Rank <= sample.Rank && sample.Dims.AsSpan()[(sample.Rank - Shape.Rank)..].SequenceEqual(Shape.Dims.AsSpan());

    /// <summary>Normalises samples in place.</summary>
    /// <param name="x">A whole number of times as long as <see cref="Mean"/>.</param>
    public void Apply(Span<float> x)
    {
        ReadOnlySpan<float> mean = Mean.AsSpan();
        ReadOnlySpan<float> scale = Scale.AsSpan();
        int period = mean.Length;
        for (int start = 0; start < x.Length; start += period)
        {
            Span<float> part = x.Slice(start, period);
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = (part[i] - mean[i]) * scale[i];
            }
        }
    }

    /// <summary>
    /// The model with this normalization in front:
    /// <code>
    ///   f(x) => f(mul(add(x, -mean), scale))
    /// </code>
    /// </summary>
    /// <remarks>
    /// The sum stands first so that, before a convolution with padding, the product still reaches the layer:
    /// <see cref="Optc.Passes.Pipelines.PrepareForQuantization"/> folds the product into its weights, and the sum too where nothing is padded. A
    /// sum of zeros is left out.
    /// </remarks>
    /// <exception cref="DiagnosticException">The first input is not f32, or of a shape that does not end in <see cref="Shape"/>.</exception>
    public Module FoldInto(Module module)
    {
        Module result = module.Clone();
        Graph graph = result.Main;
        Value input = graph.Inputs[0];
        Shape sample = input.Type.Shape.Rank > 0 ? Shape.Create(input.Type.Shape.Dims.AsSpan()[1..]) : Shape.Scalar;
        if (input.Type.DType is not DType.F32 || !Fits(sample))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the normalization does not fit the input of the model")
            {
                At = [$"input '{input.Name}'"],
                Found = input.Type.ToString(),
                Expected = $"f32 of a shape that ends in {Shape}",
            });
        }

        GraphPatch patch = new();
        Node[] users = [.. input.Users.Distinct()];
        Value x = input;
        if (Mean.Any(m => m != 0))
        {
            x = patch.Add(new Add(), [x, Constant([.. Mean.Select(m => -m)], "mean")], input.Type, $"{input.Name}/normalization/shift");
        }

        x = patch.Add(new Mul(), [x, Constant(Scale, "scale")], input.Type, $"{input.Name}/normalization/scale");
        foreach (Node user in users)
        {
            for (int i = 0; i < user.Inputs.Length; i++)
            {
                if (user.Inputs[i] == input)
                {
                    patch.SetInput(user, i, x);
                }
            }
        }

        patch.ApplyTo(result, graph, graph.Nodes[0]);
        return result;

        Value Constant(ImmutableArray<float> numbers, string name) =>
            GraphPatch.Constant(TensorData.FromFloats(Shape, numbers.AsSpan()), $"{input.Name}/normalization/{name}");
    }

    public bool Equals(Normalization? other) => other is not null && Shape.Equals(other.Shape) && Mean.SequenceEqual(other.Mean) && Scale.SequenceEqual(other.Scale);

    public override int GetHashCode() => HashCode.Combine(Shape, Mean.Length, Mean.Length > 0 ? Mean[0] : 0, Scale.Length > 0 ? Scale[0] : 0);
}
