using System.Text.Json;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Report;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library.Report;

/// <summary>How far models are apart.</summary>
public sealed class ComparisonTests
{
    private static readonly ComparisonOptions PerLayer = new() { PerLayer = true };

    [Fact]
    public void A_model_is_bit_exact_with_itself()
    {
        Module module = Network();

        Comparison comparison = Comparison.Of(module, module, FloatModel.Data(module), PerLayer);

        Assert.True(comparison.BitExact);
        Assert.Equal(16, comparison.Samples);
        Assert.Equal(["conv", "flat", "dense"], comparison.Layers.Select(l => l.Name));
        Assert.Empty(comparison.Unmatched);
        Assert.All(comparison.Outputs.Concat(comparison.Layers), e =>
        {
            Assert.Equal((0.0, 0.0, 0.0, double.PositiveInfinity, true), (e.MaxAbs, e.MeanAbs, e.Rmse, e.Sqnr, e.BitExact!.Value));
            Assert.Null(e.MaxCodeDifference);
        });
        Assert.Equal(100, comparison.Outputs[0].ArgMaxAgreement);
    }

    [Fact]
    public void Float_differences_are_those_of_plain_arithmetic()
    {
        // b = a + constant, element by element.
        Module a = Added(0, 0, 0, 0);
        Module b = Added(1, 0, -3, 0);
        CalibrationData data = Samples([[2, 1, 0, 0], [4, 0, 3, 5]]);

        DifferenceEntry entry = Assert.Single(Comparison.Of(a, b, data).Outputs);

        Assert.Equal(3, entry.MaxAbs);
        Assert.Equal(8.0 / 8, entry.MeanAbs);
        Assert.Equal(Math.Sqrt(20.0 / 8), entry.Rmse, 12);
        Assert.Equal(10 * Math.Log10(55.0 / 20), entry.Sqnr, 12);
        Assert.False(entry.BitExact);
        Assert.Equal(8, entry.Elements);

        // [3, 1, -3, 0] has its largest element where [2, 1, 0, 0] has it, [5, 0, 0, 5] has not where [4, 0, 3, 5] has.
        Assert.Equal(50, entry.ArgMaxAgreement);
    }

    [Fact]
    public void Codes_are_compared_where_types_are_equal()
    {
        Module a = Quantized(0.5f, 0);
        CalibrationData data = Samples([[1, 2, 3, 4]]);

        DifferenceEntry same = Comparison.Of(a, Quantized(0.5f, 0, shift: 1), data).Outputs[0];
        DifferenceEntry other = Comparison.Of(a, Quantized(0.25f, 0), data).Outputs[0];

        Assert.Equal((false, 2L, 1.0), (same.BitExact!.Value, same.MaxCodeDifference!.Value, same.MaxAbs));
        Assert.Null(other.BitExact);
        Assert.Null(other.MaxCodeDifference);
        Assert.Equal(0, other.MaxAbs);
        Assert.Equal(double.PositiveInfinity, other.Sqnr);
    }

    [Fact]
    public void Quantization_is_compared_layer_by_layer()
    {
        Module module = Network();
        Module quantized = FloatModel.Quantize(module).Module;

        Comparison comparison = Comparison.Of(module, quantized, FloatModel.Data(module), PerLayer);

        Assert.False(comparison.BitExact);
        Assert.Equal(["conv", "flat", "dense"], comparison.Layers.Select(l => l.Name));
        Assert.All(comparison.Layers, l => Assert.InRange(l.Sqnr, 20, 60));
        Assert.All(comparison.Layers, l => Assert.Equal(("f32", "i8"), (l.TypeA, l.TypeB)));
        Assert.Equal(comparison.Outputs[0].Sqnr, comparison.Layers[^1].Sqnr);
    }

    [Fact]
    public void The_number_of_threads_changes_nothing()
    {
        Module module = Network();
        Module quantized = FloatModel.Quantize(module).Module;
        CalibrationData data = FloatModel.Data(module, count: 23);

        string one = ReportJson.Of(Comparison.Of(module, quantized, data, PerLayer));
        string three = ReportJson.Of(Comparison.Of(module, quantized, data, PerLayer, new() { Threads = 3 }));

        Assert.Equal(one, three);
    }

    [Fact]
    public void Layers_without_a_partner_are_listed()
    {
        FloatModel left = new();
        Module a = left.Output(left.Add("y", new Relu(), left.Add("only here", new Abs(), left.Input("x", 1, 4)))).Build();
        FloatModel right = new();
        Module b = right.Output(right.Add("y", new Relu(), right.Add("only there", new Neg(), right.Input("x", 1, 4)))).Build();

        Comparison comparison = Comparison.Of(a, b, Samples([[1, -2, 3, 4]]), PerLayer);

        Assert.Equal(["y"], comparison.Layers.Select(l => l.Name));
        Assert.Equal([("b", "only there", "neg"), ("a", "only here", "abs")], comparison.Unmatched.Select(u => (u.Model, u.Name, u.Op)));
    }

    [Fact]
    public void Values_of_one_name_are_matched_in_order_or_not_at_all()
    {
        FloatModel twice = new();
        Module a = twice.Output(twice.Add("", new Relu(), twice.Add("", new Abs(), twice.Input("x", 1, 4)))).Build();
        FloatModel once = new();
        Module b = once.Output(once.Add("", new Relu(), once.Input("x", 1, 4))).Build();

        Comparison same = Comparison.Of(a, a, Samples([[1, -2, 3, 4]]), PerLayer);
        Comparison other = Comparison.Of(a, b, Samples([[1, -2, 3, 4]]), PerLayer);

        Assert.Equal(["abs", "relu"], same.Layers.Select(l => l.Op));
        Assert.Empty(other.Layers);
        Assert.All(other.Unmatched, u => Assert.Equal("the name is not unique", u.Reason));
        Assert.Equal(["b", "a", "a"], other.Unmatched.Select(u => u.Model));
    }

    [Fact]
    public void Outputs_with_new_names_are_layers_too()
    {
        FloatModel left = new();
        Module a = left.Output(left.Add("y", new Relu(), left.Add("inner", new Abs(), left.Input("x", 1, 4)))).Build();
        FloatModel right = new();
        Module b = right.Output(right.Add("y_int8", new Relu(), right.Add("inner", new Abs(), right.Input("x", 1, 4)))).Build();

        Comparison comparison = Comparison.Of(a, b, Samples([[1, -2, 3, 4]]), PerLayer);

        Assert.Equal(["inner", "y_int8"], comparison.Layers.Select(l => l.Name));
        Assert.Empty(comparison.Unmatched);
    }

    [Fact]
    public void Outputs_must_correspond()
    {
        FloatModel model = new();
        Module wide = model.Output(model.Add("y", new Relu(), model.Input("x", 1, 5))).Build();

        DiagnosticException refusal = Assert.Throws<DiagnosticException>(() => Comparison.Of(Added(0, 0, 0, 0), wide, Samples([[1, 2, 3, 4]])));

        Assert.Equal(DiagnosticId.DataMismatch, refusal.Diagnostics[0].Id);
    }

    [Fact]
    public void Needs_a_sample()
    {
        Module module = Added(0, 0, 0, 0);

        DiagnosticException refusal = Assert.Throws<DiagnosticException>(() => Comparison.Of(module, module, Samples([])));

        Assert.Equal(DiagnosticId.DataMismatch, refusal.Diagnostics[0].Id);
    }

    [Fact]
    public void Can_be_cancelled_and_tells_where_it_is()
    {
        Module module = Added(0, 0, 0, 0);
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        List<string> told = [];

        Assert.Throws<OperationCanceledException>(() => Comparison.Of(
            module, module, Samples([[1, 2, 3, 4]]), options: new() { Cancellation = cancelled.Token }));
        Comparison.Of(module, module, FloatModel.Data(module, count: 6), options: new() { Progress = new Listener(p => told.Add(p.ToString())) });

        Assert.Equal(["comparing: 4 of 6", "comparing: 6 of 6"], told);
    }

    [SharedFact]
    public void Rounding_profiles_differ_by_small_codes_on_a_real_model()
    {
        string name = Path.Combine("models", "kws_ref_model", "kws_ref_model.tflite");
        Module module = FrontendSet.Read(ModelFiles.Load(name), name);
        TensorType input = module.Main.Inputs[0].Type;
        CalibrationData data = new([.. Enumerable.Range(0, 8).Select(i => CalibrationSample.Of(i, Noise(input, i)))]);

        Comparison comparison = Comparison.Of(module, module, data, PerLayer with { RoundingB = RoundingProfile.Xnnpack });

        Assert.Equal(("tflm", "xnnpack"), (comparison.RoundingA, comparison.RoundingB));
        Assert.Equal(module.Main.Nodes.Count, comparison.Layers.Length);
        Assert.Contains(comparison.Layers, l => l.BitExact == false);

        // The roundings of one layer are at most one step apart; later layers see other inputs.
        Assert.InRange(comparison.Layers.First(l => l.Op == "conv_2d").MaxCodeDifference!.Value, 0, 1);
        Assert.All(comparison.Layers, l => Assert.True(l.BitExact!.Value ? l.MaxCodeDifference == 0 : l.MaxCodeDifference > 0, l.Name));
    }

    [SharedTheory]
    [MemberData(nameof(InspectionTests.Models), MemberType = typeof(InspectionTests))]
    public void Every_layer_of_a_real_model_is_bit_exact_with_itself(string name)
    {
        Module module = FrontendSet.Read(ModelFiles.Load(name), name);
        if (module.Main.Nodes.Any(n => n.Op is OpaqueTfLite))
        {
            Assert.Throws<DiagnosticException>(() => Comparison.Of(module, module, Samples([[1]])));
            return;
        }

        CalibrationData data = new([CalibrationSample.Of(0, [.. module.Main.Inputs.Select((v, i) => Noise(v.Type, i))])]);

        Comparison comparison = Comparison.Of(module, module, data, PerLayer);

        Assert.True(comparison.BitExact);
        Assert.All(comparison.Layers, l => Assert.True(l.BitExact, l.Name));
        Assert.Equal(module.Main.Nodes.SelectMany(n => n.Outputs).Count(v => v.Type.DType is not DType.Resource), comparison.Layers.Length);
    }

    [Fact]
    public void Text_and_json_have_the_same_names()
    {
        Module module = Network();
        Comparison comparison = Comparison.Of(module, FloatModel.Quantize(module).Module, FloatModel.Data(module), PerLayer);
        using JsonDocument json = JsonDocument.Parse(ReportJson.Of(comparison));

        foreach (string list in (string[])["outputs", "layers"])
        {
            HashSet<string> keys = [.. json.RootElement.GetProperty(list)[0].EnumerateObject().Select(p => p.Name)];
            Assert.Empty(ComparisonText.Of(comparison).Tables.Single(t => t.Name == list).Columns.Select(c => c.Name).Except(keys));
        }
    }

    [Fact]
    public void Numbers_that_json_lacks_are_strings()
    {
        Module module = Added(0, 0, 0, 0);

        using JsonDocument json = JsonDocument.Parse(ReportJson.Of(Comparison.Of(module, module, Samples([[1, 2, 3, 4]]))));

        Assert.Equal("Infinity", json.RootElement.GetProperty("outputs")[0].GetProperty("sqnr").GetString());
    }

    [Fact]
    public void A_number_against_nan_is_nan_and_equal_infinities_are_equal()
    {
        CalibrationData data = Samples([[float.PositiveInfinity, 1, 2, float.NaN]]);

        DifferenceEntry same = Comparison.Of(Added(0, 0, 0, 0), Added(0, 0, 0, 0), data).Outputs[0];
        DifferenceEntry other = Comparison.Of(Added(0, 0, 0, 0), Added(0, float.NaN, 0, 0), data).Outputs[0];

        Assert.Equal((0.0, double.PositiveInfinity), (same.MaxAbs, same.Sqnr));
        Assert.True(double.IsNaN(other.MaxAbs) && double.IsNaN(other.MeanAbs) && double.IsNaN(other.Sqnr));
    }

    private static Module Network()
    {
        FloatModel model = new();
        Value x = model.Input("image", 1, 4, 4, 2);
        Value y = model.Conv("conv", x, seed: 1, inputs: 2, outputs: 4);
        y = model.Add("flat", new Reshape([1, 64]), y, FloatModel.Ints("shape", 1, 64));
        return model.Output(model.Dense("dense", y, seed: 3, inputs: 64, outputs: 3)).Build();
    }

    private static Module Added(params ReadOnlySpan<float> constant)
    {
        FloatModel model = new();
        return model.Output(model.Add("y", new Add(FusedActivation.None), model.Input("x", 1, 4), FloatModel.Constant("c", [4], constant))).Build();
    }

    /// <summary>Real input that is put on a grid; some codes are moved by two.</summary>
    private static Module Quantized(float scale, int zeroPoint, float shift = 0)
    {
        FloatModel model = new();
        Value x = model.Add("sum", new Add(FusedActivation.None), model.Input("x", 1, 4), FloatModel.Constant("c", [4], 0, shift, 0, 0));
        return model.Output(model.AddTyped("y", new Quantize(), x, new(DType.I8, [1, 4], new QuantParams(scale, zeroPoint)))).Build();
    }

    private static CalibrationData Samples(float[][] rows) =>
        new([.. rows.Select((r, i) => CalibrationSample.Of(i, TensorData.FromFloats([1, r.Length], r)))]);

    private static TensorData Noise(TensorType type, int seed)
    {
        Shape shape = type.Shape.HasRank && type.Shape.Rank > 0 && type.Shape[0] < 0 ? type.Shape.With(0, 1) : type.Shape;
        if (type.DType is DType.F32)
        {
            return TensorData.FromFloats(shape, FloatModel.Numbers(seed, (int)shape.ElementCount));
        }

        byte[] bytes = new byte[type.DType.ByteCount(shape.ElementCount)];
        new Random(seed).NextBytes(bytes);
        return new(type.DType, shape, bytes);
    }

    private sealed class Listener(Action<Optc.Passes.WorkProgress> told) : IProgress<Optc.Passes.WorkProgress>
    {
        public void Report(Optc.Passes.WorkProgress value) => told(value);
    }
}
