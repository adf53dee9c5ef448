using Optc.Ir;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class LayerRuleTests
{
    [Fact]
    public void A_layer_can_be_kept_float_with_a_reason()
    {
        (Module result, QuantizationReport report) = Quantize(new LayerRule("^b$") { KeepFloat = true, Because = "it is delicate" });

        Assert.Equal("fully_connected dequantize fully_connected quantize fully_connected", FloatModel.Ops(result));
        Assert.Equal("it is delicate", report.Layers[1].Reason);
    }

    [Fact]
    public void A_layer_can_have_activations_of_its_own()
    {
        Module result = Quantize(new LayerRule("^b$") { Activations = DType.I16 }).Module;

        Assert.Equal("fully_connected quantize fully_connected quantize fully_connected", FloatModel.Ops(result));
        Assert.Equal(DType.I16, FloatModel.Layer(result, "b").Output.Type.DType);
        Assert.Equal(DType.I64, FloatModel.Layer(result, "b").Inputs[2]!.Type.DType);
        Assert.Equal(DType.I8, FloatModel.Layer(result, "c").Output.Type.DType);
    }

    [Fact]
    public void All_rules_that_match_apply_and_the_last_one_wins()
    {
        LayerReport[] layers =
        [
            .. Quantize(
                new LayerRule(".") { KeepFloat = true, Weights = WeightGranularity.PerChannel },
                new LayerRule("a|c") { KeepFloat = false },
                new LayerRule("c") { Weights = WeightGranularity.PerTensor }).Report.Layers,
        ];

        Assert.Equal([LayerStatus.Quantized, LayerStatus.Float, LayerStatus.Quantized], layers.Select(l => l.Status));
        Assert.Equal("kept float by rule '.'", layers[1].Reason);
        Assert.True(layers[0].Constants[0].Quant!.IsPerAxis);
        Assert.False(layers[2].Constants[0].Quant!.IsPerAxis);
    }

    [Fact]
    public void A_layer_can_have_an_estimator_of_its_own()
    {
        ActivationReport[] plain = [.. Quantize().Report.Activations];
        ActivationReport[] changed = [.. Quantize(new LayerRule("^b$") { Estimator = RangeEstimator.Percentile(80) }).Report.Activations];

        Assert.Equal(["x", "a", "b", "c"], plain.Select(a => a.Name));
        Assert.Equal(plain[1], changed[1]);
        Assert.Equal(plain[3], changed[3]);
        Assert.True(changed[2].High < plain[2].High);
    }

    [Fact]
    public void A_rule_may_speak_of_an_input() => Assert.NotEqual(
        Quantize().Report.Activations[0],
        Quantize(new LayerRule("^x$") { Estimator = RangeEstimator.Percentile(80) }).Report.Activations[0]);

    [Fact]
    public void Rules_that_match_nothing_are_errors_and_all_are_listed()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(
            () => Quantize(new LayerRule("^a$"), new LayerRule("nothing"), new LayerRule("neither")));

        Assert.Equal(2, problem.Diagnostics.Length);
        Assert.All(problem.Diagnostics, d => Assert.Equal(DiagnosticId.RuleMatchesNothing, d.Id));
        Assert.Equal("rule 'nothing'", problem.Diagnostics[0].At[1]);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("(?<=a)b")]
    public void A_pattern_that_cannot_be_used_is_an_error(string pattern) =>
        Assert.Equal(DiagnosticId.InvalidOption, Assert.Throws<DiagnosticException>(() => new LayerRule(pattern)).Diagnostics[0].Id);

    private static (Module Module, QuantizationReport Report) Quantize(params LayerRule[] rules)
    {
        FloatModel model = new();
        Value a = model.Dense("a", model.Input("x", 1, 4), 1, 4, 4);
        Value c = model.Dense("c", model.Dense("b", a, 3, 4, 4), 5, 4, 2);
        return FloatModel.Quantize(model.Output(c).Build(), QuantizationRecipe.StaticInt8 with { Rules = [.. rules] });
    }
}
