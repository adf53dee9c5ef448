using System.Collections.Immutable;
using System.Security.Cryptography;
using Optc.Backends.TfLite;
using Optc.Demo;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class DemoModelTests(DemoFixture demo) : IClassFixture<DemoFixture>
{
    [Fact]
    public void Takes_features_and_gives_probabilities()
    {
        Graph graph = demo.Model.Main;
        Signature signature = Assert.Single(demo.Model.Signatures);

        Verifier.ThrowIfBroken(demo.Model);
        Assert.Equal(("audio_features", "f32[1, 49, 40, 1]"), (graph.Inputs[0].Name, graph.Inputs[0].Type.ToString()));
        Assert.Equal(("probabilities", "f32[1, 5]"), (graph.Outputs[0].Name, graph.Outputs[0].Type.ToString()));
        Assert.Equal(("serving_default", "audio_features", "probabilities"), (signature.Key, signature.Inputs[0].Name, signature.Outputs[0].Name));
    }

    [Fact]
    public void Every_class_is_as_frequent_and_no_sound_is_in_two_sets()
    {
        LabelledSounds[] sets = [demo.Task.Train, demo.Task.Calibration, demo.Task.Test];
        IEnumerable<string> hashes = sets.SelectMany(s => s.Features).Select(f => Convert.ToHexString(SHA256.HashData(f.Bytes.Span)));

        Assert.All(sets, set => Assert.All(Enumerable.Range(0, 5), c => Assert.Equal(set.Count / 5, set.Labels.Count(label => label == c))));
        Assert.Equal(1800, hashes.Distinct().Count());
        Assert.Equal(5, DemoTask.ClassNames.Length);
    }

    [Fact]
    public void Stacked_features_keep_their_order()
    {
        LabelledSounds sounds = LabelledSounds.Synthesize(7, 3);
        TensorData stack = sounds.Stack();

        Assert.Equal([3, 49, 40, 1], stack.Shape);
        Assert.Equal(sounds.Features[2].AsFloats(), stack.AsFloats()[(2 * 49 * 40)..]);
    }

    [Fact]
    public void More_than_95_of_100_unheard_sounds_are_recognised_in_float_and_int8_loses_less_than_a_point()
    {
        (Module quantized, QuantizationReport report) = Quantized(threads: 1);
        double real = Accuracy(demo.Model, demo.Task.Test);
        double integer = Accuracy(quantized, demo.Task.Test);

        Assert.True(report.IsInteger);
        Assert.True(real > 95, $"float: {real} %");
        Assert.True(integer >= real - 1, $"float: {real} %, int8: {integer} %");
    }

    [Fact]
    public void Each_class_is_recognised()
    {
        int[] classes = Classes(demo.Model, demo.Task.Test);

        Assert.All(Enumerable.Range(0, 5), c =>
        {
            int[] own = [.. Enumerable.Range(0, classes.Length).Where(i => demo.Task.Test.Labels[i] == c)];
            Assert.True(own.Count(i => classes[i] == c) > 0.9 * own.Length, DemoTask.ClassNames[c]);
        });
    }

    [Fact]
    public void Int8_takes_less_than_half_of_the_file()
    {
        int real = TfLiteBackend.ToArray(demo.Model).Length;
        int integer = TfLiteBackend.ToArray(Quantized(threads: 1).Module).Length;

        Assert.InRange(real, 70_000, 100_000);
        Assert.True(integer < real / 2, $"{real} and {integer} bytes");
    }

    [Fact]
    public void Threads_change_nothing()
    {
        LabelledSounds one = LabelledSounds.Synthesize(5, 150, threads: 1);
        LabelledSounds four = LabelledSounds.Synthesize(5, 150, threads: 4);

        Assert.Equal(one.Stack().Bytes.ToArray(), four.Stack().Bytes.ToArray());
        Assert.Equal(TfLiteBackend.ToArray(DemoModel.Build(one, threads: 1)), TfLiteBackend.ToArray(DemoModel.Build(four, threads: 4)));
    }

    /// <summary>The golden file was made on one machine; equality on another is what "the same on every machine" means.</summary>
    [Fact]
    public void The_model_is_the_same_on_every_machine()
    {
        IEnumerable<string> lines = demo.Model.Main.Values()
            .Where(v => v.Constant is not null)
            .Select(v => $"{v.Name} {v.Type}: {Convert.ToHexStringLower(SHA256.HashData(v.Constant!.Bytes.Span))[..16]}\n");

        GoldenFile.At("golden/demo/model.txt").ShouldMatch(string.Concat(lines));
    }

    private (Module Module, QuantizationReport Report) Quantized(int threads)
    {
        ImmutableArray<TensorData> features = demo.Task.Calibration.Features;
        CalibrationData data = new(features.Select((f, i) => CalibrationSample.Of(i, f)), features.Length);
        return Quantizer.Quantize(demo.Model, QuantizationRecipe.StaticInt8, data, new PassContext { Threads = threads });
    }

    private static double Accuracy(Module module, LabelledSounds sounds) =>
        100.0 * Classes(module, sounds).Zip(sounds.Labels).Count(p => p.First == p.Second) / sounds.Count;

    private static int[] Classes(Module module, LabelledSounds sounds)
    {
        using Interpreter interpreter = new(module);
        TensorType input = interpreter.InputType(0);
        return [.. sounds.Features.Select(f =>
        {
            ReadOnlySpan<float> values = f.AsFloats();
            if (input.DType is DType.F32)
            {
                values.CopyTo(interpreter.Input<float>(0));
                interpreter.Run();
                return Largest(interpreter.Output<float>(0));
            }

            Span<sbyte> target = interpreter.Input<sbyte>(0);
            for (int i = 0; i < values.Length; i++)
            {
                target[i] = (sbyte)Math.Clamp(MathF.Round(values[i] / input.Scale) + input.ZeroPoint, sbyte.MinValue, sbyte.MaxValue);
            }

            interpreter.Run();
            return Largest(interpreter.Output<sbyte>(0));
        })];
    }

    private static int Largest<T>(ReadOnlySpan<T> values)
        where T : IComparable<T>
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i].CompareTo(values[best]) > 0 ? i : best;
        }

        return best;
    }
}
