using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

public sealed class TrainingDataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-training-").FullName;

    [Fact]
    public void A_folder_for_each_class_gives_labels_and_names_in_ordinal_order()
    {
        Write("yes/b.npy", NpyArray.Of<float>([3], 1));
        Write("yes/a.npy", NpyArray.Of<float>([2], 1));
        Write("Zebra/a.npy", NpyArray.Of<float>([1], 1));
        Write(".cache/a.npy", NpyArray.Of<float>([9], 1));

        Dataset data = Dataset.Load(_folder);

        Assert.Equal(["Zebra", "yes"], data.ClassNames.ToArray());
        Assert.Equal([1f, 2f, 3f], data.Columns[0].Rows().Select(r => r.AsFloats()[0]));
        Assert.Equal([0, 1, 1], data.Labels!.Rows().Select(r => r.Span<int>()[0]));
        Assert.Equal(["Zebra", "yes"], data.Slice(1, 2).ClassNames.ToArray());
    }

    [Fact]
    public void Every_empty_class_folder_is_named()
    {
        Write("yes/a.npy", NpyArray.Of<float>([2], 1));
        Directory.CreateDirectory(Path.Combine(_folder, "no"));
        Directory.CreateDirectory(Path.Combine(_folder, "maybe"));

        DiagnosticException refusal = Assert.Throws<DiagnosticException>(() => Dataset.Load(_folder));

        Assert.All(refusal.Diagnostics, d => Assert.Equal(DiagnosticId.UnusableData, d.Id));
        Assert.Equal(["maybe", "no"], refusal.Diagnostics.Select(d => Path.GetFileName(d.At[0])));
    }

    [Fact]
    public void Samples_beside_folders_of_classes_are_refused()
    {
        Write("yes/a.npy", NpyArray.Of<float>([2], 1));
        Write("stray.npy", NpyArray.Of<float>([2], 1));

        Assert.Equal("'stray.npy' beside 'yes'", Refusal(() => Dataset.Load(_folder)).Found);
    }

    [Fact]
    public void Files_are_read_one_by_one_when_they_do_not_fit_the_memory()
    {
        Write("a/1.npy", NpyArray.Of<float>([1, 2], 2));
        Write("b/1.npy", NpyArray.Of<float>([3, 4], 2));

        TrainingData data = TrainingData.Of(Dataset.Load(_folder), new() { MemoryLimit = 8 });

        float[] row = new float[2];
        data.ReadInput(0, 1, row);
        Assert.Equal([3f, 4f], row);
        Assert.Equal(1, data.ClassOf(1));
    }

    [Fact]
    public void An_array_that_does_not_fit_the_memory_is_refused()
    {
        Diagnostic problem = Refusal(() => TrainingData.Of(Labelled(4, 2), new() { MemoryLimit = 15 }));

        Assert.Equal(DiagnosticId.MemoryLimit, problem.Id);
        Assert.Equal("16 bytes", problem.Found);
    }

    [Fact]
    public void Bytes_are_read_as_numbers_and_integers_as_classes()
    {
        Dataset data = Dataset.Of(
            TensorData.From<byte>(DType.U8, [2, 2], [0, 255, 7, 8]), TensorData.From<byte>(DType.U8, [2, 1], [1, 0]));

        TrainingData training = TrainingData.Of(data);

        float[] row = new float[2];
        training.ReadInput(0, 0, row);
        float[] target = new float[2];
        training.ReadTarget(0, target);
        Assert.Equal([0f, 255f], row);
        Assert.Equal([0f, 1f], target);
        Assert.Equal(TargetKind.Classes, training.Targets);
        Assert.Equal(2, training.ClassCount);
    }

    [Theory]
    [InlineData(-1, "-1")]
    [InlineData(3, "3")]
    public void A_label_out_of_range_is_named_with_its_sample(int label, string found)
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([4, 1], [0, 0, 0, 0]), TensorData.FromInts([4], [0, 1, label, 2]));

        Diagnostic problem = Refusal(() => TrainingData.Of(data, new() { Classes = 3 }));

        Assert.Equal(DiagnosticId.UnusableData, problem.Id);
        Assert.Equal("a label is out of range", problem.Message);
        Assert.Equal(["memory", "y", "sample 2"], problem.At.ToArray());
        Assert.Equal(found, problem.Found);
        Assert.Equal("0 to 2, the 3 classes of the model", problem.Expected);
        Assert.NotNull(problem.Hint);
    }

    [Theory]
    [InlineData(float.NaN, "NaN at element 1, the first of 2")]
    [InlineData(float.NegativeInfinity, "-Infinity at element 1, the first of 2")]
    public void Numbers_that_are_not_finite_are_named_with_their_sample(float odd, string found)
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([3, 2], [1, 2, 3, odd, odd, 6]), TensorData.FromInts([3], [0, 1, 1]));

        Diagnostic problem = Refusal(() => TrainingData.Of(data));

        Assert.Equal("a sample is no finite number", problem.Message);
        Assert.Equal(["memory", "x", "sample 1"], problem.At.ToArray());
        Assert.Equal(found, problem.Found);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 2], [1, 2, float.NaN, 4]), TensorData.FromInts([2], [0, 5]));

        DiagnosticException refusal = Assert.Throws<DiagnosticException>(
            () => TrainingData.Of(data, new() { Classes = 2, InputShapes = [[3]] }));

        Assert.Equal(
            ["a sample is no finite number", "samples have another shape than the input of the model", "a label is out of range"],
            refusal.Diagnostics.Select(d => d.Message));
    }

    [Fact]
    public void Samples_of_different_shapes_are_refused_with_the_file()
    {
        Write("a/1.npy", NpyArray.Of<float>([1, 2], 2));
        Write("b/1.npy", NpyArray.Of<float>([3], 1));

        Diagnostic problem = Refusal(() => TrainingData.Of(Dataset.Load(_folder)));

        Assert.Equal(DiagnosticId.DataMismatch, problem.Id);
        Assert.Contains("sample 1 (", problem.At[^1], StringComparison.Ordinal);
        Assert.Equal("f32[1]", problem.Found);
        Assert.Equal("f32[2], as sample 0 has", problem.Expected);
    }

    [Fact]
    public void A_class_without_samples_is_refused_unless_allowed()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 1], [1, 2]), TensorData.FromInts([2], [0, 3]));

        Diagnostic problem = Refusal(() => TrainingData.Of(data, new() { Classes = 4 }));

        Assert.Equal("none of class 1, 2", problem.Found);
        Assert.Equal(4, TrainingData.Of(data, new() { Classes = 4, AllowEmptyClasses = true }).ClassCount);
    }

    [Fact]
    public void No_samples_are_refused() =>
        Assert.Equal("there are no samples", Refusal(() => TrainingData.Of(Dataset.Of(TensorData.FromFloats([0, 2], [])))).Message);

    [Fact]
    public void Labels_that_are_missing_or_fractional_are_refused_when_classes_are_wanted()
    {
        TrainingDataOptions classes = new() { Targets = TargetKind.Classes };
        TensorData x = TensorData.FromFloats([2, 1], [1, 2]);

        Assert.Equal("the data have no labels", Refusal(() => TrainingData.Of(Dataset.Of(x), classes)).Message);
        Assert.Equal("1.5", Refusal(() => TrainingData.Of(Dataset.Of(x, TensorData.FromFloats([2], [0, 1.5f])), classes)).Found);
        Assert.Equal(2, TrainingData.Of(Dataset.Of(x, TensorData.FromFloats([2], [0, 1])), classes).ClassCount);
        Assert.Equal(TargetKind.Values, TrainingData.Of(Dataset.Of(x, TensorData.FromFloats([2], [0, 1]))).Targets);
        Assert.Equal(TargetKind.None, TrainingData.Of(Dataset.Of(x)).Targets);
    }

    [Fact]
    public void Dimensions_of_one_need_not_agree()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 2, 3], new float[12]));

        Assert.Equal([[1, 2, 3, 1]], TrainingData.Of(data, new() { InputShapes = [[1, 2, 3, 1]] }).InputShapes.ToArray());
    }

    [Fact]
    public void Samples_of_other_sizes_are_put_in_the_middle_when_that_is_asked_for()
    {
        Write("a/1.npy", NpyArray.Of<short>([1, 2, 3], 3));
        Write("a/2.npy", NpyArray.Of<short>([1, 2, 3, 4, 5, 6, 7], 7));
        Write("b/3.npy", NpyArray.Of<short>([1, 2, 3, 4], 4));

        TrainingData data = TrainingData.Of(Dataset.Load(_folder), new() { InputShapes = [[4]], FitSize = true });

        float[][] expected = [[1, 2, 3, 0], [2, 3, 4, 5], [1, 2, 3, 4]];
        Assert.Equal(expected, Enumerable.Range(0, 3).Select(i => Row(data, i, 4)));

        // The first file promises 18 bytes, all take 28.
        TrainingData streamed = TrainingData.Of(Dataset.Load(_folder), new() { InputShapes = [[4]], FitSize = true, MemoryLimit = 20 });
        Assert.Equal(expected, Enumerable.Range(0, 3).Select(i => Row(streamed, i, 4)));
    }

    [Fact]
    public void Pictures_keep_their_rows_when_they_are_padded_or_cut()
    {
        Dataset data = Dataset.Of(TensorData.From<byte>(DType.U8, [1, 2, 2], [1, 2, 3, 4]));

        Assert.Equal([0f, 1, 2, 0, 0, 3, 4, 0], Row(TrainingData.Of(data, new() { InputShapes = [[2, 4, 1]], FitSize = true }), 0, 8));
        Assert.Equal([1f, 0, 0, 3, 0, 0], Row(TrainingData.Of(Dataset.Of(TensorData.FromFloats([1, 2, 2], [1, 0, 3, 0])), new() { InputShapes = [[2, 3]], FitSize = true }), 0, 6));
        Assert.Equal([1f, 3], Row(TrainingData.Of(data, new() { InputShapes = [[2, 1, 1]], FitSize = true }), 0, 2));
    }

    [Fact]
    public void Channels_are_not_fitted()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([1, 2, 2, 1], [1, 2, 3, 4]));

        Diagnostic problem = Refusal(() => TrainingData.Of(data, new() { InputShapes = [[4, 4, 3]], FitSize = true }));

        Assert.Equal("f32[2, 2, 1]", problem.Found);
        Assert.Equal("only sizes can be fitted", problem.Hint);
    }

    [Theory]
    [InlineData(0.25, 1)]
    [InlineData(0.1, 2)]
    [InlineData(0.5, 3)]
    public void A_split_has_the_same_part_of_each_class(double fraction, ulong seed)
    {
        // Classes of 40, 20, 10 and 1.
        int[] labels = [.. Enumerable.Range(0, 71).Select(i => i < 40 ? 0 : i < 60 ? 1 : i < 70 ? 2 : 3)];
        TrainingData data = TrainingData.Of(Dataset.Of(TensorData.FromFloats([71, 1], new float[71]), TensorData.FromInts([71], labels)));

        (TrainingData train, TrainingData validation) = data.Split(fraction, seed);

        Assert.Equal(Enumerable.Range(0, 71), train.Samples.ToArray().Concat(validation.Samples.ToArray()).Order());
        Assert.Equal(Math.Round(fraction * 71, MidpointRounding.AwayFromZero), validation.Count);
        int[] parts = [.. Enumerable.Range(0, 4).Select(c => validation.Samples.ToArray().Count(s => labels[s] == c))];
        Assert.InRange(parts[0], fraction * 40 - 1, fraction * 40 + 1);
        Assert.InRange(parts[1], fraction * 20 - 1, fraction * 20 + 1);
        Assert.InRange(parts[2], fraction * 10 - 1, fraction * 10 + 1);
        Assert.Equal(0, parts[3]);
        Assert.Equal(validation.Samples.ToArray(), data.Split(fraction, seed).Validation.Samples.ToArray());
        Assert.NotEqual(validation.Samples.ToArray(), data.Split(fraction, seed + 10).Validation.Samples.ToArray());
    }

    [Fact]
    public void One_sample_of_each_class_cannot_be_split() =>
        Assert.Equal("2 samples in 2 classes", Refusal(() => TrainingData.Of(Labelled(2, 2)).Split(0.5, 1)).Found);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Samples [1] whose only element is their number, of classes that take turns.</summary>
    internal static Dataset Labelled(int count, int classes) => Dataset.Of(
        TensorData.FromFloats([count, 1], [.. Enumerable.Range(0, count).Select(i => (float)i)]),
        TensorData.FromInts([count], [.. Enumerable.Range(0, count).Select(i => i % classes)]));

    private static Diagnostic Refusal(Action action) => Assert.Single(Assert.Throws<DiagnosticException>(action).Diagnostics);

    private static float[] Row(TrainingData data, int sample, int length)
    {
        float[] row = new float[length];
        data.ReadInput(0, sample, row);
        return row;
    }

    private void Write(string name, NpyArray array)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, NpyFile.Write(array));
    }
}
