using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Report;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class ModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-model-").FullName;

    [Fact]
    public void A_saved_model_is_read_back_with_the_same_bytes_and_results()
    {
        string path = Path.Combine(_folder, "m.tflite");
        Model model = Model.Of(TestModels.Scaled(2, "x", 3)).Save(path);

        Model again = Model.Load(path);

        Assert.Equal("m.tflite", again.Name);
        Assert.Equal(model.ToTfLite(), again.ToTfLite());
        Assert.Equal([2f, 4f, 6f], Assert.Single(again.Run(TensorData.FromFloats([1, 3], [1, 2, 3]))).AsFloats().ToArray());
    }

    [Fact]
    public void Saving_never_overwrites_unasked()
    {
        string path = Path.Combine(_folder, "m.tflite");
        Model first = Model.Of(TestModels.Scaled(2, "x", 3)).Save(path);
        Model second = Model.Of(TestModels.Scaled(3, "x", 3));

        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(() => second.Save(path)).Diagnostics);

        Assert.Equal(DiagnosticId.OutputExists, problem.Id);
        Assert.Equal(first.ToTfLite(), File.ReadAllBytes(path));
        Assert.Equal(second.ToTfLite(), File.ReadAllBytes(second.Save(path, overwrite: true) is null ? "" : path));
    }

    [Fact]
    public void A_missing_file_is_a_diagnostic()
    {
        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(() => Model.Load(Path.Combine(_folder, "no.tflite"))).Diagnostics);

        Assert.Equal(DiagnosticId.FileNotReadable, problem.Id);
        Assert.Equal("no such file", problem.Found);
    }

    [Fact]
    public void Real_numbers_are_put_on_the_grid_of_a_quantized_input()
    {
        TensorData result = Model.Of(TestModels.Dequantized(5)).Run(TensorData.FromFloats([5], [0.25f, -0.25f, 1, 100, -100]))[0];

        // Steps of 0.5, ties away from zero, codes -128 to 127 about zero point 3.
        Assert.Equal([0.5f, -0.5f, 1, 62, -65.5f], result.AsFloats().ToArray());
    }

    [Fact]
    public void Something_that_is_no_number_is_refused_at_a_quantized_input() =>
        Assert.Throws<DiagnosticException>(() => Model.Of(TestModels.Dequantized(1)).Run(TensorData.FromFloats([1], [float.NaN])));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Evaluation_counts_what_is_right_whatever_the_threads(int threads)
    {
        // The largest of three scores stands at i % 3; the label of every fifth sample is wrong.
        float[] x = [.. Enumerable.Range(0, 1000).SelectMany(i => Enumerable.Range(0, 3).Select(c => c == i % 3 ? 1f : 0f))];
        int[] y = [.. Enumerable.Range(0, 1000).Select(i => (i + (i % 5 == 0 ? 1 : 0)) % 3)];
        Dataset data = Dataset.Of(TensorData.FromFloats([1000, 3], x), TensorData.FromInts([1000], y));

        Evaluation score = Model.Of(TestModels.Scaled(2, "x", 3)).Evaluate(data, options: new() { Threads = threads });

        Assert.Equal(new Evaluation("accuracy", 0.8, 1000), score);
    }

    [Fact]
    public void A_label_out_of_range_names_its_sample()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 3], [1, 0, 0, 1, 0, 0]), TensorData.FromInts([2], [0, 3]));

        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(() => Model.Of(TestModels.Scaled(2, "x", 3)).Evaluate(data)).Diagnostics);

        Assert.Equal("sample 1", problem.At[^1]);
        Assert.Equal("0 to 2", problem.Expected);
    }

    [Fact]
    public void Scores_that_are_no_numbers_are_refused()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([1, 3], [1, float.NaN, 0]), TensorData.FromInts([1], [0]));

        Assert.Equal(
            DiagnosticId.RunFailed,
            Assert.Single(Assert.Throws<DiagnosticException>(() => Model.Of(TestModels.Scaled(2, "x", 3)).Evaluate(data)).Diagnostics).Id);
    }

    [Fact]
    public void Quantization_makes_a_new_model_and_reports()
    {
        Model model = Model.Of(TestModels.Scaled(2, "x", 3));
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 3], [1, 0, -1, 0.5f, 1, 0]));

        Model quantized = model.Quantize(QuantizationRecipe.StaticInt8, data);

        Assert.Null(model.Quantization);
        Assert.True(quantized.Quantization!.IsInteger);
        Assert.Equal(DType.I8, quantized.Inputs[0].Type.DType);
        Assert.Equal(DType.F32, model.Inputs[0].Type.DType);
    }

    [Fact]
    public void A_model_differs_from_its_quantized_form_by_a_step_at_most()
    {
        Model model = Model.Of(TestModels.Scaled(2, "x", 3));
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 3], [1, 0, -1, 0.5f, 1, 0]));
        Model quantized = model.Quantize(QuantizationRecipe.StaticInt8, data);

        Comparison difference = model.CompareTo(quantized, data);

        Assert.Equal(2, difference.Samples);
        Assert.InRange(difference.Outputs[0].MaxAbs, 0, 2 * quantized.Outputs[0].Type.Scale);
        Assert.True(model.CompareTo(model, data).BitExact);
    }

    [Fact]
    public void An_inspection_accounts_for_the_bytes_of_the_file()
    {
        Model model = Model.Of(TestModels.Scaled(2, "x", 3));

        Assert.Equal(model.ToTfLite().Length, model.Inspect().Size.Bytes);
    }

    [Fact]
    public void Cancelled_work_ends()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([1, 3], [1, 0, 0]), TensorData.FromInts([1], [0]));

        Assert.Throws<OperationCanceledException>(() =>
            Model.Of(TestModels.Scaled(2, "x", 3)).Evaluate(data, options: new() { Cancellation = new CancellationToken(canceled: true) }));
    }

    [Fact]
    public void Progress_counts_the_samples()
    {
        List<WorkProgress> seen = [];
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 3], [1, 0, -1, 0.5f, 1, 0]));

        Model.Of(TestModels.Scaled(2, "x", 3)).Quantize(QuantizationRecipe.StaticInt8, data, new() { Progress = new Listener(seen.Add) });

        Assert.Contains(new WorkProgress("calibrating", 2, 2), seen);
    }

    [Fact]
    public void Inputs_may_come_by_name_in_any_order()
    {
        using Execution execution = new(Model.Of(TestModels.Difference()));

        ImmutableArray<TensorData> result = execution.Run([("b", TensorData.FromFloats([1], [2])), ("a", TensorData.FromFloats([1], [5]))]);

        Assert.Equal(3, result[0].AsFloats()[0]);
        Assert.Equal(["a", "b"], execution.InputNames.AsEnumerable());
    }

    [Fact]
    public void An_unknown_signature_is_refused() =>
        Assert.Throws<DiagnosticException>(() => new Execution(Model.Of(TestModels.Difference()), "train"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed class Listener(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }
}
