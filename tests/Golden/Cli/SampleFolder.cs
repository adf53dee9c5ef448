using System.Collections.Immutable;
using System.Text;
using Optc.Formats.Npy;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Golden.Cli;

/// <summary>The files that a transcript finds in its folder: small models, data that fit them, and files that are wrong.</summary>
/// <remarks>Every number is made here by whole-number formulas, so that the files are the same on every machine.</remarks>
internal static class SampleFolder
{
    private const int Samples = 40;
    private const int Side = 8;
    private const int Channels = 4;
    private const int Classes = 3;
    private const int Steps = 5;

    private static readonly Lazy<ImmutableArray<(string Name, byte[] Content)>> Files = new(Make);

    /// <summary>Writes the files into a folder.</summary>
    public static void Fill(string folder)
    {
        foreach ((string name, byte[] content) in Files.Value)
        {
            File.WriteAllBytes(Path.Combine(folder, name), content);
        }

        Directory.CreateDirectory(Path.Combine(folder, "folder"));
    }

    /// <summary>Files of a folder that <see cref="Fill"/> did not put there, with their paths in it.</summary>
    public static IEnumerable<string> Additions(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'))
        .Except(Files.Value.Select(f => f.Name))
        .Order(StringComparer.Ordinal);

    private static ImmutableArray<(string Name, byte[] Content)> Make()
    {
        byte[] model = Model.Of(Classifier()).ToTfLite();
        float[] images = Wave(Samples * Side * Side, 17);
        float[] damaged = [.. images];
        damaged[70] = float.NaN;
        NpyArray x = NpyArray.Of<float>(images, Samples, Side, Side, 1);
        NpyArray labels = NpyArray.Of<int>(Labels(images), Samples);
        return
        [
            ("model.tflite", model),
            ("partial.tflite", Model.Of(Partial()).ToTfLite()),
            ("custom.tflite", WithCustomOperator(Model.Of(Partial()).ToTfLite())),
            ("two.tflite", Model.Of(TwoInputs()).ToTfLite()),
            ("wordy.tflite", Model.Of(Wordy()).ToTfLite()),
            ("stateful.tflite", Model.Of(Stateful()).ToTfLite()),
            ("samples.npz", NpzFile.Write(NpzCompression.Stored, ("x", x), ("y", labels))),
            ("named.npz", NpzFile.Write(NpzCompression.Stored, ("images", x), ("labels", labels))),
            ("nan.npz", NpzFile.Write(NpzCompression.Stored, ("x", NpyArray.Of<float>(damaged, Samples, Side, Side, 1)))),
            ("narrow.npz", NpzFile.Write(NpzCompression.Stored, ("x", NpyArray.Of<float>(images, Samples * 2, Side, Side / 2, 1)))),
            ("texts.npz", NpzFile.Write(NpzCompression.Stored, ("x", NpyArray.Of<bool>(new bool[Samples * Side * Side], Samples, Side, Side, 1)))),
            ("unequal.npz", NpzFile.Write(NpzCompression.Stored, ("x", x), ("y", NpyArray.Of<int>([0, 1, 2], 3)))),
            ("wild.npz", NpzFile.Write(NpzCompression.Stored, ("x", x), ("y", NpyArray.Of<int>([.. Enumerable.Repeat(7, Samples)], Samples)))),
            ("features.npz", NpzFile.Write(NpzCompression.Stored, ("x", NpyArray.Of<float>(Wave(Samples * 4, 5), Samples, 4)))),
            ("one.npy", NpyFile.Write(NpyArray.Of<float>(images.AsSpan(0, Side * Side), 1, Side, Side, 1))),
            ("left.npy", NpyFile.Write(NpyArray.Of<float>([1, 2, 3, 4], 1, 4))),
            ("right.npy", NpyFile.Write(NpyArray.Of<float>([10, 20, 30, 40], 1, 4))),
            ("frames.npy", NpyFile.Write(NpyArray.Of<float>([1, 0, 0, 0, 0], Steps, 1, 1))),
            ("empty.tflite", []),
            ("truncated.tflite", model[..(model.Length / 2)]),
            ("text.tflite", Encoding.ASCII.GetBytes("this is no model, although its name says so\n")),
            ("truncated.npz", NpzFile.Write(NpzCompression.Stored, ("x", x))[..500]),
            ("weights.npy", NpyFile.Write(NpyArray.Of<sbyte>([.. Weights(1000).Select(w => (sbyte)w)], 10, 100))),
            ("weights.bin", [.. Weights(1000).Select(w => (byte)w)]),
            ("wide.bin", [.. Weights(500).SelectMany(w => BitConverter.GetBytes((short)(2 * w)))]),
            ("beyond.bin", [.. new short[] { 0, -256 }.SelectMany(BitConverter.GetBytes)]),
            ("rules.yaml", Encoding.ASCII.GetBytes("- layer: ^dense$\n  keep-float: true\n  because: its inputs are outliers\n- layer: conv\n  weights: per-tensor\n")),
            ("wrong.yaml", Encoding.ASCII.GetBytes("- layer: ^dense$\n  keep-flaot: true\n")),
            ("broken.yaml", Encoding.ASCII.GetBytes("- layer: [\n")),
        ];
    }

    /// <summary>Integers from -127 to 127, of which half are 0 and small ones are frequent.</summary>
    private static IEnumerable<int> Weights(int count) => Enumerable.Range(0, count)
        .Select(i => (i * 7919) % 1009)
        .Select(i => i % 2 == 0 ? 0 : (i % 128 * (i % 31) / 30) * (i % 3 == 0 ? 1 : -1));

    /// <summary>A convolution, a dense layer and softmax: <c>x f32 [1, 8, 8, 1] -> y f32 [1, 3]</c>.</summary>
    private static Module Classifier()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, Side, Side, 1]));
        Value filters = GraphBuilder.Constant(TensorData.FromFloats([Channels, 3, 3, 1], Wave(Channels * 9, 3)), "conv/filters");
        Value bias = GraphBuilder.Constant(TensorData.FromFloats([Channels], [0.25f, -0.125f, 0, 0.5f]), "conv/bias");
        Value conv = builder.Add(new Conv2D(2, 2, PaddingMode.Same, FusedActivation.Relu), [x, filters, bias], "conv").Outputs[0];
        int size = Side / 2 * (Side / 2) * Channels;
        Value shape = GraphBuilder.Constant(TensorData.FromInts([2], [1, size]), "flat/shape");
        Value flat = builder.Add(new Reshape([1, size]), [conv, shape], "flat").Outputs[0];
        Value weights = GraphBuilder.Constant(TensorData.FromFloats([Classes, size], Wave(Classes * size, 29)), "dense/weights");
        Value offsets = GraphBuilder.Constant(TensorData.FromFloats([Classes], [0, 0.5f, -0.5f]), "dense/bias");
        Value dense = builder.Add(new FullyConnected(), [flat, weights, offsets], "dense").Outputs[0];
        Value y = builder.Add(new Softmax(), [dense], "y").Outputs[0];
        builder.Output(y);
        Graph graph = builder.Build();
        return GraphBuilder.Module([graph], [new("serving_default", graph, [("image", x)], [("scores", y)])], description: "a model for transcripts");
    }

    /// <summary>Two dense layers with a sine between, which cannot be quantized: <c>x f32 [1, 4] -> y f32 [1, 2]</c>.</summary>
    private static Module Partial()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 4]));
        Value first = GraphBuilder.Constant(TensorData.FromFloats([4, 4], Wave(16, 7)), "first/weights");
        Value hidden = builder.Add(new FullyConnected(), [x, first, null], "first").Outputs[0];
        Value wave = builder.Add(new Sin(), [hidden], "wave").Outputs[0];
        Value last = GraphBuilder.Constant(TensorData.FromFloats([2, 4], Wave(8, 11)), "last/weights");
        builder.Output(builder.Add(new FullyConnected(), [wave, last, null], "last").Outputs[0]);
        return GraphBuilder.Module([builder.Build()]);
    }

    /// <summary><c>y = 2 x</c> on f32 [1, 4], by a detour over reshapes and a constant that has to be computed.</summary>
    private static Module Wordy()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 4]));
        Value square = GraphBuilder.Constant(TensorData.FromInts([2], [2, 2]), "square");
        Value row = GraphBuilder.Constant(TensorData.FromInts([2], [1, 4]), "row");
        Value there = builder.Add(new Reshape([2, 2]), [x, square], "there").Outputs[0];
        Value back = builder.Add(new Reshape([1, 4]), [there, row], "back").Outputs[0];
        Value one = GraphBuilder.Constant(TensorData.FromFloats([1], [1]), "one");
        Value two = builder.Add(new Add(), [one, one], "two").Outputs[0];
        builder.Output(builder.Add(new Mul(), [back, two], "y").Outputs[0]);
        return GraphBuilder.Module([builder.Build()]);
    }

    /// <summary><c>difference = left - right</c>, each f32 [1, 4].</summary>
    private static Module TwoInputs()
    {
        GraphBuilder builder = new("main");
        Value left = builder.Input("left", new(DType.F32, [1, 4]));
        Value right = builder.Input("right", new(DType.F32, [1, 4]));
        builder.Output(builder.Add(new Sub(), [left, right], "difference").Outputs[0]);
        return GraphBuilder.Module([builder.Build()]);
    }

    /// <summary>A filter over time that gives the sum of the last three inputs, weighted 1, 2, 4 from the oldest on.</summary>
    private static Module Stateful()
    {
        const int memory = 3;
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 1]));
        Value feature = GraphBuilder.Constant(TensorData.FromFloats([1, 1], [1]), "feature");
        Value time = GraphBuilder.Constant(TensorData.FromFloats([1, memory], [1, 2, 4]), "time");
        Value state = GraphBuilder.Variable("state", new(DType.F32, [1, memory]));
        builder.Output(builder.Add(new Svdf(1, FusedActivation.None), [x, feature, time, null, state], "filtered").Outputs[0]);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static byte[] WithCustomOperator(byte[] file)
    {
        ModelRecord model = TfLiteFile.Read(file);
        return TfLiteFile.ToArray(model with
        {
            OperatorCodes =
            [
                .. model.OperatorCodes.Select(c => c.BuiltinCode is BuiltinOperator.Sin
                    ? c with { BuiltinCode = BuiltinOperator.Custom, CustomCode = "MySpectrum" }
                    : c),
            ],
        });
    }

    /// <summary>What the classifier says of each image.</summary>
    private static int[] Labels(float[] images)
    {
        using Execution execution = new(Model.Of(Classifier()));
        return
        [
            .. Enumerable.Range(0, Samples).Select(i =>
            {
                TensorData image = TensorData.FromFloats([1, Side, Side, 1], images.AsSpan(i * Side * Side, Side * Side).ToArray());
                float[] scores = execution.Run([(null, image)])[0].AsFloats().ToArray();
                return Array.IndexOf(scores, scores.Max());
            }),
        ];
    }

    /// <summary>Numbers between -1 and 1 in steps of 1/64 without a pattern that a model would notice.</summary>
    private static float[] Wave(int count, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => ((((i + seed) * 7919 % 1009 * 31) + (i / 64 * 13)) % 129 - 64) / 64f)];
}
