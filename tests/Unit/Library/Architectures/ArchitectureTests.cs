using Optc.Architectures;
using Optc.Ir;
using Optc.Numerics;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Report;
using Optc.Runtime;
using Optc.Runtime.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Architectures;

public sealed class ArchitectureTests
{
    public static TheoryData<string> Names => [.. Architecture.All.Select(a => a.Name)];

    /// <summary>
    /// The published counts are those of Keras, where a normalized layer has four numbers for each channel (here the two that
    /// matter after folding) and, in MLPerf Tiny's models but not in Google's, a bias that the normalization undoes (here none).
    /// </summary>
    [Theory]
    [InlineData("resnet-8", 1, null, null, true, 78_666)]
    [InlineData("ds-cnn-s", 1, null, null, true, 24_908)]
    [InlineData("mobilenet-v1", 0.25, null, null, true, 221_794)]
    [InlineData("autoencoder", 1, null, null, true, 269_992)]
    [InlineData("mobilenet-v1", 1, 224, 1000, false, 4_253_864)]
    [InlineData("mobilenet-v2", 1, 224, 1000, false, 3_538_984)]
    public void Parameters_are_as_many_as_published(string name, double width, int? size, int? classes, bool biasBesideNormalization, long published)
    {
        Module module = Build(name, new() { Width = width, Input = size is { } s ? [s, s, 3] : null, Classes = classes });

        long normalized = module.Main.Nodes.Where(n => n.Name.EndsWith("/bn_scale", StringComparison.Ordinal)).Sum(n => n.Inputs[1]!.Type.ElementCount);

        Assert.Equal(published, Parameters(module) + (normalized * (biasBesideNormalization ? 3 : 2)));
    }

    /// <summary>Operations in the papers are two for each product; MobileNets count multiply-accumulates. Tolerance: their rounding.</summary>
    [Theory]
    [InlineData("ds-cnn-s", 1, null, 5.4e6 / 2, 0.02)]
    [InlineData("ds-cnn-m", 1, null, 19.8e6 / 2, 0.02)]
    [InlineData("ds-cnn-l", 1, null, 56.9e6 / 2, 0.02)]
    [InlineData("resnet-8", 1, null, 12.5e6, 0.01)]
    [InlineData("mobilenet-v1", 1, 224, 569e6, 0.01)]
    [InlineData("mobilenet-v1", 0.25, 224, 41e6, 0.02)]
    [InlineData("mobilenet-v2", 1, 224, 300e6, 0.01)]
    [InlineData("autoencoder", 1, null, 264_192, 0)]
    public void Multiply_accumulates_are_as_many_as_published(string name, double width, int? size, double published, double tolerance)
    {
        Module module = Build(name, new() { Width = width, Input = size is { } s ? [s, s, 3] : null, Classes = size is null ? null : 1000 });

        long products = module.Main.Nodes.Where(n => n.Op is not Mul).Sum(MultiplyAccumulates.Of);

        Assert.InRange(products / published, 1 - tolerance, 1 + tolerance);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Normalization_folds_into_layers_with_a_bias(string name)
    {
        Module folded = Pipelines.PrepareForQuantization.Run(Build(name, Small(name)), new());
        Module plain = Pipelines.PrepareForQuantization.Run(Build(name, Small(name) with { BatchNormalization = false }), new());

        Assert.Equal(plain.Main.Nodes.Select(n => n.Op.GetType()), folded.Main.Nodes.Select(n => n.Op.GetType()));
        Assert.DoesNotContain(folded.Main.Nodes, n => n.Op is Mul);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_shape_of_input_and_number_of_classes_gives_a_model_that_runs(string name)
    {
        Architecture architecture = Architecture.Find(name);
        foreach (Shape shape in (Shape[])(architecture.TakesImages ? [[1, 1, 1], [7, 5, 2], [33, 20], [16, 16, 3]] : [[1], [13], [3, 4, 2]]))
        {
            Model model = Model.Of(architecture.Build(Small(name) with { Input = shape, Classes = architecture.DefaultClasses is null ? null : 3 }));
            Shape input = model.Inputs.Single().Type.Shape;
            float[] x = [.. Enumerable.Range(0, (int)input.ElementCount).Select(i => (i % 7) / 3f)];

            float[] y = Model.Read(model.ToTfLite()).Run(TensorData.FromFloats(input, x))[0].AsFloats().ToArray();

            Assert.All(y, v => Assert.True(float.IsFinite(v)));
            if (architecture.DefaultClasses is null)
            {
                Assert.Equal(input, model.Outputs.Single().Type.Shape);
            }
            else
            {
                Assert.Equal([1, 3], model.Outputs.Single().Type.Shape);
                Assert.Equal(1, y.Sum(), 1e-5);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Batches_pass_as_samples_one_by_one(string name)
    {
        Module module = Build(name, Small(name));
        Shape sample = module.Main.Inputs[0].Type.Shape;
        float[] x = [.. Enumerable.Range(0, 3 * (int)sample.ElementCount).Select(i => (i % 11) / 5f)];
        GraphBuilder builder = new("batch");
        builder.Output(new ForwardCopy(module.Main, builder, 3, new Dictionary<Value, Value>(), []).Run(module.Main.Outputs[0]));
        using Interpreter single = new(module);
        using Interpreter batch = new(GraphBuilder.Module([builder.Build()]));

        x.CopyTo(batch.Input<float>(0));
        batch.Run();

        float[] together = batch.Output<float>(0).ToArray();
        for (int i = 0; i < 3; i++)
        {
            x.AsSpan(i * (x.Length / 3), x.Length / 3).CopyTo(single.Input<float>(0));
            single.Run();
            Assert.Equal(single.Output<float>(0).ToArray(), together.AsSpan(i * (together.Length / 3), together.Length / 3).ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Signals_keep_their_size_through_a_fresh_model(string name)
    {
        Module module = Build(name, Small(name));
        Model model = Model.Of(module);
        Shape input = model.Inputs[0].Type.Shape;
        SplitMix64 random = SplitMix64.Of(3);
        float[] x = [.. Enumerable.Range(0, (int)input.ElementCount).Select(_ => (float)random.NextNormal())];

        float[] y = model.Run(TensorData.FromFloats(input, x))[0].AsFloats().ToArray();

        Assert.InRange(y.Max(Math.Abs), 1e-3, 30);
        Assert.True(y.Distinct().Count() > 1);
    }

    [Fact]
    public void Weights_are_a_function_of_seed_and_layer()
    {
        Module a = Build("resnet-8", new() { Seed = 1 });
        Module b = Build("resnet-8", new() { Seed = 1, Classes = 3, BatchNormalization = false });
        Module c = Build("resnet-8", new() { Seed = 2 });

        Assert.Equal(WeightsOf(a, "block2/conv1"), WeightsOf(b, "block2/conv1"));
        Assert.NotEqual(WeightsOf(a, "block2/conv1"), WeightsOf(c, "block2/conv1"));
        Assert.NotEqual(WeightsOf(a, "block2/conv2"), WeightsOf(a, "block2/conv1"));
        Assert.Equal(Model.Of(a).ToTfLite(), Model.Of(Build("resnet-8", new() { Seed = 1 })).ToTfLite());
    }

    [Theory]
    [InlineData(Initializer.HeNormal, 2.0 / 288)]
    [InlineData(Initializer.HeUniform, 2.0 / 288)]
    [InlineData(Initializer.GlorotUniform, 2.0 / (288 + 576))]
    public void Initial_weights_have_the_variance_of_their_initializer(Initializer initializer, double variance)
    {
        float[] w = WeightsOf(Build("resnet-8", new() { Initializer = initializer }), "block3/conv1");

        Assert.Equal(64 * 288, w.Length);
        Assert.Equal(0, w.Average(), 3 * Math.Sqrt(variance / w.Length));
        Assert.Equal(1, w.Average(v => (double)v * v) / variance, 0.05);
        double limit = Math.Sqrt(variance) * (initializer is Initializer.HeNormal ? 3.47 : Math.Sqrt(3));
        Assert.InRange(w.Max(), 0.85 * limit, limit);
    }

    /// <summary>The first bits of a model must never change: a seed is part of how an experiment is described.</summary>
    [Fact]
    public void The_first_weights_of_seed_0_are_these() => Assert.Equal(
        [-1101482841, 1052997569, 1040323171, -1111892491],
        WeightsOf(Build("ds-cnn-s", new()), "stem/conv").Take(4).Select(BitConverter.SingleToInt32Bits));

    [Fact]
    public void Layers_say_what_they_are_and_normalization_is_a_pair()
    {
        Module module = Build("ds-cnn-s", new());

        Assert.Equal(
            ["stem/conv", "stem/conv/bn_scale", "stem/conv/bn_shift", "block1/depthwise", "block1/depthwise/bn_scale", "block1/depthwise/bn_shift"],
            module.Main.Nodes.Take(6).Select(n => n.Name));
        Assert.Equal(["head/pool", "head/pool/flat", "head/dense", "head/softmax"], module.Main.Nodes.TakeLast(4).Select(n => n.Name));
        Assert.All(module.Main.Nodes.Where(n => n.Name.EndsWith("/bn_scale", StringComparison.Ordinal)), n =>
        {
            Node shift = Assert.Single(n.Output.Users);
            Assert.Equal(n.Name.Replace("scale", "shift", StringComparison.Ordinal), shift.Name);
            Assert.Equal(FusedActivation.Relu, Assert.IsType<Add>(shift.Op).Activation);
            Assert.All(n.Inputs[1]!.Constant!.AsFloats().ToArray(), v => Assert.Equal(1, v));
            Assert.All(shift.Inputs[1]!.Constant!.AsFloats().ToArray(), v => Assert.Equal(0, v));
        });
    }

    [Theory]
    [InlineData(0.25, 16, 8)]
    [InlineData(0.35, 32, 16)]
    [InlineData(0.5, 24, 16)]
    [InlineData(1, 172, 172)]
    [InlineData(1.4, 24, 32)]
    public void Channels_are_multiples_of_8_unless_the_width_is_1(double width, int channels, int expected) =>
        Assert.Equal(expected, new LayerBuilder(new() { Width = width }).Channels(channels));

    [Fact]
    public void What_cannot_be_built_is_refused()
    {
        Assert.Contains("resnet-8", Refusal(() => Architecture.Find("resnet")).Expected, StringComparison.Ordinal);
        Assert.Equal("[3]", Refusal(() => Build("resnet-8", new() { Input = [3] })).Found);
        Assert.Equal("[3, 0, 1]", Refusal(() => Build("resnet-8", new() { Input = [3, 0, 1] })).Found);
        Assert.Equal("1", Refusal(() => Build("resnet-8", new() { Classes = 1 })).Found);
        Assert.Equal("5 classes", Refusal(() => Build("autoencoder", new() { Classes = 5 })).Found);
        Assert.Equal("0", Refusal(() => Build("mlp", new() { Width = 0 })).Found);
        Assert.Equal("NaN", Refusal(() => Build("mlp", new() { Width = double.NaN })).Found);
        Assert.Equal("[100000, 100000, 3]", Refusal(() => Build("mlp", new() { Input = [100_000, 100_000, 3] })).Found);
    }

    [Fact]
    public void The_list_is_in_alphabetical_order() =>
        Assert.Equal(Architecture.All.Select(a => a.Name).Order(StringComparer.Ordinal), Architecture.All.Select(a => a.Name));

    private static ArchitectureOptions Small(string name) => new() { Width = 0.25, Input = Architecture.Find(name).TakesImages ? [16, 16, 3] : [20] };

    private static Module Build(string name, ArchitectureOptions options) => Architecture.Find(name).Build(options);

    private static long Parameters(Module module) => module.Main.Values()
        .Where(v => v.Constant is { DType: DType.F32 })
        .Sum(v => v.Type.ElementCount);

    private static float[] WeightsOf(Module module, string layer) =>
        module.Main.Nodes.Single(n => n.Name == layer).Inputs[1]!.Constant!.AsFloats().ToArray();

    private static Diagnostic Refusal(Action action) => Assert.Single(Assert.Throws<DiagnosticException>(action).Diagnostics);
}
