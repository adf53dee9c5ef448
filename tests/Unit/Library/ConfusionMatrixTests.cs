using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Library;

public class ConfusionMatrixTests
{
    private const int Classes = 4;

    [Fact]
    public void Rows_are_true_classes_and_columns_predicted_ones()
    {
        ConfusionMatrix matrix = ConfusionMatrix.Of([(0, 0), (0, 0), (0, 2), (2, 2), (2, 0), (2, 0)], 3, []);

        Assert.Equal(["0", "1", "2"], matrix.ClassNames.AsEnumerable());
        Assert.Equal((2, 1, 2, 1), (matrix[0, 0], matrix[0, 2], matrix[2, 0], matrix[2, 2]));
        Assert.Equal((6, 3), (matrix.Samples, matrix.Correct));
        Assert.Equal((3, 4), (matrix.SamplesOf(0), matrix.PredictionsOf(0)));
        Assert.Equal((2 / 3.0, 0.5), (matrix.RecallOf(0), matrix.PrecisionOf(0)));
        Assert.Null(matrix.RecallOf(1));
        Assert.Null(matrix.PrecisionOf(1));
        Assert.Equal(((2 / 3.0) + (1 / 3.0)) / 2, matrix.BalancedAccuracy, 12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void It_agrees_with_the_accuracy_whatever_the_threads(int threads)
    {
        Random random = new(5);
        for (int round = 0; round < 10; round++)
        {
            // Few distinct scores, so that ties are common, of zeros of both signs too.
            int count = random.Next(1, 300);
            float[] scores = [.. Enumerable.Range(0, count * Classes).Select(_ => random.Next(3) * (random.Next(2) == 0 ? 1f : -1f))];
            int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(Classes))];
            Dataset data = Dataset.Of(TensorData.FromFloats([count, Classes], scores), TensorData.FromInts([count], labels));

            Evaluation evaluation = Same().Evaluate(data, options: new() { Threads = threads }, confusion: true);

            ConfusionMatrix matrix = evaluation.Confusion!;
            Assert.Equal(evaluation.Value, (double)matrix.Correct / matrix.Samples);
            Assert.Equal(evaluation.Samples, matrix.Samples);
            Assert.All(Enumerable.Range(0, Classes), c => Assert.Equal(labels.Count(l => l == c), matrix.SamplesOf(c)));
            Assert.Equal(matrix.Samples, Enumerable.Range(0, Classes).Sum(matrix.PredictionsOf));
        }
    }

    [Fact]
    public void It_is_there_only_when_it_is_asked_for() =>
        Assert.Null(Same().Evaluate(Dataset.Of(TensorData.FromFloats([1, Classes], new float[Classes]), TensorData.FromInts([1], [0]))).Confusion);

    [Fact]
    public void Too_many_classes_are_refused() => Assert.Throws<OpRuleException>(() => ConfusionMatrix.Of([(0, 0)], 5000, []));

    /// <summary>A model whose scores are its input.</summary>
    private static Model Same()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, Classes]));
        float[] identity = [.. Enumerable.Range(0, Classes * Classes).Select(i => i / Classes == i % Classes ? 1f : 0f)];
        Value weights = GraphBuilder.Constant(TensorData.FromFloats([Classes, Classes], identity), "w");
        builder.Output(builder.Add(new FullyConnected(FusedActivation.None), [x, weights, null], "y").Output);
        return Model.Of(GraphBuilder.Module([builder.Build()]));
    }
}
