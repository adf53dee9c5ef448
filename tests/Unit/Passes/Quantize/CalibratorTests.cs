using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Quantize;

public sealed class CalibratorTests
{
    [Fact]
    public void Sees_inputs_and_results_of_every_layer()
    {
        (Module module, _) = SumModel();

        IReadOnlyDictionary<Value, ValueStatistics> seen = Run(module, Sample(0, [1, -2], [3, 4]), Sample(1, [0, 5], [1, 1]));

        Assert.Equal((-2, 5), Extremes(seen, "a"));
        Assert.Equal((1, 4), Extremes(seen, "b"));
        Assert.Equal((1, 6), Extremes(seen, "sum"));
    }

    [Fact]
    public void Inputs_may_be_named_by_signature_or_graph_in_any_order()
    {
        (Module module, _) = SumModel();
        TensorData one = TensorData.FromFloats([1, 2], [1, 1]);
        TensorData two = TensorData.FromFloats([2], [2, 2]);

        IReadOnlyDictionary<Value, ValueStatistics> seen = Run(module, new CalibrationSample(0, [[new("the b", two), new("a", one)]]));

        Assert.Equal((1, 1), Extremes(seen, "a"));
        Assert.Equal((2, 2), Extremes(seen, "b"));
    }

    [Fact]
    public void Integers_become_floats_for_a_float_input()
    {
        (Module module, _) = SumModel();

        IReadOnlyDictionary<Value, ValueStatistics> seen = Run(module, CalibrationSample.Of(
            0, TensorData.From<byte>(DType.U8, [1, 2], [0, 255]), TensorData.From<Half>(DType.F16, [1, 2], [(Half)0.5, (Half)1])));

        Assert.Equal((0, 255), Extremes(seen, "a"));
        Assert.Equal((0.5f, 1), Extremes(seen, "b"));
    }

    [Fact]
    public void Batches_are_the_same_as_single_samples()
    {
        (Module module, _) = SumModel();
        TensorData first = TensorData.FromFloats([3, 1, 2], [1, 2, 3, 4, 5, 6]);
        TensorData second = TensorData.FromFloats([3, 2], [10, 20, 30, 40, 50, 60]);

        IReadOnlyDictionary<Value, ValueStatistics> seen = Watch(module, RangeEstimator.MovingAverage(0.5))
            .Run(CalibrationData.FromBatches([[first, second]]));

        Assert.Equal([(0L, 11f, 22f), (1, 33, 44), (2, 55, 66)], Of(seen, "sum").Samples);
    }

    [Fact]
    public void An_input_that_is_not_finite_is_reported_with_its_sample()
    {
        (Module module, _) = SumModel();

        Diagnostic problem = Fails(module, Sample(0, [1, 2], [3, 4]), Sample(70, [float.NaN, 2], [0, 4]));

        Assert.Equal(["graph 'main'", "input 'a'", "calibration sample 70"], problem.At.ToArray());
    }

    [Fact]
    public void A_result_that_is_not_finite_is_reported_with_layer_and_sample()
    {
        FloatModel model = new();
        Module module = model.Output(model.Add("exp", new Exp(), model.Input("x", 1, 1))).Build();

        Diagnostic problem = Fails(module, [.. Enumerable.Range(88, 3).Select(i => CalibrationSample.Of(i, TensorData.FromFloats([1, 1], [i])))]);

        Assert.Equal(["graph 'main'", "exp 'exp'", "calibration sample 89"], problem.At.ToArray());
    }

    [Fact]
    public void The_earliest_failure_is_reported_whatever_the_number_of_threads()
    {
        (Module module, _) = SumModel();
        CalibrationSample[] samples = [.. Enumerable.Range(0, 200).Select(i => Sample(i, [i is 40 or 41 or 150 ? float.NaN : 1, 0], [0, 0]))];
        for (int threads = 1; threads <= 4; threads++)
        {
            Calibrator calibrator = Watch(module, RangeEstimator.MinMax, threads);

            DiagnosticException problem = Assert.Throws<DiagnosticException>(() => calibrator.Run(new CalibrationData(samples)));

            Assert.Equal("calibration sample 40", Assert.Single(problem.Diagnostics).At[^1]);
        }
    }

    [Fact]
    public void Data_that_do_not_fit_are_refused()
    {
        (Module module, _) = SumModel();
        TensorData pair = TensorData.FromFloats([1, 2], [1, 2]);
        CalibrationSample[] wrong =
        [
            CalibrationSample.Of(0, pair),
            CalibrationSample.Of(0, pair, pair, pair),
            CalibrationSample.Of(0, pair, TensorData.FromFloats([1, 3], [1, 2, 3])),
            CalibrationSample.Of(0, pair, TensorData.FromFloats([2, 1], [1, 2])),
            CalibrationSample.Of(0, pair, TensorData.From<byte>(DType.Bool, [1, 2], [1, 0])),
            new(0, [[new("a", pair), new("c", pair)]]),
        ];

        Assert.All(wrong, s => Assert.Equal(DiagnosticId.DataMismatch, Fails(module, s).Id));
        Assert.Equal(DiagnosticId.NoCalibrationData, Fails(module).Id);
    }

    [Fact]
    public void State_starts_anew_with_each_sample_and_lives_through_its_steps()
    {
        FloatModel model = new();
        Value state = GraphBuilder.Variable("state", new(DType.F32, [1, 2]));
        Value y = model.Add(
            "svdf",
            new Svdf(1, FusedActivation.None),
            model.Input("x", 1, 1),
            FloatModel.Constant("f", [1, 1], 1),
            FloatModel.Constant("t", [1, 2], 1, 1),
            null,
            state);
        Module module = model.Output(y).Build();
        TensorData Step(float value) => TensorData.FromFloats([1, 1], [value]);
        CalibrationSample sequence = new(0, [[new(null, Step(3))], [new(null, Step(4))]]);

        // Alone each step gives its own value; only within the sequence do two of them add up.
        Assert.Equal((3, 7), Extremes(Run(module, sequence), "svdf"));
        Assert.Equal((3, 4), Extremes(Run(module, CalibrationSample.Of(0, Step(3)), CalibrationSample.Of(1, Step(4))), "svdf"));
        Assert.Equal((0, 4), Extremes(Run(module, sequence), "state"));
    }

    [Fact]
    public void Values_that_were_computed_beforehand_are_seen_once()
    {
        FloatModel model = new();
        Value constant = model.Add("twice", new Abs(), FloatModel.Constant("c", [1, 2], -3, 2));
        Module module = model.Output(model.Add("y", new Add(), model.Input("x", 1, 2), constant)).Build();

        IReadOnlyDictionary<Value, ValueStatistics> seen = Watch(module, RangeEstimator.Entropy, threads: 2).Run(
            new CalibrationData(Enumerable.Range(0, 9).Select(i => CalibrationSample.Of(i, TensorData.FromFloats([1, 2], [i, i]))).ToArray()));

        Assert.Equal((2, 3), Extremes(seen, "twice"));
        Assert.Equal(2, Of(seen, "twice").Histogram!.Total);
        Assert.Equal(18, Of(seen, "y").Histogram!.Total);
    }

    private static (Module Module, Value Sum) SumModel()
    {
        FloatModel model = new();
        Value sum = model.Add("sum", new Add(), model.Input("a", 1, 2), model.Input("b", 1, 2));
        return (model.Output(sum).Build(), sum);
    }

    private static CalibrationSample Sample(long index, float[] a, float[] b) =>
        CalibrationSample.Of(index, TensorData.FromFloats([1, 2], a), TensorData.FromFloats([1, 2], b));

    private static Calibrator Watch(Module module, RangeEstimator estimator, int threads = 1)
    {
        IEnumerable<Value> values = module.Main.Values().Where(v => v is { Constant: null, Type.DType: DType.F32 });
        return new(module, values.ToImmutableDictionary(v => v, _ => estimator)) { Threads = threads };
    }

    private static IReadOnlyDictionary<Value, ValueStatistics> Run(Module module, params CalibrationSample[] samples) =>
        Watch(module, RangeEstimator.MinMax).Run(new CalibrationData(samples));

    private static Diagnostic Fails(Module module, params CalibrationSample[] samples) =>
        Assert.Single(Assert.Throws<DiagnosticException>(() => Run(module, samples)).Diagnostics);

    private static ValueStatistics Of(IReadOnlyDictionary<Value, ValueStatistics> seen, string name) => seen.Single(s => s.Key.Name == name).Value;

    private static (float Low, float High) Extremes(IReadOnlyDictionary<Value, ValueStatistics> seen, string name) =>
        (Of(seen, name).Low, Of(seen, name).High);
}
