using System.Globalization;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Optc.Report;
using Optc.Report.Compression;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library.Report.Compression;

/// <summary>What a compression report computes from the models.</summary>
public sealed class CompressionReportTests
{
    [Fact]
    public void Coded_weights_are_the_entropy_of_each_layer_and_two_bytes_a_code()
    {
        Model int8 = SampleRun.Int8(SampleRun.Float(isPruned: true, isClustered: true));
        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy, [new("only") { Int8 = int8 }]));

        long expected = 0;
        long weights = 0;
        foreach (Node node in int8.Module.Main.Nodes.Where(n => n.Op is Conv2D or DepthwiseConv2D or FullyConnected))
        {
            sbyte[] codes = node.Inputs[1]!.Constant!.Span<sbyte>().ToArray();
            double bits = codes.GroupBy(c => c).Sum(g => -g.Count() * Math.Log2((double)g.Count() / codes.Length));
            expected += (long)Math.Ceiling((bits / 8) - 1e-9) + (2 * codes.Distinct().Count());
            weights += codes.Length;
        }

        FormEntry form = report.Stages[0].Int8!;
        Assert.Equal(["order-0", "gzip", "ethos-u"], form.Coded.Select(c => c.Coder));
        WeightCost coded = form.Coded[0];
        Assert.Equal(expected, coded.Bytes);
        Assert.Equal(8.0 * expected / weights, coded.BitsPerWeight, 12);
        Assert.Equal((weights, weights, 0L), (form.Weights, form.WeightBytes, form.UncodedBytes));
        Assert.Equal(expected, report.Layers.Sum(l => l.Stages[0].Coded[0].Bytes));
        Assert.Equal(form.Zeros, report.Layers.Sum(l => l.Stages[0].Zeros));
    }

    [Fact]
    public void Sizes_of_a_model_are_what_each_coder_says_of_all_weights()
    {
        Model int8 = SampleRun.Int8(SampleRun.Float());
        CompressionReport report = CompressionReport.Build(
            new("m", Metric.Accuracy, [new("only") { Int8 = int8 }]) { Coders = WeightCoders.All });

        ReadOnlyMemory<short>[] codes = [.. WeightTensor.Of(int8.Module).Select(w => (ReadOnlyMemory<short>)w.Codes)];
        Assert.Equal(WeightCoders.All.Select(c => WeightCost.Of(c, codes)), report.Stages[0].Int8!.Coded);
        Assert.All(report.Layers, (layer, i) => Assert.Equal(WeightCoders.All.Select(c => WeightCost.Of(c, codes[i].Span)), layer.Stages[0].Coded));
    }

    [Fact]
    public void Float_weights_on_a_grid_are_counted_by_their_codes()
    {
        int[] codes = [-3, 0, 5, 0, 5, -3, 5, 5];
        float[] scales = [0.3f, 0.7f];
        TensorData data = TensorData.FromFloats([2, 4], [.. codes.Select((c, i) => scales[i / 4] * c)])
            .With(new() { Grid = new([.. scales], Axis: 0), Codebook = new(3) });
        FloatModel builder = new();
        Value y = builder.Add("dense", new FullyConnected(), builder.Input("x", 1, 4), GraphBuilder.Constant(data, "w"), FloatModel.Random("b", 1, 2));

        LayerStage layer = CompressionReport.Build(new("m", Metric.Accuracy, SampleRun.One(Model.Of(builder.Output(y).Build())))).Layers[0].Stages[0];

        Assert.Equal((3L, 2L), (layer.Distinct, layer.Zeros));
        Assert.Equal((0.5 * 1) + (2 * 0.25 * 2), layer.Entropy, 12);
    }

    [Fact]
    public void Invariants_are_found_in_the_bytes_that_were_written()
    {
        Model model = Structured([1, 0, 2, 0, 2, 1, 0, 0]);

        InvariantResult[] results = [.. InvariantResult.OnBytes(model)];

        Assert.Equal(
        [
            new InvariantResult("dense", "zeros kept", "4 of 4", "4 of 4", Holds: true),
            new InvariantResult("dense", "distinct codes", "at most 3", "3", Holds: true),
        ], results);
        Assert.Empty(InvariantResult.OnBytes(SampleRun.Float()));
    }

    [Fact]
    public void Bytes_that_break_an_invariant_are_found_out()
    {
        Model model = Structured([1, 0, 2, 0, 2, 1, 0, 0]);
        byte[] other = Structured([1, 3, 2, 0, 2, 1, 0, 0], isStructured: false).ToTfLite();

        InvariantResult[] results = [.. InvariantResult.OnBytes(model.Module, other)];

        Assert.Equal(
        [
            new InvariantResult("dense", "zeros kept", "4 of 4", "3 of 4", Holds: false),
            new InvariantResult("dense", "distinct codes", "at most 3", "4", Holds: false),
        ], results);
        Assert.Throws<ArgumentException>(() => InvariantResult.OnBytes(model.Module, SampleRun.Float().ToTfLite()));
    }

    private static Model Structured(float[] weights, bool isStructured = true)
    {
        TensorData data = TensorData.FromFloats([2, 4], weights);
        WeightStructure structure = new() { Mask = new("elements", [.. weights.Select(w => w != 0)]), Codebook = new(3) };
        FloatModel builder = new();
        return Model.Of(builder.Output(builder.Add(
            "dense", new FullyConnected(), builder.Input("x", 1, 4), GraphBuilder.Constant(isStructured ? data.With(structure) : data, "w"), FloatModel.Random("b", 1, 2))).Build());
    }

    [Fact]
    public void Bytes_of_every_file_add_up()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole());

        foreach (FormEntry form in report.Stages.SelectMany(s => new[] { s.Float!, s.Int8! }))
        {
            Assert.Equal(form.FileBytes, form.Uses.Sum(u => u.Bytes));
            Assert.Equal(form.WeightBytes, form.Uses.Single(u => u.Use == "weights").Bytes);
            Assert.InRange(form.GzipBytes!.Value, 1, form.FileBytes!.Value);
        }

        Assert.Empty(report.Stages[0].Float!.Coded);
        Assert.Equal(report.Stages[0].Float!.WeightBytes, report.Stages[0].Float!.UncodedBytes);
    }

    [Fact]
    public void Weights_are_compared_with_batch_normalization_folded_in()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole());

        LayerEntry conv = report.Layers.Single(l => l.Name == "conv/w");
        Assert.Equal([double.PositiveInfinity, null, null], conv.Stages.Where(s => s.Form == "float").Select(s => s.Stage == "Baseline" ? s.Sqnr : null));

        // 8 bits a channel: about 6 dB a bit, less the square of the crest factor of a uniform distribution.
        Assert.InRange(conv.Stages.Single(s => s is { Stage: "Baseline", Form: "int8" }).Sqnr!.Value, 40, 60);

        // What pruning takes away is known: the smaller half of numbers that are evenly distributed holds an eighth of the power.
        Assert.InRange(conv.Stages.Single(s => s is { Stage: "Pruned", Form: "float" }).Sqnr!.Value, 7.5, 10.5);
        Assert.Equal(6, conv.Stages.Length);
    }

    [Fact]
    public void Sqnr_of_float_weights_is_that_of_the_definition()
    {
        Model before = SampleRun.Float(normalized: false);
        Model after = SampleRun.Float(isPruned: true, isClustered: true, normalized: false);
        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy, [.. SampleRun.One(before), .. SampleRun.One(after, "After")]));

        float[] a = WeightsOf(before);
        float[] b = WeightsOf(after);
        double expected = 10 * Math.Log10(a.Sum(x => (double)x * x) / a.Zip(b).Sum(p => Math.Pow((double)p.First - p.Second, 2)));
        Assert.Equal(expected, report.Layers.Single(l => l.Name == "dense/w").Stages[1].Sqnr!.Value, 9);

        static float[] WeightsOf(Model model) => model.Module.Main.Nodes.Single(n => n.Name == "dense").Inputs[1]!.Constant!.AsFloats().ToArray();
    }

    [Fact]
    public void A_layer_is_found_by_its_place_when_all_names_changed()
    {
        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy,
        [
            .. SampleRun.One(SampleRun.Float()), .. SampleRun.One(SampleRun.Float(conv: "renamed"), "After"),
        ]));

        Assert.Equal(["conv/w", "depthwise/w", "dense/w"], report.Layers.Select(l => l.Name));
        Assert.All(report.Layers, l => Assert.Equal(double.PositiveInfinity, l.Stages[1].Sqnr));
    }

    [Fact]
    public void Layers_that_another_model_does_not_have_stay_apart()
    {
        FloatModel other = new();
        Model small = Model.Of(other.Output(other.Dense("other", other.Input("x", 1, 3), 1, 3, 2)).Build());
        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy, [.. SampleRun.One(SampleRun.Float()), .. SampleRun.One(small, "Small")]));

        Assert.Equal(["conv/w", "depthwise/w", "dense/w", "other/w"], report.Layers.Select(l => l.Name));
        Assert.All(report.Layers, l => Assert.Single(l.Stages));
        Assert.Null(report.Layers[3].Stages[0].Sqnr);
    }

    [Fact]
    public void A_shape_that_changed_has_no_sqnr()
    {
        FloatModel a = new();
        FloatModel b = new();
        Model wide = Model.Of(a.Output(a.Dense("dense", a.Input("x", 1, 3), 1, 3, 4)).Build());
        Model narrow = Model.Of(b.Output(b.Dense("dense", b.Input("x", 1, 3), 1, 3, 2)).Build());

        LayerEntry layer = Assert.Single(CompressionReport.Build(new("m", Metric.Accuracy, [.. SampleRun.One(wide), .. SampleRun.One(narrow, "Narrow")])).Layers);

        Assert.Equal([12, 6], layer.Stages.Select(s => s.Elements));
        Assert.Null(layer.Stages[1].Sqnr);
    }

    [Fact]
    public void Reasons_stand_at_the_stage_they_belong_to()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole());

        LayerEntry depthwise = report.Layers.Single(l => l.Layer == "depthwise");
        Assert.Equal(
            [null, null, "few weights & dear", "few weights & dear", "9 weights a channel", "9 weights a channel"],
            depthwise.Stages.Select(s => s.Skipped));
        Assert.All(report.Layers.Where(l => l != depthwise).SelectMany(l => l.Stages), s => Assert.Null(s.Skipped));
    }

    [Fact]
    public void A_reason_of_a_step_that_is_no_stage_stands_at_the_result()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole() with { Skipped = [new("dense", "clustering", "a rule")] });

        LayerEntry dense = report.Layers.Single(l => l.Layer == "dense");
        Assert.Equal([null, null, null, null, "clustering: a rule", "clustering: a rule"], dense.Stages.Select(s => s.Skipped));
        Assert.Equal(new SkippedLayer("dense", "clustering", "a rule"), Assert.Single(dense.Skipped));
        Assert.Contains("in 2 of 3 layers", report.Verdict, StringComparison.Ordinal);
        Assert.NotEqual("dense", report.Kernel!.Layer);
    }

    [Fact]
    public void The_kernel_is_the_largest_layer_and_its_bins_hold_every_weight()
    {
        KernelEntry kernel = CompressionReport.Build(SampleRun.Whole()).Kernel!;

        Assert.Equal("dense", kernel.Layer);
        Assert.Equal(["Baseline", "Pruned", "PCQAT"], kernel.Values.Select(v => v.Stage));
        Assert.All(kernel.Values, v => Assert.Equal(4 * 288, v.Counts.Sum()));
        Assert.All(kernel.Codes, c => Assert.Equal(4 * 288, c.Counts.Sum(n => n.Count)));
        Assert.Equal([0, 576, 576], kernel.Values.Select(v => v.Zeros));

        // Zeros and the four values of the clusters, with zero in the middle of its bin.
        Assert.Equal(5, kernel.Values[2].Counts.Count(c => c > 0));
        double position = -kernel.Low / (kernel.High - kernel.Low) * kernel.Values[0].Counts.Length;
        Assert.Equal(0.5, position - Math.Floor(position), 6);
        Assert.Equal(576, kernel.Codes[2].Counts.Single(c => c.Code == 0).Count);
    }

    [Fact]
    public void The_verdict_says_codes_zeros_bytes_and_scores()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole());

        (long before, long now) = (report.Stages[0].Int8!.Coded[0].Bytes, report.Stages[2].Int8!.Coded[0].Bytes);
        string less = Math.Round(100.0 * (before - now) / before).ToString(CultureInfo.InvariantCulture);
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"in 2 of 3 layers: {now:N0} bytes of coded weights (order-0) instead of {before:N0} ({less} % less), accuracy 83.10 % (float) → 82.00 % (int8), 1.10 points lower."),
            report.Verdict,
            StringComparison.Ordinal);
        Assert.Contains("50 % zeros", report.Verdict, StringComparison.Ordinal);
        Assert.EndsWith("All 3 invariants hold.", report.Verdict, StringComparison.Ordinal);
        Assert.True(report.AllInvariantsHold);
    }

    [Fact]
    public void A_broken_invariant_comes_first()
    {
        CompressionRun run = SampleRun.Whole();
        CompressionReport report = CompressionReport.Build(run with
        {
            Invariants = [run.Invariants[0], new("dense", "distinct codes", "at most 4", "5", Holds: false)],
            Agreement = [new("conv", double.NaN, 3, 0.01)],
        });

        Assert.StartsWith("BROKEN: 1 of 2 invariants do not hold; distinct codes of dense: expected at most 4, found 5. BROKEN: in 1 of 1 layers", report.Verdict, StringComparison.Ordinal);
        Assert.False(report.AllInvariantsHold);
        Assert.DoesNotContain("invariants hold.", report.Verdict, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_front_is_what_no_other_trial_beats(bool higherIsBetter)
    {
        Random random = new(11);
        ParetoPoint[] points = [.. Enumerable.Range(0, 200).Select(i => new ParetoPoint($"{i}", random.Next(40), i % 50 == 0 ? double.NaN : random.Next(20)))];

        Metric metric = higherIsBetter ? Metric.Accuracy : Metric.MeanSquaredError;
        CompressionReport report = CompressionReport.Build(new("m", metric, SampleRun.One(SampleRun.Float())) { Pareto = [.. points] });

        bool Beats(ParetoPoint a, ParetoPoint b)
        {
            bool asGood = higherIsBetter ? a.Score >= b.Score : a.Score <= b.Score;
            return a.CodedBytes <= b.CodedBytes && asGood && (a.CodedBytes < b.CodedBytes || a.Score != b.Score);
        }

        Assert.Equal(points.Length, report.Pareto.Length);
        Assert.All(report.Pareto, p => Assert.Equal(
            !double.IsNaN(p.Score) && !points.Any(other => Beats(other, points.Single(o => o.Name == p.Name))),
            p.OnFront));
    }

    [Fact]
    public void Threads_change_nothing()
    {
        CompressionRun run = SampleRun.Whole();

        string one = ReportJson.Of(CompressionReport.Build(run, WorkOptions.Default));

        Assert.Equal(one, ReportJson.Of(CompressionReport.Build(run, WorkOptions.Default with { Threads = 4 })));
        Assert.Equal(one, ReportJson.Of(CompressionReport.Build(run)));
    }

    [Fact]
    public void A_model_that_cannot_be_written_is_reported_without_its_file()
    {
        FloatModel model = new();
        Value x = model.Dense("dense", model.Input("x", 1, 3), 1, 3, 2);
        Module module = model.Output(model.Add("y", new Dropout(0.5f), x, FloatModel.Ints("seed", 1))).Build();
        Assert.Throws<DiagnosticException>(() => Model.Of(module).ToTfLite());

        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy, SampleRun.One(Model.Of(module))));

        Assert.Null(report.Stages[0].Float!.FileBytes);
        Assert.Equal(6, report.Stages[0].Float!.Weights);
        Assert.StartsWith("Baseline, float: no size of the file", Assert.Single(report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Stages_without_models_are_refused()
    {
        Assert.Throws<ArgumentException>(() => CompressionReport.Build(new("m", Metric.Accuracy, [])));
        Assert.Throws<ArgumentException>(() => CompressionReport.Build(new("m", Metric.Accuracy, [new("empty")])));
    }

    [Fact]
    public void Agreement_comes_from_a_comparison()
    {
        Model model = SampleRun.Float();
        Model int8 = SampleRun.Int8(model);
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 6, 6, 2], FloatModel.Numbers(3, 144)));

        Comparison comparison = model.CompareTo(int8, data, ComparisonOptions.Default with { PerLayer = true });

        Assert.Equal(comparison.Layers.Select(l => (l.Name, l.MaxAbs, l.Sqnr)), LayerAgreement.Of(comparison).Select(a => (a.Layer, a.MaxDifference, a.Sqnr)));
        Assert.NotEmpty(comparison.Layers);
    }

    [Theory]
    [InlineData(CompressionMode.Qat, false, "QAT")]
    [InlineData(CompressionMode.Pcqat, true, "PCQAT, joint")]
    [InlineData(CompressionMode.Plain, false, "training")]
    public void A_stage_takes_over_what_a_run_was(CompressionMode mode, bool joint, string name)
    {
        CompressionStage run = new(mode, "because", joint, [], [new(1, 0.1, 2, 0.5, true)]);

        StageResult stage = new StageResult("x") { FloatScore = 1 }.After(run);

        Assert.Equal((name, "because", 1.0, 1), (stage.Mode, stage.ModeReason, stage.FloatScore, stage.Curve.Length));
    }

    [Theory]
    [InlineData(WeightGranularity.PerTensor)]
    [InlineData(WeightGranularity.PerChannel)]
    public void Real_values_of_codes_are_near_the_weights(WeightGranularity granularity)
    {
        Model model = SampleRun.Float(normalized: false);
        Model int8 = SampleRun.Int8(model, granularity);

        float[] before = [.. WeightTensor.Of(model.Module).SelectMany(w => w.Reals()!)];
        float[] after = [.. WeightTensor.Of(int8.Module).SelectMany(w => w.Reals()!)];

        Assert.Equal(before.Length, after.Length);
        Assert.All(before.Zip(after), p => Assert.InRange(p.Second - p.First, -0.51f / 127, 0.51f / 127));
    }
}
