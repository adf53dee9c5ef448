using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library;

public class MetricTests
{
    [Theory]
    [InlineData("accuracy")]
    [InlineData("top-5")]
    [InlineData("auc")]
    [InlineData("mse")]
    [InlineData("mae")]
    public void A_metric_is_found_by_its_name(string name) => Assert.Equal(name, Metric.Parse(name).Name);

    [Theory]
    [InlineData("top-0")]
    [InlineData("top-")]
    [InlineData("precision")]
    public void Other_names_are_refused(string name) => Assert.Throws<DiagnosticException>(() => Metric.Parse(name));

    [Fact]
    public void Of_equal_scores_the_first_wins()
    {
        Assert.Equal(1, Metric.Accuracy.Score([3, 3, 1], [0]).Value);
        Assert.Equal(0, Metric.Accuracy.Score([3, 3, 1], [1]).Value);
        Assert.Equal(1, Metric.Top(2).Score([3, 3, 1], [1]).Value);
    }

    [Fact]
    public void Labels_may_be_scores_themselves() => Assert.Equal(1, Metric.Accuracy.Score([0.1f, 0.7f, 0.2f], [0, 1, 0]).Value);

    [Fact]
    public void One_score_is_judged_at_one_half()
    {
        Assert.Equal(1, Metric.Accuracy.Score([0.6f], [1]).Value);
        Assert.Equal(1, Metric.Accuracy.Score([0.4f], [0]).Value);
        Assert.Equal(0, Metric.Accuracy.Score([0.5f], [1]).Value);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(0.5)]
    [InlineData(double.NaN)]
    public void A_label_that_is_no_class_is_refused(double label) =>
        Assert.Throws<OpRuleException>(() => Metric.Accuracy.Score([1, 2, 3], [label]));

    [Fact]
    public void The_area_under_the_curve_is_the_share_of_ordered_pairs()
    {
        Random random = new(7);
        for (int round = 0; round < 50; round++)
        {
            // Few distinct scores, so that ties are common.
            (double Value, double Class)[] samples = [.. Enumerable.Range(0, 40).Select(i => ((double)random.Next(8), (double)(i % 3 == 0 ? 1 : 0)))];

            double pairs = 0;
            double ordered = 0;
            foreach ((double positive, _) in samples.Where(s => s.Class == 1))
            {
                foreach ((double negative, _) in samples.Where(s => s.Class == 0))
                {
                    pairs++;
                    ordered += positive > negative ? 1 : positive == negative ? 0.5 : 0;
                }
            }

            Assert.Equal(ordered / pairs, Metric.Auc.Combine(samples), 12);
        }
    }

    [Fact]
    public void The_area_under_the_curve_of_one_class_is_refused() =>
        Assert.Throws<OpRuleException>(() => Metric.Auc.Combine([(1, 1), (2, 1)]));

    [Fact]
    public void Errors_are_means_over_elements()
    {
        Assert.Equal(2.5, Metric.MeanSquaredError.Score([1, 2], [0, 4]).Value);
        Assert.Equal(1.5, Metric.MeanAbsoluteError.Score([1, 2], [0, 4]).Value);
        Assert.False(Metric.MeanAbsoluteError.HigherIsBetter);
    }
}
