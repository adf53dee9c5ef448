using System.Xml.Linq;
using Optc.Architectures;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Runtime.Training;
using Optc.Tests.Unit.Passes.Quantize;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Report.Compression;

/// <summary>The report of a chain that was really trained: pruned, clustered and quantized in one run, with batch normalization.</summary>
public sealed class TrainedReportTests
{
    private const int Codes = 6;

    [Fact]
    public void Every_stage_of_a_joint_run_keeps_its_zeros_and_codes_to_the_bytes()
    {
        Model baseline = Model.Of(Architecture.Find("ds-cnn-s").Build(new() { Input = [12, 8, 1], Classes = 3, Width = 0.25, Seed = 4 }), "tiny");
        TensorData labels = TensorData.FromInts([24], [.. Enumerable.Range(0, 24).Select(i => i % 3)]);
        Dataset data = Dataset.Of(TensorData.FromFloats([24, 12, 8, 1], FloatModel.Numbers(8, 24 * 96)), labels);
        FitResult joint = baseline.Fit(data, how: new()
        {
            Epochs = 8,
            BatchSize = 8,
            Rate = LearningRate.Cosine(1e-3),
            Pruning = new(PruningSchedule.Polynomial(0.5)) { Selection = PruningSelection.Everything },
            Clustering = new(Codes) { Depthwise = true, Begin = 0.5, Freeze = 0.85 },
            Quantization = QuantizationAware.Default,
        });
        Model int8 = joint.Model.ToInt8();

        CompressionReport report = CompressionReport.Build(new("tiny", Metric.Accuracy,
        [
            new("Baseline") { Float = baseline, Int8 = baseline.Quantize(QuantizationRecipe.StaticInt8, data) },
            new("PCQAT") { Float = joint.Model, Int8 = int8, Curve = [.. joint.History], Int8Score = int8.Evaluate(data).Value },
        ])
        {
            Invariants = InvariantResult.OnBytes(int8),
            Skipped = joint.Skipped,
        });

        Assert.True(report.AllInvariantsHold);
        Assert.Equal(2 * report.Layers.Length, report.Invariants.Length);
        Assert.All(report.Layers, layer =>
        {
            Assert.Equal(4, layer.Stages.Length);
            Assert.All(layer.Stages.TakeLast(2), s => Assert.InRange(s.Distinct, 2, Codes));
            Assert.All(layer.Stages.TakeLast(2), s => Assert.InRange(s.ZeroPercent, 45, 90));

            // The trained float weights and their integers are the same numbers: on one grid, before and after folding.
            Assert.Equal(layer.Stages[2].Sqnr!.Value, layer.Stages[3].Sqnr!.Value, 0.01);
            Assert.Equal((layer.Stages[2].Zeros, layer.Stages[2].Distinct), (layer.Stages[3].Zeros, layer.Stages[3].Distinct));
        });
        Assert.True(report.Stages[1].Int8!.Coded[0].Bytes < 0.6 * report.Stages[0].Int8!.Coded[0].Bytes);
        Assert.Contains("All ", report.Verdict, StringComparison.Ordinal);
        Assert.NotNull(XDocument.Parse(CompressionHtml.Of(report)).Root);
    }
}
