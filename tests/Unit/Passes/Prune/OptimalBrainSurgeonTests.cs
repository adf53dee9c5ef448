using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MathNet.Numerics.LinearAlgebra;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Passes.Prune;

/// <summary>Against exhaustive least squares on small layers, and against what the interpreter computes.</summary>
public class OptimalBrainSurgeonTests
{
    private const int Samples = 40;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_saliency_is_the_error_after_the_best_refit_of_the_rest(int seed)
    {
        (PrunableWeight weight, InputCorrelation inputs, Matrix<double> x) = Layer(seed, outputs: 1, length: 6);
        float[] saliencies = OptimalBrainSurgeon.Saliencies(weight, inputs, damping: 0);
        double[] refitted =
        [
            .. Enumerable.Range(0, 6).Select(p => Refit(weight, 0, x, [.. Enumerable.Range(0, 6).Select(k => k != p)]).Error),
        ];

        Assert.All(saliencies.Zip(refitted), p => Assert.Equal(p.Second, p.First, p.Second * 1e-5));
        int cheapest = Array.IndexOf(refitted, refitted.Min());
        Surgery one = OptimalBrainSurgeon.Prune(weight, inputs, 1, damping: 0);
        Assert.Equal(cheapest, Array.IndexOf(one.Mask, false));
        Assert.Equal(refitted.Min(), one.Error, refitted.Min() * 1e-4);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Adapted_weights_are_least_squares(int seed)
    {
        (PrunableWeight weight, InputCorrelation inputs, Matrix<double> x) = Layer(seed, outputs: 3, length: 7);
        Random random = new(seed);
        bool[] mask = [.. Enumerable.Range(0, 21).Select(_ => random.Next(3) > 0)];
        Surgery adapted = OptimalBrainSurgeon.Adapt(weight, mask, inputs, damping: 0, threads: 2);
        for (int row = 0; row < 3; row++)
        {
            (double[] expected, _) = Refit(weight, row, x, mask[(7 * row)..(7 * (row + 1))]);
            Assert.All(expected.Zip(adapted.Values[(7 * row)..]), p => Assert.Equal(p.First, p.Second, 1e-4));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_worse_than_magnitude_and_no_better_than_the_best_of_all_masks(int seed)
    {
        (PrunableWeight weight, InputCorrelation inputs, Matrix<double> x) = Layer(seed, outputs: 2, length: 5);
        int zeros = 1 + (seed % 7);
        Surgery surgery = OptimalBrainSurgeon.Prune(weight, inputs, zeros, damping: 0);
        bool[] magnitude = PruningMask.Dropping(PruningCriterion.Magnitude.Scores(weight), zeros);
        float[] masked = [.. weight.Values.ToArray().Zip(magnitude, (w, k) => k ? w : 0)];

        Assert.Equal(zeros, surgery.Mask.Count(k => !k));
        Assert.All(surgery.Values.Zip(surgery.Mask), p => Assert.True(p.Second || p.First == 0));
        Assert.True(surgery.Error <= OptimalBrainSurgeon.Error(weight, masked, inputs, damping: 0));

        Assert.True(surgery.Error >= Best(weight, x, zeros) * (1 - 1e-5));
    }

    /// <summary>Greedy choices may miss the best mask of a layer, but not by much in the mean.</summary>
    [Fact]
    public void Near_the_best_of_all_masks_in_the_mean()
    {
        (double found, double best, double plain) = (0, 0, 0);
        for (int seed = 1; seed <= 40; seed++)
        {
            (PrunableWeight weight, InputCorrelation inputs, Matrix<double> x) = Layer(seed, outputs: 2, length: 5);
            found += OptimalBrainSurgeon.Prune(weight, inputs, 5, damping: 0).Error;
            best += Best(weight, x, 5);
            plain += Masked(weight, PruningMask.Dropping(PruningCriterion.Magnitude.Scores(weight), 5), inputs);
        }

        Assert.True(found < best * 1.5 && found < plain / 3, $"{found}, at best {best}, by magnitude {plain}");
    }

    [Fact]
    public void Surgery_beats_magnitude_by_far_where_inputs_are_correlated()
    {
        (double exact, double columns, double groups, double plain, double plainGroups) = (0, 0, 0, 0, 0);
        for (int seed = 1; seed <= 10; seed++)
        {
            (PrunableWeight weight, InputCorrelation inputs, _) = Layer(seed, outputs: 8, length: 24);
            exact += OptimalBrainSurgeon.Prune(weight, inputs, 96, threads: 2).Error;
            Surgery byColumns = OptimalBrainSurgeon.PruneByColumns(weight, inputs, 96, block: 8, threads: 2);
            columns += byColumns.Error;
            Assert.Equal(96, byColumns.Mask.Count(k => !k));
            Assert.All(byColumns.Values.Zip(byColumns.Mask), p => Assert.True(p.Second || p.First == 0));
            Surgery twoOfFour = OptimalBrainSurgeon.PruneGroups(weight, inputs, 2, 4);
            groups += twoOfFour.Error;
            Assert.All(twoOfFour.Mask.Chunk(4), g => Assert.Equal(2, g.Count(k => k)));

            float[] scores = PruningCriterion.Magnitude.Scores(weight);
            plain += Masked(weight, PruningMask.Dropping(scores, 96), inputs);
            plainGroups += Masked(weight, PruningMask.OfGroups(scores, 24, 2, 4), inputs);
        }

        Assert.True(exact < plain / 5 && columns < plain / 1.5 && groups < plainGroups / 1.2, $"{exact}, {columns}, {plain}; {groups}, {plainGroups}");
    }

    [Fact]
    public void Columns_make_up_for_a_dropped_one_as_least_squares_does()
    {
        (PrunableWeight weight, InputCorrelation inputs, _) = Layer(3, outputs: 1, length: 9);
        float[] values = weight.Values.ToArray();
        values[0] = 1e-3f;
        weight = weight with { Values = values };
        Surgery byColumns = OptimalBrainSurgeon.PruneByColumns(weight, inputs, 1);
        Surgery exact = OptimalBrainSurgeon.Adapt(weight, byColumns.Mask, inputs);

        Assert.False(byColumns.Mask[0]);
        Assert.All(byColumns.Values.Zip(exact.Values), p => Assert.Equal(p.Second, p.First, 1e-5));
    }

    /// <summary>Columns are added in blocks, but every sum takes them one after the other.</summary>
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(100)]
    public void Sums_have_the_bits_of_sums_taken_in_order(int count)
    {
        InputCorrelation inputs = new(1, 5);
        (double[,] sums, double[,] cross) = (new double[5, 5], new double[5, 5]);
        Random random = new(count);
        for (int k = 0; k < count; k++)
        {
            double[] x = [.. Enumerable.Range(0, 5).Select(_ => random.Next(3) == 0 ? 0 : random.NextDouble() - 0.5)];
            double[] z = [.. x.Select(v => v + (random.NextDouble() / 10))];
            inputs.Add(0, x, z);
            for (int i = 0; i < 25; i++)
            {
                sums[i / 5, i % 5] += x[i / 5] * x[i % 5];
                cross[i / 5, i % 5] += x[i / 5] * z[i % 5];
            }
        }

        (Matrix<double> hessian, Matrix<double> mixed) = (inputs.Hessian(0, damping: 0), inputs.Cross(0, damping: 0));
        for (int i = 0; i < 25; i++)
        {
            Assert.Equal(sums[i / 5, i % 5] * (1.0 / count), hessian[i / 5, i % 5]);
            Assert.Equal(cross[i / 5, i % 5] * (1.0 / count), mixed[i / 5, i % 5]);
        }
    }

    [Fact]
    public void The_number_of_threads_does_not_matter()
    {
        (PrunableWeight weight, InputCorrelation inputs, _) = Layer(5, outputs: 16, length: 20);
        Assert.Equal(OptimalBrainSurgeon.Prune(weight, inputs, 150).Values, OptimalBrainSurgeon.Prune(weight, inputs, 150, threads: 3).Values);
        Assert.Equal(OptimalBrainSurgeon.PruneByColumns(weight, inputs, 150).Values, OptimalBrainSurgeon.PruneByColumns(weight, inputs, 150, threads: 3).Values);
    }

    [Fact]
    public void A_layer_without_inputs_is_pruned_by_magnitude()
    {
        PrunableWeight weight = new("a", "w", WeightRole.Dense, new(1, 1, 1, 4), new float[] { 3, -1, 2, 4 });
        Surgery surgery = OptimalBrainSurgeon.Prune(weight, new(1, 4), 2);
        Assert.Equal([3, 0, 0, 4], surgery.Values);
    }

    public static TheoryData<string> Layers => ["conv", "strided", "dilated", "grouped", "depthwise", "multiplier", "dense"];

    /// <summary>The error that the correlations predict is the one that the interpreter makes.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void The_predicted_error_is_that_of_the_layer(string kind)
    {
        (IOp op, int[] shape) = kind switch
        {
            "conv" => ((IOp)new Conv2D(1, 1, PaddingMode.Same), new[] { 5, 3, 3, 4 }),
            "strided" => (new Conv2D(2, 1, PaddingMode.Valid), [5, 3, 2, 4]),
            "dilated" => (new Conv2D(1, 1, PaddingMode.Same, DilationH: 2), [2, 3, 3, 4]),
            "grouped" => (new Conv2D(2, 2, PaddingMode.Same), [6, 3, 3, 2]),
            "depthwise" => (new DepthwiseConv2D(2, 2, PaddingMode.Same, 1), [1, 3, 3, 4]),
            "multiplier" => (new DepthwiseConv2D(1, 1, PaddingMode.Valid, 3), [1, 2, 3, 12]),
            _ => (new FullyConnected(), [5, 4]),
        };
        Module Make(Value w)
        {
            PassModel model = new();
            Value x = model.Add("relu", new Relu(), model.Input("x", 1, 6, 7, 4));
            return model.Output(model.Add("layer", op, x, w)).Build();
        }

        Module module = Make(PassModel.Random("w", 1, shape));
        Node layer = PassModel.Find(module, "layer");
        PrunableWeight weight = Assert.Single(PrunableWeight.Of(module.Main));
        TensorData[] samples = [.. Enumerable.Range(0, 3).Select(i => TensorData.FromFloats([1, 6, 7, 4], PassModel.Numbers(new(i), 168)))];
        InputCorrelation inputs = InputCorrelation.Observe(module, new Source(samples), [layer])[layer];
        Surgery surgery = OptimalBrainSurgeon.Prune(weight, inputs, weight.Values.Length / 2);
        Module changed = Make(PassModel.Floats("w", Shape.Create(shape), surgery.Values));

        double error = samples.Sum(s => Run(module, s).Zip(Run(changed, s), (a, b) => ((double)a - b) * ((double)a - b)).Sum());
        int places = Run(module, samples[0]).Length / weight.Kernel.Outputs * samples.Length;
        double predicted = OptimalBrainSurgeon.Error(weight, surgery.Values, inputs, damping: 0);
        Assert.Equal(places, inputs.Samples);
        Assert.Equal(error / places, predicted, predicted * 1e-4);
    }

    [Fact]
    public void A_model_is_pruned_from_calibration_data_alone()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 6, 6, 3);
        Value y = model.Add("first", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), x, PassModel.Random("w1", 1, 8, 3, 3, 3), PassModel.Random("b1", 2, 8));
        y = model.Add("depthwise", new DepthwiseConv2D(2, 2, PaddingMode.Same, 1), y, PassModel.Random("w2", 3, 1, 3, 3, 8));
        y = model.Add("up", new TransposeConv(2, 2, PaddingMode.Same), PassModel.Ints("s", 1, 6, 6, 8), PassModel.Random("w3", 4, 8, 2, 2, 8), y);
        Module module = model.Output(model.Add("last", new FullyConnected(), y, PassModel.Random("w4", 5, 5, 288))).Build();
        TensorData[] samples = [.. Enumerable.Range(0, 24).Select(i => TensorData.FromFloats([1, 6, 6, 3], Smooth(new(i))))];
        SecondOrderOptions options = new() { Selection = PruningSelection.Everything, Threads = 2 };
        (Module pruned, ImmutableArray<SecondOrderLayer> layers) = SecondOrderPruning.Apply(module, new Source(samples), 0.5, options);
        (Module byColumns, _) = SecondOrderPruning.Apply(module, new Source(samples), 0.5, options with { Budget = 0 });

        Assert.Equal(["first", "depthwise", "up", "last"], layers.Select(l => l.Plan.Weight.Name));
        Assert.Equal("the second order of transpose_conv is not known", layers[2].Note);
        Assert.All(layers.Where(l => l.Note is null), l => Assert.InRange(l.Error, 1e-9, 0.4));
        foreach ((PrunableWeight weight, SecondOrderLayer layer) in PrunableWeight.Of(pruned.Main).Zip(layers))
        {
            Assert.Equal(layer.Plan.Zeros, weight.Values.ToArray().Count(w => w == 0));
            Assert.Equal(layer.Plan.Zeros, weight.Source!.Constant!.Structure!.Mask!.Zeros);
        }

        Module plain = module.Clone();
        foreach (PlannedSparsity layer in SparsityDistribution.Uniform.Plan(PrunableWeight.Of(plain.Main), 0.5, PruningSelection.Everything).Layers)
        {
            GraphPatch patch = new();
            Node node = PassModel.Find(plain, layer.Weight.Layer);
            patch.SetInput(node, 1, PassModel.Floats("w", layer.Weight.Source!.Type.Shape, [.. layer.Weight.Values.ToArray().Zip(layer.Mask(), (w, k) => k ? w : 0)]));
            patch.ApplyTo(plain, plain.Main, node);
        }

        double Error(Module other) => samples.Sum(s => Run(module, s).Zip(Run(other, s), (a, b) => ((double)a - b) * ((double)a - b)).Sum());
        Assert.True(Error(pruned) < Error(plain) / 2 && Error(byColumns) < Error(plain), $"{Error(pruned)}, {Error(byColumns)}, by magnitude {Error(plain)}");

        static float[] Smooth(Random random)
        {
            float[] slopes = PassModel.Numbers(random, 9);
            return [.. Enumerable.Range(0, 108).Select(i => slopes[i % 3] + (slopes[3 + (i % 3)] * (i / 18)) / 6 + (slopes[6 + (i % 3)] * (i / 3 % 6)) / 6 + (random.NextSingle() / 10))];
        }
    }

    /// <summary>A channel that is twice another one, and a filter of its own behind it, can be made up for without any loss.</summary>
    [Fact]
    public void Layers_behind_make_up_for_channels_that_are_removed()
    {
        float[] w = PassModel.Numbers(new(1), 4 * 18);
        for (int i = 0; i < 18; i++)
        {
            w[(3 * 18) + i] = 2 * w[18 + i];
        }

        PassModel model = new();
        Value y = model.Add("a", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), model.Input("x", 1, 6, 6, 2), PassModel.Floats("aw", [4, 3, 3, 2], w));
        y = model.Add("b", new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), y, PassModel.Random("bw", 2, 5, 3, 3, 4), PassModel.Random("bb", 3, 5));
        y = model.Add("c", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), y, PassModel.Random("cw", 4, 1, 3, 3, 5));
        Module module = model.Output(model.Add("y", new FullyConnected(), y, PassModel.Random("yw", 5, 3, 180))).Build();
        TensorData[] samples = [.. Enumerable.Range(0, 40).Select(i => TensorData.FromFloats([1, 6, 6, 2], PassModel.Numbers(new(i), 72)))];
        ChannelGroups groups = ChannelGroups.Of(module.Main);

        Module plain = RemoveChannels.Apply(module, groups, [groups.Find("a").Channels[3]]);
        Module repaired = RemoveChannels.ApplyAndRealign(module, groups, [groups.Find("a").Channels[3]], new Source(samples), damping: 1e-9);
        Assert.Equal(PassModel.Find(plain, "b").Inputs[1]!.Type, PassModel.Find(repaired, "b").Inputs[1]!.Type);
        Assert.True(Error(repaired) < Error(plain) * 1e-6, $"{Error(repaired)} of {Error(plain)}");

        // One that is like no other is made up for in part.
        TiedChannel[] others = [groups.Find("a").Channels[0], groups.Find("b").Channels[2]];
        Assert.True(Error(RemoveChannels.ApplyAndRealign(module, groups, others, new Source(samples), threads: 2)) < Error(RemoveChannels.Apply(module, groups, others)) / 2);
        Assert.Throws<ArgumentException>(() => Realignment.Apply(new PassModel().Output().Build(), module, new Source(samples)));

        double Error(Module other) => samples.Sum(s => Run(module, s).Zip(Run(other, s), (a, b) => ((double)a - b) * ((double)a - b)).Sum());
    }

    [Fact]
    public void A_layer_that_no_sample_reaches_or_that_has_no_second_order_is_refused()
    {
        PassModel model = new();
        Value y = model.Add("layer", new FullyConnected(), model.Input("x", 1, 4), PassModel.Random("w", 1, 3, 4));
        Module module = model.Output(model.Add("act", new Relu(), y)).Build();
        Assert.Throws<DiagnosticException>(() => InputCorrelation.Observe(module, new Source([]), [PassModel.Find(module, "layer")]));
        Assert.Throws<DiagnosticException>(() => InputCorrelation.Of(PassModel.Find(module, "act")));
    }

    private static float[] Run(Module module, TensorData sample)
    {
        using Interpreter interpreter = new(module);
        sample.AsFloats().CopyTo(interpreter.Input<float>(0));
        interpreter.Run();
        return MemoryMarshal.Cast<byte, float>(interpreter.Output(0)).ToArray();
    }

    private static double Masked(PrunableWeight weight, bool[] mask, InputCorrelation inputs) =>
        OptimalBrainSurgeon.Error(weight, (float[])[.. weight.Values.ToArray().Zip(mask, (w, k) => k ? w : 0)], inputs);

    /// <summary>A dense layer with correlated inputs X [length, samples].</summary>
    private static (PrunableWeight Weight, InputCorrelation Inputs, Matrix<double> X) Layer(int seed, int outputs, int length)
    {
        Random random = new(seed);
        double Number() => (random.NextDouble() * 2) - 1;
        Matrix<double> mix = Matrix<double>.Build.Dense(length, length, (_, _) => Number());
        Matrix<double> x = mix * Matrix<double>.Build.Dense(length, Samples, (_, _) => Number());
        InputCorrelation inputs = new(1, length);
        for (int i = 0; i < Samples; i++)
        {
            inputs.Add(0, x.Column(i).ToArray());
        }

        return (new("layer", "w", WeightRole.Dense, new(outputs, 1, 1, length), PassModel.Numbers(random, outputs * length)), inputs, x);
    }

    /// <summary>The best row with a mask by QR decomposition of the inputs themselves, and its mean squared error.</summary>
    private static (double[] Row, double Error) Refit(PrunableWeight weight, int row, Matrix<double> x, bool[] mask)
    {
        int length = mask.Length;
        Vector<double> target = x.TransposeThisAndMultiply(Vector<double>.Build.Dense(length, k => weight.Values.Span[(row * length) + k]));
        int[] kept = [.. Enumerable.Range(0, length).Where(k => mask[k])];
        double[] fitted = new double[length];
        if (kept.Length > 0)
        {
            Matrix<double> read = Matrix<double>.Build.DenseOfColumnVectors(kept.Select(k => x.Row(k)));
            Vector<double> solved = read.QR().Solve(target);
            for (int i = 0; i < kept.Length; i++)
            {
                fitted[kept[i]] = solved[i];
            }
        }

        Vector<double> error = x.TransposeThisAndMultiply(Vector<double>.Build.Dense(fitted)) - target;
        return (fitted, error.DotProduct(error) / x.ColumnCount);
    }

    private static double Best(PrunableWeight weight, Matrix<double> x, int zeros)
    {
        double best = double.PositiveInfinity;
        for (int bits = 0; bits < 1 << 10; bits++)
        {
            if (int.PopCount(bits) == zeros)
            {
                bool[] mask = [.. Enumerable.Range(0, 10).Select(i => (bits >> i & 1) == 0)];
                best = Math.Min(best, Refit(weight, 0, x, mask[..5]).Error + Refit(weight, 1, x, mask[5..]).Error);
            }
        }

        return best;
    }

    private sealed class Source(TensorData[] samples) : ICalibrationSource
    {
        public int? Count => samples.Length;

        public IEnumerable<CalibrationSample> Samples() => samples.Select((s, i) => CalibrationSample.Of(i, s));
    }
}
