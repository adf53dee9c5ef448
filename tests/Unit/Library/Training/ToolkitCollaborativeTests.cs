using Optc.Backends.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Structure;
using Optc.Tests.Unit.Ops;
using Optc.Training;
using Xunit;
using static Optc.Tests.Unit.Library.Training.SmallModels;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>The acceptance tests of TensorFlow's Model Optimization Toolkit for clustering and its combinations, as they read for us.</summary>
public sealed class ToolkitCollaborativeTests
{
    private static readonly Dictionary<string, CentroidInitializer> Initializers = new()
    {
        ["linear"] = CentroidInitializer.Linear,
        ["random"] = CentroidInitializer.Random(),
        ["density"] = CentroidInitializer.Density,
        ["k-means++"] = CentroidInitializer.KMeansPlusPlus(),
        ["exact"] = CentroidInitializer.Exact,
    };

    public static TheoryData<int, string> Numbers
    {
        get
        {
            TheoryData<int, string> cases = [];
            foreach (string name in Initializers.Keys)
            {
                foreach (int codes in (ReadOnlySpan<int>)[2, 6, 10, 14])
                {
                    cases.Add(codes, name);
                }
            }

            return cases;
        }
    }

    /// <summary>testValuesAreClusteredAfterStripping, testValuesRemainClusteredAfterTraining: dense 10 x 32.</summary>
    [Theory]
    [MemberData(nameof(Numbers))]
    public void Values_are_clustered_after_training(int codes, string initializer)
    {
        Model model = Dense(10, 32, Normal);
        foreach (bool onGrid in (ReadOnlySpan<bool>)[true, false])
        {
            Clustering how = new(codes) { Initializer = Initializers[initializer], OnGrid = onGrid };

            TensorData weight = Weights(model.Fit(Samples(model), how: Short with { Clustering = how }).Model)["dense/w"];

            Assert.InRange(Codes(weight), 2, codes);
            Assert.True(onGrid || Distinct(weight) <= codes);
        }
    }

    /// <summary>testSparsityIsPreservedDuringTraining: zero rows stay exactly zero, and no code comes in.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Zero_rows_stay_zero_while_clusters_are_trained(bool onGrid)
    {
        Model model = Dense(10, 32, i => i / 32 is 2 or 7 ? 0 : Normal(i));
        FitOptions how = Short with { Epochs = 8, Pruning = Pruning.KeepZeros, Clustering = new(6) { OnGrid = onGrid } };

        TensorData weight = Weights(model.Fit(Samples(model), how: how).Model)["dense/w"];

        Assert.All(Enumerable.Range(0, 320).Where(i => i / 32 is 2 or 7), i => Assert.Equal(0, weight.AsFloats()[i]));
        Assert.InRange(Codes(weight), 2, 6);
    }

    /// <summary>testEndToEnd1x1Conv2d: 12 filters on one channel are too few for the codes that were asked for.</summary>
    [Theory]
    [InlineData(16, CodebookScope.Tensor)]
    [InlineData(12, CodebookScope.Channel)]
    [InlineData(8, CodebookScope.Channel)]
    public void A_tiny_convolution_gets_fewer_codes(int codes, CodebookScope scope)
    {
        Model model = SeparateRectifier(12, kernel: 1);

        TensorData weight = Weights(model.Fit(Samples(model), how: Short with { Clustering = new(codes) { Scope = scope } }).Model)["conv/w"];

        Assert.InRange(Codes(weight), 1, 12);
        Assert.All(weight.AsFloats().ToArray(), v => Assert.True(float.IsFinite(v)));
    }

    /// <summary>testWeightsAreLearningDuringClustering: codes, what they stand for, and biases change with every batch.</summary>
    [Fact]
    public void Weights_learn_while_they_are_clustered()
    {
        Model model = Dense(10, 32, Normal);
        FitOptions how = Short with { Epochs = 1, BatchSize = 12, Clustering = new(8) };
        Model one = model.Fit(Samples(model), how: how with { BatchSize = 24 }).Model;
        Model two = model.Fit(Samples(model), how: how).Model;

        TensorData first = Weights(one)["dense/w"];
        TensorData second = Weights(two)["dense/w"];
        Assert.NotEqual(first.AsFloats().ToArray(), second.AsFloats().ToArray());
        Assert.NotEqual(first.Structure!.Grid!.Scales.AsEnumerable(), second.Structure!.Grid!.Scales.AsEnumerable());
        Assert.DoesNotContain(0f, two.Module.Main.Nodes[^1].Inputs[2]!.Constant!.AsFloats().ToArray()[..3]);
    }

    /// <summary>testPerChannel: 12 channels with 4 codes each.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_channel_has_its_own_codes(bool onGrid)
    {
        Model model = SeparateRectifier(12);
        Clustering how = new(4) { Scope = CodebookScope.Channel, OnGrid = onGrid };

        TensorData weight = Weights(model.Fit(Samples(model), how: Short with { Clustering = how }).Model)["conv/w"];

        Assert.Equal((4, 12), (weight.Structure!.Codebook!.Codes, weight.Structure.Codebook.Groups));
        Assert.All(weight.AsFloats().ToArray().Chunk(9), channel => Assert.InRange(channel.Distinct().Count(), 2, 4));
        Assert.InRange(Distinct(weight), 13, 48);
    }

    /// <summary>testEndToEndClusterPreserve: the codes after quantization-aware training are as many as before.</summary>
    [Fact]
    public void Codes_survive_quantization_aware_training()
    {
        Model clustered = Clustered(Dense(10, 32, Normal), new(4) { Initializer = CentroidInitializer.Linear });

        Model aware = clustered.Fit(Samples(clustered), how: Short with { Quantization = QuantizationAware.Default }).Model;

        Assert.Equal(Codes(Weights(clustered)["dense/w"]), Codes(Weights(aware)["dense/w"]));
        Assert.Equal(Codes(Weights(clustered)["dense/w"]), Distinct(Weights(aware.ToInt8())["dense/w"]));
    }

    /// <summary>testEndToEndPruneClusterPreserveQAT: two zero rows of ten.</summary>
    [Fact]
    public void Codes_and_zeros_survive_quantization_aware_training()
    {
        Model sparse = Dense(10, 32, i => i / 32 is 2 or 7 ? 0 : Normal(i));
        Model clustered = sparse.Fit(Samples(sparse), how: Short with { Pruning = Pruning.KeepZeros, Clustering = new(4) }).Model;

        Model aware = clustered.Fit(Samples(clustered), how: Short with { Quantization = QuantizationAware.Default }).Model;

        TensorData weight = Weights(aware.ToInt8())["dense/w"];
        Assert.All(Enumerable.Range(0, 320).Where(i => i / 32 is 2 or 7), i => Assert.Equal(0, weight.Span<sbyte>()[i]));
        Assert.InRange(Distinct(weight), 2, 4);
        Assert.True(Zeros(weight) >= Zeros(Weights(sparse)["dense/w"]));
        Assert.True(StructureProof.Verify(clustered.Module, aware.ToInt8().ToTfLite()).Results.Where(r => r.What != "codes unchanged").All(r => r.Holds));
    }

    /// <summary>testEndToEndClusterPreserveQATClusteredPerChannel: 12 channels with 4 codes each, also with zeros.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Codes_of_channels_survive_quantization_aware_training(bool sparse)
    {
        Model model = SeparateRectifier(12);
        FitOptions how = Short with { Clustering = new(4) { Scope = CodebookScope.Channel }, Pruning = sparse ? new(PruningSchedule.Constant(0.5)) : null };
        Model clustered = model.Fit(Samples(model), how: how).Model;

        Model aware = clustered.Fit(Samples(clustered), how: Short with { Quantization = QuantizationAware.Default }).Model;

        TensorData weight = Weights(aware.ToInt8())["conv/w"];
        Assert.All(weight.Span<sbyte>().ToArray().Chunk(9), channel => Assert.InRange(channel.Distinct().Count(), 1, 4));
        Assert.True(Zeros(weight) >= (sparse ? 54 : 0));
    }

    /// <summary>testPassingNonPrunedModelToPCQAT: without zeros it is CQAT.</summary>
    [Fact]
    public void Keeping_the_zeros_of_a_model_without_changes_nothing()
    {
        Model model = Dense(10, 32, i => 1 + (0.1f * Normal(i)));
        FitOptions how = Short with { Clustering = new(4) { PinsZero = false }, Quantization = QuantizationAware.Default };

        byte[] plain = model.Fit(Samples(model), how: how).Model.ToTfLite();

        Assert.Equal(plain, model.Fit(Samples(model), how: how with { Pruning = Pruning.KeepZeros }).Model.ToTfLite());
    }

    /// <summary>testPassingModelWithUniformWeightsToPCQAT.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Weights_that_are_all_alike_are_no_trouble(float value)
    {
        Model model = Dense(10, 32, _ => value);
        FitOptions how = Short with { Clustering = new(4), Pruning = Pruning.KeepZeros, Quantization = QuantizationAware.Default };

        TensorData weight = Weights(model.Fit(Samples(model), how: how).Model.ToInt8())["dense/w"];

        Assert.InRange(Distinct(weight), 1, 4);
        Assert.True(value != 0 || Zeros(weight) == 320);
    }

    /// <summary>testPCQATTrainingE2E, as far as structure goes: half of the weights are zeros, 8 codes in each layer, in the integers of the file.</summary>
    [Fact]
    public void Zeros_and_codes_of_the_whole_chain_are_in_the_bytes()
    {
        Model model = Convolutional();
        Dataset data = Samples(model);
        Model pruned = model.Prune(0.5).FineTune(data, 1, Short);
        Model clustered = pruned.Cluster(new Clustering(8) { Depthwise = true, Initializer = CentroidInitializer.Density }).FineTune(data, 1, Short);
        Model aware = clustered.QuantizeAware().FineTune(data, 1, Short);
        Model integers = Model.Read(aware.ToInt8().ToTfLite(TfLiteWriteOptions.WithAllNames));

        Assert.All(Weights(integers), weight =>
        {
            Assert.Equal(DType.I8, weight.Value.DType);
            Assert.InRange(Distinct(weight.Value), 2, 8);

            // Depthwise weights are pruned on request only.
            Assert.True(weight.Key.Contains("depthwise", StringComparison.Ordinal) || Zeros(weight.Value) * 2 >= weight.Value.Shape.ElementCount - 1, weight.Key);
        });
        Assert.All([pruned, clustered, aware], stage => Assert.All(
            Weights(stage).Where(w => w.Value.Structure?.Mask is not null), w => Assert.True(Zeros(w.Value) <= Zeros(Weights(integers)[w.Key]), w.Key)));
        StructureProof.Verify(aware.Module, aware.ToInt8().ToTfLite()).ThrowIfBroken();
    }

    /// <summary>testPCQATSelectiveClustering: only the convolution is clustered, zeros stay everywhere.</summary>
    [Fact]
    public void Only_the_layers_that_were_asked_for_are_clustered()
    {
        Model model = SeparateRectifier(8);
        FitOptions how = Short with
        {
            Pruning = new(PruningSchedule.Constant(0.5)),
            Clustering = new(4) { Rules = [new("dense", 0)] },
            Quantization = QuantizationAware.Default,
        };

        FitResult result = model.Fit(Samples(model), how: how);
        Dictionary<string, TensorData> weights = Weights(result.Model.ToInt8());

        Assert.InRange(Distinct(weights["conv/w"]), 2, 4);
        Assert.True(Distinct(weights["dense/w"]) > 4);
        Assert.True(Zeros(weights["conv/w"]) >= 36 && Zeros(weights["dense/w"]) >= 12);
        Assert.Contains(result.Skipped, s => s is { Layer: "dense", Stage: "clustering" });
    }

    /// <summary>testQuantizeSingleLayer_ProducesFullIntegerModel and testModelEndToEnd: integers compute what training saw.</summary>
    [Fact]
    public void The_integer_model_is_integer_throughout_and_computes_what_training_saw()
    {
        Model model = Convolutional();
        Model aware = model.Fit(Samples(model), how: Short with { Quantization = QuantizationAware.Default }).Model;
        Model integers = aware.ToInt8();

        Assert.True(integers.Quantization!.IsInteger);
        Optc.Report.Comparison comparison = aware.FakeQuantized(integers).CompareTo(integers, Samples(model));
        Assert.All(comparison.Outputs, o => Assert.InRange(o.MaxAbs, 0, 0.1));
    }

    /// <summary>Section 3.2 of the specification: ranges -6 to 6 in 8 bits.</summary>
    [Fact]
    public void Fake_quantization_gives_the_toolkits_numbers()
    {
        float[] y = new OpCase(new FakeQuant(-6, 6)).Input<float>(DType.F32, [8], -7, 0, 0.05f, 0.1f, 1, 3, 6, 7).Run<float>();

        float[] expected = [-6.0235295f, 0, 0.04705882f, 0.09411764f, 0.9882353f, 3.0117648f, 5.9764705f, 5.9764705f];
        Assert.All(expected.Zip(y), pair => Assert.Equal(pair.First, pair.Second, 2e-6f));
    }

    /// <summary>Section 4.4: the PQAT example, and the range of LastValue, symmetric and narrow, on [-1, 0.5].</summary>
    [Fact]
    public void Rounded_weights_give_the_toolkits_numbers()
    {
        Assert.Equal(
            [50, -127, 0, 0], WeightQuantizer.Quantize(TensorData.FromFloats([4], [0.5f, -1.27f, 0, 0.003f]), 0, perChannel: false).Data.Span<sbyte>().ToArray());
        float[] scales = new float[1];
        new FakeQuantWeights(8, -1).Round([-1, 0.5f], [2], new float[2], scales);
        Assert.Equal(1, scales[0] * 127, 1e-6f);
    }

    /// <summary>Section 4.4: the PCQAT example, step by step; SGD of rate 0.1, upstream gradients 1.</summary>
    [Fact]
    public void A_step_of_training_codes_gives_the_toolkits_numbers()
    {
        float[] w = [0, 0, 0.3f, 0.3f, -0.5f];
        float[] centroids = [0, 0.3f, -0.5f];
        float[] mask = [.. w.Select(v => v == 0 ? 0f : 1f)];
        float[] ones = [1, 1, 1, 1, 1];
        OpCase gradient = new OpCase(new CodebookWeightGradient(0, 0, Mean: false)).Input<float>(DType.F32, [1, 5], ones)
            .Input<float>(DType.F32, [1, 5], Nearest(w)).Input<float>(DType.F32, [1, 3], centroids).Input<float>(DType.F32, [1], 0).Input<float>(DType.F32, [1], 0);
        Assert.Equal([0f, 0, 1, 1, 2], Nearest(w));
        Assert.Equal([2f, 2, 1], gradient.Run<float>(1));
        Assert.Equal(ones, gradient.Run<float>(0));

        // The zero code and the masked weights take no part in the step.
        centroids = [0, 0.3f - 0.2f, -0.5f - 0.1f];
        w = [.. w.Zip(mask, (v, m) => (v - 0.1f) * m)];
        float[] kernel = [.. Nearest(w).Select(i => centroids[(int)i])];
        float[] y = new OpCase(new FakeQuantWeights(8, -1)).Input<float>(DType.F32, [1, 5], kernel).Run<float>();

        Assert.Equal([0f, 0, 1, 1, 2], Nearest(w));
        Assert.All(((float[])[0, 0, 0.0992126f, 0.0992126f, -0.6f]).Zip(y), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));

        float[] Nearest(float[] latent) => new OpCase(new AssignCodes(0, 0)).Input<float>(DType.F32, [1, 5], latent)
            .Input<float>(DType.F32, [1, 3], centroids).Input<float>(DType.F32, [1], 0).Input<float>(DType.F32, [1, 3], 0, 0, 0).Input<float>(DType.F32, [1, 5], mask).Run<float>();
    }

    private static Model Clustered(Model model, Clustering how) => model.Fit(Samples(model), how: Short with { Clustering = how }).Model;
}
