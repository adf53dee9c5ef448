using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Structure;
using Optc.Tests.Unit.Passes;
using Optc.Training;
using Xunit;
using static Optc.Tests.Unit.Library.Training.SmallModels;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>Defects and traps of TensorFlow's Model Optimization Toolkit, each shown not to be here.</summary>
public sealed class ToolkitDefectTests
{
    /// <summary>There the last refresh of a mask is at the last multiple of the interval, so that the sparsity asked for may never be reached.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(100)]
    public void Final_sparsity_is_reached_whatever_the_interval(int interval)
    {
        Model model = Dense(10, 32, Normal);
        FitOptions how = Short with { Pruning = new(PruningSchedule.Polynomial(0.75)) { Every = interval } };

        Assert.Equal(240, Zeros(Weights(model.Fit(Samples(model), how: how).Model)["dense/w"]));
    }

    /// <summary>There depthwise weights have one range for each multiplier, where runtimes have one for each channel.</summary>
    [Fact]
    public void Depthwise_weights_have_a_scale_for_each_channel()
    {
        Model model = Convolutional();

        Model aware = model.Fit(Samples(model), how: Short with { Quantization = QuantizationAware.Default }).Model;

        Node depthwise = aware.Module.Main.Nodes.First(n => n.Op is DepthwiseConv2D);
        WeightGrid grid = depthwise.Inputs[1]!.Constant!.Structure!.Grid!;
        Assert.Equal((8, 3), (grid.Scales.Distinct().Count(), grid.Axis));
        Assert.True(PassModel.Find(aware.ToInt8().Module, depthwise.Name).Inputs[1]!.Type.Quant is { Scales.Length: 8, Axis: 3 });
    }

    /// <summary>There a convolution without bias is taken to have one weight for each channel, and is left alone.</summary>
    [Fact]
    public void A_convolution_without_bias_is_clustered_for_each_channel()
    {
        Model model = SeparateRectifier(8);
        Assert.Null(model.Module.Main.Nodes[0].Input(2));

        FitResult result = model.Fit(Samples(model), how: Short with { Clustering = new(4) { Scope = CodebookScope.Channel } });

        Assert.Equal((4, 8), (Weights(result.Model)["conv/w"].Structure!.Codebook!.Codes, Weights(result.Model)["conv/w"].Structure!.Codebook!.Groups));
        Assert.DoesNotContain(result.Skipped, s => s.Layer == "conv");
    }

    /// <summary>There a rectifier behind a convolution takes away the rounding of its weights, and with it zeros and codes.</summary>
    [Fact]
    public void A_convolution_before_a_separate_rectifier_is_quantized_and_keeps_its_codes()
    {
        Model model = SeparateRectifier(8);
        FitOptions how = Short with { Clustering = new(4), Pruning = new(PruningSchedule.Constant(0.5)), Quantization = QuantizationAware.Default };

        Model aware = model.Fit(Samples(model), how: how).Model;

        WeightStructure structure = Weights(aware)["conv/w"].Structure!;
        Assert.Equal((8, 4), (structure.Grid!.Bits, structure.Codebook!.Codes));
        TensorData stored = Weights(aware.ToInt8())["conv/w"];
        Assert.Equal(structure.Codes(Weights(aware)["conv/w"]).Select(c => (sbyte)c), stored.Span<sbyte>().ToArray());
        Assert.InRange(Distinct(stored), 2, 4);
    }

    /// <summary>There a dense layer with normalization and rectifier is rounded after both; integers are rounded once.</summary>
    [Fact]
    public void Dense_normalization_and_rectifier_have_one_rounding()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 8);
        Value y = model.Add("dense", new FullyConnected(), x, PassModel.Random("w", 1, 4, 8));
        y = model.Add("scale", new Mul(), y, PassModel.Floats("gamma", [4], 1, 2, 3, 4));
        y = model.Add("shift", new Add(), y, PassModel.Random("beta", 2, 4));
        Module module = model.Output(model.Add("relu", new Relu(), y)).Build();
        Dataset data = Dataset.Of(TensorData.FromFloats([4, 8], [.. Enumerable.Range(0, 32).Select(Normal)]));

        string[] rounded = [.. Quantizer.PlanActivations(module, QuantizationRecipe.StaticInt8, data.For(module)).Select(g => g.Value)];

        Assert.Equal(["relu", "x"], rounded.Order());
    }

    /// <summary>There the weights of the export are those of the last forward pass, without the update that followed.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_last_step_of_the_optimizer_is_in_the_export(bool clustered, bool aware)
    {
        Model model = Dense(10, 32, Normal);
        FitOptions how = Short with
        {
            Epochs = 1,
            BatchSize = 24,
            Clustering = clustered ? new(8) : null,
            Quantization = aware ? QuantizationAware.Default : null,
        };

        FitResult still = model.Fit(Samples(model), how: how with { Rate = LearningRate(1e-12) });
        FitResult moved = model.Fit(Samples(model), how: how with { Rate = LearningRate(0.05) });

        Assert.Equal(1, moved.Steps);
        Assert.NotEqual(Weights(still.Model)["dense/w"].AsFloats().ToArray(), Weights(moved.Model)["dense/w"].AsFloats().ToArray());

        static Optc.Runtime.Training.LearningRate LearningRate(double rate) => Optc.Runtime.Training.LearningRate.Constant(rate);
    }

    /// <summary>There one layer without zeros ends the keeping of zeros in all layers of its kind.</summary>
    [Fact]
    public void A_layer_without_zeros_does_not_cost_the_others_theirs()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 16);
        Value y = model.Add("full", new FullyConnected(), x, PassModel.Floats("full/w", [16, 16], [.. Enumerable.Range(1, 256).Select(i => Normal(i) + 0.01f)]));
        y = model.Add("sparse", new FullyConnected(), y, PassModel.Floats("sparse/w", [4, 16], [.. Enumerable.Range(0, 64).Select(i => i % 2 == 0 ? 0 : Normal(i))]));
        Model network = Model.Of(model.Output(y).Build());
        FitOptions how = Short with { Pruning = Pruning.KeepZeros, Clustering = new(8), Quantization = QuantizationAware.Default };

        Model result = network.Fit(Samples(network, 4), how: how).Model;

        Assert.True(Zeros(Weights(result.ToInt8())["sparse/w"]) >= 32);
        Assert.Null(Weights(result)["full/w"].Structure!.Mask);
    }

    /// <summary>There a codebook of the tensor whose codes every channel uses is taken for one of each channel, and grows.</summary>
    [Fact]
    public void A_codebook_of_the_tensor_stays_one()
    {
        Model model = SeparateRectifier(8);
        Model clustered = model.Fit(Samples(model), how: Short with { Clustering = new(3) }).Model;

        Model aware = clustered.Fit(Samples(clustered), how: Short with { Epochs = 4, Quantization = QuantizationAware.Default }).Model;

        Assert.Equal(1, Weights(aware)["conv/w"].Structure!.Codebook!.Groups);
        Assert.InRange(Distinct(Weights(aware.ToInt8())["conv/w"]), 2, 3);
    }

    /// <summary>There zeros may leave as -0, which coders of bytes tell apart.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_weight_leaves_training_as_negative_zero(bool clustered)
    {
        Model model = Convolutional();
        FitOptions how = Short with
        {
            Pruning = new(PruningSchedule.Constant(0.5)),
            Clustering = clustered ? new(4) { Depthwise = true } : null,
            Quantization = QuantizationAware.Default,
        };

        Assert.All(Weights(model.Fit(Samples(model), how: how).Model), w => Assert.Equal(0, w.Value.AsFloats().ToArray().Count(v => v == 0 && float.IsNegative(v))));
    }

    /// <summary>There a model that is built again and loaded has masks of random weights: of ones.</summary>
    [Fact]
    public void A_file_that_is_read_again_keeps_its_zeros_and_codes_in_training()
    {
        Model model = Convolutional();
        Model clustered = model.Fit(Samples(model), how: Short with { Pruning = new(PruningSchedule.Constant(0.5)), Clustering = new(4) }).Model;
        Model read = Model.Read(clustered.ToTfLite());

        Model aware = read.Fit(Samples(read), how: Short with { Quantization = QuantizationAware.Default }).Model;

        // What is equal is stored once, so that lengths vary a little with the values.
        Assert.InRange(aware.ToTfLite().Length - clustered.QuantizeAware().FineTune(Samples(read), 2, Short).ToTfLite().Length, -64, 64);
        StructureProof proof = StructureProof.Verify(clustered.Module, aware.ToInt8().ToTfLite());
        Assert.NotEmpty(proof.Results);
        Assert.All(proof.Results.Where(r => r.What != "codes unchanged"), r => Assert.True(r.Holds, r.ToString()));
    }

    /// <summary>There ranges begin at -6 to 6 and take thousands of steps to arrive.</summary>
    [Theory]
    [InlineData(RangeLearning.Learned)]
    [InlineData(RangeLearning.MovingAverage)]
    [InlineData(RangeLearning.Fixed)]
    public void Ranges_are_right_from_the_first_step(RangeLearning ranges)
    {
        Model model = Dense(3, 32, i => 0.01f * Normal(i));
        FitOptions how = Short with { Epochs = 1, BatchSize = 24, Quantization = new() { Ranges = ranges } };

        Model aware = model.Fit(Samples(model), how: how with { Rate = Optc.Runtime.Training.LearningRate.Constant(1e-6) }).Model;

        ActivationReport output = aware.ToInt8().Quantization!.Activations.Single(a => a.Name == "dense");
        Assert.InRange(output.High - output.Low, 0.02, 0.6);
    }

    /// <summary>There producers of a concatenation are wired in the order of the model instead of their own.</summary>
    [Fact]
    public void Operands_of_a_concatenation_keep_their_order()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4);
        Value a = model.Add("a", new FullyConnected(), x, PassModel.Random("a/w", 1, 3, 4));
        Value b = model.Add("b", new FullyConnected(), x, PassModel.Random("b/w", 2, 3, 4));
        Model network = Model.Of(model.Output(model.Add("y", new Concatenation(1), b, a)).Build());

        Model aware = network.Fit(Samples(network, 6), how: Short with { Quantization = QuantizationAware.Default }).Model;

        Assert.Equal(["b", "a"], PassModel.Find(aware.Module, "y").Inputs.Select(v => v!.Name));
        Assert.Equal(["b", "a"], PassModel.Find(aware.ToInt8().Module, "y").Inputs.Select(v => v!.Name));
    }

    /// <summary>There a frozen layer is silently not clustered.</summary>
    [Fact]
    public void A_frozen_layer_is_listed_with_the_reason()
    {
        Model model = SeparateRectifier(8);

        FitResult result = model.Fit(Samples(model), how: Short with { Clustering = new(4), Step = new() { Rates = [new("dense", 0)] } });

        Assert.Contains(result.Skipped, s => s is { Layer: "dense", Reason: "the layer is frozen" });
        Assert.Null(Weights(result.Model)["dense/w"].Structure);
    }

    /// <summary>There checkpoints in the middle of training are not sparse.</summary>
    [Fact]
    public void Every_step_ends_with_the_zeros_of_its_mask()
    {
        Model model = Dense(10, 32, Normal);
        FitOptions how = Short with { BatchSize = 24, Pruning = new(PruningSchedule.Constant(0.5)) };

        foreach (int steps in (ReadOnlySpan<int>)[1, 2, 3])
        {
            Assert.True(Zeros(Weights(model.Fit(Samples(model), how: how with { Epochs = steps }).Model)["dense/w"]) >= 160);
        }
    }

    /// <summary>There the rule by which weights were pruned is not saved with a model.</summary>
    [Theory]
    [InlineData("2:4")]
    [InlineData("channels")]
    public void The_rule_of_the_zeros_is_saved(string pattern)
    {
        Model model = Dense(16, 32, Normal);
        Pruning how = new(PruningSchedule.Constant(0.5)) { Pattern = pattern == "2:4" ? PruningPattern.Groups(2, 4) : PruningPattern.Channels };

        Model read = Model.Read(model.Fit(Samples(model), how: Short with { Pruning = how }).Model.ToTfLite());

        Assert.Equal(pattern, Weights(read)["dense/w"].Structure!.Mask!.Pattern);
    }
}
