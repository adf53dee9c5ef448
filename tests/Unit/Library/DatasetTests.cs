using System.Collections.Immutable;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class DatasetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-data-").FullName;

    [Theory]
    [InlineData(NpzCompression.Stored)]
    [InlineData(NpzCompression.Deflated)]
    public void An_archive_streams_the_rows_that_it_holds(NpzCompression compression)
    {
        float[] x = [.. Enumerable.Range(0, 150 * 3).Select(i => (float)i)];
        int[] y = [.. Enumerable.Range(0, 150)];
        string path = Write("d.npz", NpzFile.Write(compression, ("x", NpyArray.Of<float>(x, 150, 3)), ("y", NpyArray.Of<int>(y, 150))));

        Dataset data = Dataset.Load(path);

        Assert.Equal(150, data.Count);
        Assert.Equal("x", Assert.Single(data.Columns).Name);
        Assert.Equal(x, data.Columns[0].Rows().SelectMany(r => r.AsFloats().ToArray()));
        Assert.Equal(y, data.Labels!.Rows().Select(r => r.Span<int>()[0]));
    }

    [Fact]
    public void Other_names_are_found_when_they_are_given()
    {
        string path = Write("d.npz", NpzFile.Write(
            NpzCompression.Stored, ("train", NpyArray.Of<float>([1, 2], 2)), ("test", NpyArray.Of<float>([3, 4], 2)), ("label", NpyArray.Of<byte>([0, 1], 2))));

        Dataset data = Dataset.Load(path, new() { X = "test", Y = "label" });

        Assert.Equal([3f, 4f], data.Columns[0].Rows().Select(r => r.AsFloats()[0]));
        Assert.Equal(DType.U8, data.Labels!.DType);
    }

    [Fact]
    public void An_archive_without_the_array_asked_for_is_refused_with_the_names_that_it_has()
    {
        string path = Write("d.npz", NpzFile.Write(NpzCompression.Stored, ("train", NpyArray.Of<float>([1, 2], 2))));

        Diagnostic problem = Refusal(() => Dataset.Load(path, new() { X = "x" }));

        Assert.Equal(DiagnosticId.DataMismatch, problem.Id);
        Assert.Equal("'train'", problem.Found);
        Assert.Equal("'x'", problem.Expected);
    }

    [Fact]
    public void Arrays_of_different_lengths_are_refused()
    {
        string path = Write("d.npz", NpzFile.Write(NpzCompression.Stored, ("x", NpyArray.Of<float>([1, 2], 2)), ("y", NpyArray.Of<int>([1, 2, 3], 3))));

        Assert.Equal("2 in 'x', 3 in 'y'", Refusal(() => Dataset.Load(path)).Found);
    }

    [Fact]
    public void A_folder_gives_one_sample_for_each_file_in_order_of_names()
    {
        Write("b.npy", NpyFile.Write(NpyArray.Of<float>([3, 4], 2)));
        Write("a.npy", NpyFile.Write(NpyArray.Of<float>([1, 2], 2)));
        Write("readme.txt", []);

        Dataset data = Dataset.Load(_folder);

        Assert.Equal(2, data.Count);
        Assert.Equal([1f, 2f, 3f, 4f], data.Columns[0].Rows().SelectMany(r => r.AsFloats().ToArray()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(99)]
    public void Drawn_samples_are_distinct_in_order_and_the_same_for_a_seed(int seed)
    {
        const int count = 200;
        int[] numbers = [.. Enumerable.Range(0, count)];
        Dataset data = Dataset.Of(TensorData.FromFloats([count, 1], [.. numbers.Select(n => (float)n)]), TensorData.FromInts([count], numbers));

        Dataset drawn = data.Sample(30, (ulong)seed);

        int[] labels = [.. drawn.Labels!.Rows().Select(r => r.Span<int>()[0])];
        Assert.Equal(30, drawn.Count);
        Assert.Equal(labels.Distinct().Order(), labels);
        Assert.Equal(30, labels.Length);
        Assert.Equal(labels, drawn.Columns[0].Rows().Select(r => (int)r.AsFloats()[0]));
        Assert.Equal(labels, data.Sample(30, (ulong)seed).Labels!.Rows().Select(r => r.Span<int>()[0]));
        Assert.NotEqual(labels, data.Sample(30, (ulong)seed + 1).Labels!.Rows().Select(r => r.Span<int>()[0]));

        // Of 30 out of 200 some are beyond the first 30, or the set was only cut off.
        Assert.Contains(labels, l => l >= 100);
        Assert.Equal(count, data.Sample(1000, (ulong)seed).Count);
    }

    [Fact]
    public void Slices_keep_inputs_and_labels_together()
    {
        Dataset data = Dataset.Of(
            TensorData.FromFloats([4, 1], [10, 11, 12, 13]), TensorData.FromInts([4], [0, 1, 2, 3])).Slice(1, 3).Take(2);

        Assert.Equal(2, data.Count);
        Assert.Equal([11f, 12f], data.Columns[0].Rows().Select(r => r.AsFloats()[0]));
        Assert.Equal([1, 2], data.Labels!.Rows().Select(r => r.Span<int>()[0]));
    }

    [Fact]
    public void A_sequence_becomes_one_step_for_each_slice_of_time()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([2, 3, 1], [1, 2, 3, 4, 5, 6]), options: new() { Sequence = true });

        ImmutableArray<CalibrationSample> samples = [.. data.For(TestModels.Scaled(1, "x", 1)).Samples()];

        Assert.Equal([3, 3], samples.Select(s => s.Steps.Length));
        Assert.Equal([4f, 5f, 6f], samples[1].Steps.Select(s => s[0].Data.AsFloats()[0]));
    }

    [Fact]
    public void Columns_go_to_the_inputs_of_their_names_whatever_their_order()
    {
        Dataset data = Dataset.Of([("b", TensorData.FromFloats([1, 1], [2])), ("a", TensorData.FromFloats([1, 1], [5]))]);

        Assert.Equal(["b", "a"], data.For(TestModels.Difference()).Samples().Single().Steps[0].Select(t => t.Name));
    }

    [Fact]
    public void Another_number_of_arrays_than_inputs_is_refused()
    {
        Dataset data = Dataset.Of(TensorData.FromFloats([1, 1], [2]));

        Assert.Contains("another number of arrays", Refusal(() => data.For(TestModels.Difference())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gone.npz")]
    [InlineData("gone.npy")]
    [InlineData("gone.wav")]
    public void A_file_that_is_not_there_is_named(string name)
    {
        Diagnostic problem = Refusal(() => Dataset.Load(Path.Combine(_folder, name)));

        Assert.Equal(DiagnosticId.FileNotReadable, problem.Id);
        Assert.EndsWith(name, problem.At[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_a_diagnostic_with_its_name()
    {
        string path = Write("d.npy", NpyFile.Write(NpyArray.Of<float>([1, 2], 2))[..^3]);

        Diagnostic problem = Refusal(() => Dataset.Load(path));

        Assert.Equal(DiagnosticId.MalformedFile, problem.Id);
        Assert.Equal(path, problem.At[0]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Diagnostic Refusal(Func<object> action) => Assert.Single(Assert.Throws<DiagnosticException>(action).Diagnostics);

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
