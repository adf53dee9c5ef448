using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Optc.Demo;
using Optc.Ir;
using Optc.Ops;
using Optc.Report.Compression;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class DemoRunTests(DemoFixture demo) : IClassFixture<DemoFixture>
{
    private static readonly DemoSize Smallest = new(30, 15, 8, 1, 1, 1);

    [Fact]
    public void The_float_model_takes_features_and_gives_probabilities()
    {
        Module module = demo.Run.Float.Module;
        Signature signature = Assert.Single(module.Signatures);

        Verifier.ThrowIfBroken(module);
        Assert.Equal(("serving_default", "input", "probabilities"), (signature.Key, signature.Inputs[0].Name, signature.Outputs[0].Name));
        Assert.Equal(("f32[1, 49, 40, 1]", "f32[1, 5]"), (module.Main.Inputs[0].Type.ToString(), module.Main.Outputs[0].Type.ToString()));
    }

    [Fact]
    public void Every_class_is_as_frequent_and_no_sound_is_in_two_sets()
    {
        DemoTask task = demo.Run.Task;
        IEnumerable<string> hashes = task.Train.Features.Concat(task.Test.Features).Select(f => Convert.ToHexString(SHA256.HashData(f.Bytes.Span)));

        Assert.All([task.Train, task.Test], set => Assert.All(Enumerable.Range(0, 5), c => Assert.Equal(set.Count / 5, set.Labels.Count(label => label == c))));
        Assert.Equal(DemoFixture.Size.TrainSounds + DemoFixture.Size.TestSounds, hashes.Distinct().Count());
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
    public void Nine_of_ten_unheard_sounds_are_recognised_and_compression_costs_less_than_two_points()
    {
        Assert.True(demo.Run.Optimization.ScoreBefore >= 0.9, $"float: {demo.Run.Optimization.ScoreBefore}");
        Assert.True(demo.Run.Optimization.DropPoints < 2, $"int8: {demo.Run.Optimization.DropPoints} points less");
    }

    [Fact]
    public void The_score_of_the_result_is_that_of_its_file()
    {
        LabelledSounds test = demo.Run.Task.Test;
        Dataset data = Dataset.Of(test.Stack(), TensorData.FromInts([test.Count], [.. test.Labels]));

        Assert.Equal(demo.Run.Optimization.ScoreAfter, Model.Read(demo.Run.Optimization.File).Evaluate(data).Value);
    }

    [Fact]
    public void The_file_has_eight_codes_in_every_weight_and_zeros_in_half_of_those_that_were_pruned()
    {
        const int codes = 8;
        Node[] layers = [.. Model.Read(demo.Run.Optimization.File).Module.Main.Nodes.Where(n => n.Op is Conv2D or DepthwiseConv2D or FullyConnected)];

        Assert.Equal(10, layers.Length);
        Assert.All(layers, layer =>
        {
            TensorData weight = layer.Inputs[1]!.Constant!;
            sbyte[] values = [.. weight.Bytes.ToArray().Select(b => (sbyte)b)];

            Assert.Equal(DType.I8, weight.DType);
            Assert.InRange(values.Distinct().Count(), 2, codes);
            Assert.True(layer.Op is DepthwiseConv2D || values.Count(v => v == 0) >= values.Length / 2, layer.Name);
        });
    }

    [Fact]
    public void The_report_has_the_three_stages_their_curves_and_proofs_that_hold()
    {
        CompressionReport report = demo.Run.Report;

        Assert.Equal(["Baseline", "Pruned", "PCQAT"], report.Stages.Select(s => s.Name));
        Assert.Equal([12, 2, 6], report.Stages.Select(s => s.Curve.Length));
        // That of pruning rises with the sparsity.
        Assert.All([report.Stages[0], report.Stages[^1]], s => Assert.True(s.Curve[^1].Loss < s.Curve[0].Loss, s.Name));
        Assert.True(report.AllInvariantsHold);
        Assert.Equal([6, 10, 10], new[] { "zeros kept", "distinct codes", "codes unchanged" }.Select(what => report.Invariants.Count(i => i.What == what)));
        Assert.True(report.Agreement.Length >= 10);
        Assert.All(report.Agreement, a => Assert.True(a.Holds, a.Layer));
        Assert.Equal(report.Stages[^1].Int8Score!.Value, report.Stages[^1].FakeQuantScore!.Value, 0.02);
        Assert.Equal((DemoRun.Version, "optc demo", demo.Run.Optimization.Recipe.ToYaml()), (report.Reproduction!.Version, report.Reproduction.Command, report.Reproduction.Recipe));
    }

    [Fact]
    public void Compression_more_than_halves_the_coded_weights_and_takes_a_third_off_the_file_by_gzip()
    {
        (FormEntry before, FormEntry after) = (demo.Run.Report.Stages[0].Int8!, demo.Run.Report.Stages[^1].Int8!);

        Assert.True(2 * after.Coded[0].Bytes < before.Coded[0].Bytes, $"{before.Coded[0].Bytes} to {after.Coded[0].Bytes} bytes");
        Assert.True(3 * after.GzipBytes < 2 * before.GzipBytes, $"{before.GzipBytes} to {after.GzipBytes} bytes");
    }

    [Fact]
    public void Neither_threads_nor_the_culture_change_a_byte()
    {
        ImmutableArray<byte[]> one = Bytes(threads: 1, WithComma());
        ImmutableArray<byte[]> two = Bytes(threads: 2, CultureInfo.InvariantCulture);

        Assert.All(one.Zip(two), pair => Assert.Equal(pair.First, pair.Second));
    }

    [Fact]
    public void Tells_its_steps_in_order_and_ends_where_it_is_cancelled()
    {
        List<DemoProgress> whole = [];
        using CancellationTokenSource never = new();
        DemoRun.Of(Smallest, work: new() { Cancellation = never.Token }, progress: new Listener(whole.Add));
        List<DemoProgress> part = [];
        using CancellationTokenSource soon = new();
        Listener cancel = new(p =>
        {
            part.Add(p);
            if (p.Step == DemoStep.Pruning)
            {
                soon.Cancel();
            }
        });

        Assert.ThrowsAny<OperationCanceledException>(() => DemoRun.Of(Smallest, work: new() { Cancellation = soon.Token }, progress: cancel));
        Assert.Equal(Enum.GetValues<DemoStep>(), whole.Select(p => p.Step).Distinct());
        Assert.Equal([DemoStep.Synthesizing, DemoStep.Training, DemoStep.Pruning], part.Select(p => p.Step).Distinct());
        Assert.All([DemoStep.Training, DemoStep.Pruning, DemoStep.Compressing], step => Assert.Contains(whole, p => p.Step == step && p.Fit?.Finished is not null));
    }

    private static CultureInfo WithComma()
    {
        CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (",", ".", "~");
        return culture;
    }

    private static ImmutableArray<byte[]> Bytes(int threads, CultureInfo culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            DemoRun run = DemoRun.Of(Smallest, "optc demo", new() { Threads = threads });
            return [run.Float.ToTfLite(), run.Optimization.File.ToArray(), .. CompressionFiles.Of(run.Report).Files.Select(f => f.ToArray())];
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private sealed class Listener(Action<DemoProgress> heard) : IProgress<DemoProgress>
    {
        public void Report(DemoProgress value) => heard(value);
    }
}
