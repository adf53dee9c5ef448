using Optc.Ir;
using Optc.Runtime.Training;
using Xunit;

namespace Optc.Tests.Unit.Runtime.Training;

public class TrainingTextTests
{
    [Theory]
    [InlineData("body.*", "block1/conv", true)]
    [InlineData("^body/", "block1/conv", true)]
    [InlineData("^body/block1/", "block2/conv", false)]
    [InlineData("body.*", "head/dense", false)]
    [InlineData("body", "my_body/conv", true)]
    [InlineData("^head/", "head/dense", true)]
    [InlineData("^head/", "block1/head/dense", false)]
    [InlineData("conv", "block1/conv", true)]
    [InlineData("ody", "block1/conv", false)]
    public void The_body_is_everything_but_the_head(string pattern, string layer, bool matches) =>
        Assert.Equal(matches, new LayerRate(pattern, 0).Matches(layer));

    [Theory]
    [InlineData("adam")]
    [InlineData("adamw")]
    [InlineData("adamw:0.05")]
    [InlineData("sgd")]
    [InlineData("sgd:0.9")]
    [InlineData("nesterov:0.9")]
    [InlineData("rmsprop")]
    [InlineData("rmsprop:0.9:0.5")]
    public void Optimizers_have_names(string text) => Assert.NotNull(Optimizer.Parse(text));

    [Fact]
    public void A_text_means_the_optimizer_of_its_numbers()
    {
        Assert.Equal(Optimizer.Sgd(0.9f), Optimizer.Parse("sgd:0.9"));
        Assert.Equal(Optimizer.Sgd(0.9f, nesterov: true), Optimizer.Parse("nesterov:0.9"));
        Assert.Equal(Optimizer.AdamW(0.05f), Optimizer.Parse("adamw:0.05"));
        Assert.Equal(Optimizer.RmsProp(0.9f, 0.5f), Optimizer.Parse("rmsprop:0.9:0.5"));
        Assert.NotEqual(Optimizer.Adam(), Optimizer.Parse("adamw"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("adagrad")]
    [InlineData("adam:0.9")]
    [InlineData("sgd:")]
    [InlineData("sgd:1")]
    [InlineData("sgd:-0.1")]
    [InlineData("sgd:0,9")]
    [InlineData("sgd:nan")]
    [InlineData("nesterov")]
    [InlineData("rmsprop:1")]
    public void Other_optimizers_are_refused(string text) =>
        Assert.Contains("adam", Assert.Throws<DiagnosticException>(() => Optimizer.Parse(text)).Diagnostics[0].Expected, StringComparison.Ordinal);

    [Fact]
    public void A_text_means_the_loss_of_its_numbers()
    {
        Assert.Equal(Loss.SparseCrossEntropy, Loss.Parse("cross-entropy"));
        Assert.Equal(Loss.Smoothed(0.1f), Loss.Parse("smoothed:0.1"));
        Assert.Equal(Loss.MeanSquaredError, Loss.Parse("mse"));
        Assert.Equal(Loss.MeanAbsoluteError, Loss.Parse("mae"));
        Assert.Equal(Loss.Huber(2), Loss.Parse("huber:2"));
        Assert.Equal(Loss.BinaryCrossEntropy, Loss.Parse("binary-cross-entropy"));
    }

    [Theory]
    [InlineData("hinge")]
    [InlineData("smoothed")]
    [InlineData("smoothed:1")]
    [InlineData("huber:0")]
    [InlineData("huber:infinity")]
    [InlineData("mse:2")]
    public void Other_losses_are_refused(string text) => Assert.Throws<DiagnosticException>(() => Loss.Parse(text));
}
