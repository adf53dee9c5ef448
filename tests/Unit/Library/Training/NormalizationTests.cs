using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Tests.Snapshots;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

public sealed class NormalizationTests
{
    [Fact]
    public void Channels_come_to_mean_0_and_variance_1_over_the_part_that_is_measured()
    {
        TrainingData data = BatchSourceTests.Pictures(30).Split(0.3, 1).Train;

        Normalization normalization = Normalization.Measure(data);

        Assert.Equal([2], normalization.Shape.Dims.ToArray());
        Batch batch = new BatchSource(data, new() { Size = data.Count, Normalization = normalization }).Next();
        for (int c = 0; c < 2; c++)
        {
            float[] values = [.. batch.Input(0).ToArray().Where((_, i) => i % 2 == c)];
            Assert.Equal(0, values.Average(), 1e-5);
            Assert.Equal(1, values.Average(v => v * v), 1e-5);
        }
    }

    [Fact]
    public void Elements_can_be_measured_one_by_one_and_constants_keep_their_scale()
    {
        TrainingData data = TrainingData.Of(Dataset.Of(TensorData.FromFloats([2, 3], [1, 7, 10, 3, 7, 30])));

        Normalization normalization = Normalization.Measure(data, NormalizationKind.Element);

        Assert.Equal([2f, 7f, 20f], normalization.Mean.ToArray());
        Assert.Equal([1f, 1f, 0.1f], normalization.Scale.ToArray());
    }

    [Theory]
    [InlineData(NormalizationKind.Channel)]
    [InlineData(NormalizationKind.Element)]
    public void A_model_with_the_normalization_in_front_takes_raw_data(NormalizationKind kind)
    {
        TrainingData data = BatchSourceTests.Pictures(8);
        Normalization normalization = Normalization.Measure(data, kind);
        Model model = Model.Of(Convolution(PaddingMode.Same));
        Model folded = Model.Of(normalization.FoldInto(model.Module));
        float[] raw = new float[24];
        data.ReadInput(0, 3, raw);
        float[] normalised = [.. raw];
        normalization.Apply(normalised);

        float[] expected = Run(model, normalised);

        Assert.Equal(expected, Run(folded, raw));
        Assert.Equal(expected, Run(folded.Apply(Pipelines.PrepareForQuantization), raw), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Theory]
    [InlineData(PaddingMode.Valid, 0, 0)]
    [InlineData(PaddingMode.Same, 1, 0)]
    public void Passes_fold_the_product_always_and_the_sum_where_nothing_is_padded(PaddingMode padding, int sums, int products)
    {
        Model model = Model.Of(Normalization.Measure(BatchSourceTests.Pictures(8)).FoldInto(Convolution(padding))).Apply(Pipelines.PrepareForQuantization);

        Assert.Equal(sums, model.Module.Main.Nodes.Count(n => n.Op is Add));
        Assert.Equal(products, model.Module.Main.Nodes.Count(n => n.Op is Mul));
    }

    [Fact]
    public void Bytes_need_no_sum()
    {
        Module module = Normalization.Bytes.FoldInto(Convolution(PaddingMode.Same));

        Assert.Equal(["mul", "conv_2d"], module.Main.Nodes.Select(n => n.Op.Schema.Name));
    }

    /// <summary>Mean and deviation of the 60,000 pictures of Fashion-MNIST are known: 0.2860 and 0.3530. These are 7,000 of them.</summary>
    [SharedFact]
    public void Published_statistics_of_a_data_set_are_measured()
    {
        string path = Path.Combine(SharedFolder.Path, "data", "fashion-mnist", "fashion-mnist.npz");
        TrainingData data = TrainingData.Of(Dataset.Load(path, new() { X = "x_train", Y = "y_train" }), new() { InputShapes = [[28, 28, 1]], Classes = 10 });

        Normalization normalization = Normalization.Measure(data.Split(0.1, 1).Train);

        Assert.Equal(7000, data.Count);
        Assert.Equal(0.2860, Assert.Single(normalization.Mean) / 255, 0.004);
        Assert.Equal(0.3530, 1 / Assert.Single(normalization.Scale) / 255, 0.004);
    }

    [Fact]
    public void A_normalization_of_another_shape_is_refused()
    {
        Normalization other = new([3], [0, 0, 0], [1, 1, 1]);

        Assert.Throws<DiagnosticException>(() => other.FoldInto(Convolution(PaddingMode.Same)));
        Assert.Throws<DiagnosticException>(() => new BatchSource(BatchSourceTests.Pictures(3), new() { Normalization = other }));
    }

    private static Module Convolution(PaddingMode padding)
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 4, 3, 2]));
        Value w = GraphBuilder.Constant(TensorData.FromFloats([2, 3, 3, 2], [.. Enumerable.Range(0, 36).Select(i => ((i * 7 % 11) - 5) / 8f)]), "w");
        Value b = GraphBuilder.Constant(TensorData.FromFloats([2], [0.5f, -1]), "b");
        builder.Output(builder.Add(new Conv2D(1, 1, padding), [x, w, b], "y").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static float[] Run(Model model, float[] x) => model.Run(TensorData.FromFloats([1, 4, 3, 2], x))[0].AsFloats().ToArray();
}
