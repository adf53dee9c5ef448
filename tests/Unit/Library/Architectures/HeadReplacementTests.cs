using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Library.Architectures;

public sealed class HeadReplacementTests
{
    [Fact]
    public void A_new_head_has_new_weights_and_the_body_stays()
    {
        Module module = Architecture.Find("resnet-8").Build(new() { Input = [8, 8, 3], Seed = 3 });

        Module changed = HeadReplacement.Apply(module, 2, seed: 9);

        Assert.Equal([1, 2], changed.Main.Outputs.Single().Type.Shape);
        Assert.Equal(["head/dense", "head/softmax"], changed.Main.Nodes.TakeLast(2).Select(n => n.Name));
        Assert.Equal(module.Main.Nodes.Select(n => n.Name), changed.Main.Nodes.Select(n => n.Name));
        Assert.Equal(module.Main.Nodes.SkipLast(2).Select(n => n.Input(1)?.Constant), changed.Main.Nodes.SkipLast(2).Select(n => n.Input(1)?.Constant));
        Assert.Same(changed.Main.Outputs[0], changed.Signatures[0].Outputs[0].Value);
        Assert.Equal([1, 10], module.Main.Outputs.Single().Type.Shape);

        float[] features = Run(Cut(module, 2));
        Node dense = changed.Main.Nodes[^2];
        float[] w = dense.Inputs[1]!.Constant!.AsFloats().ToArray();
        double[] logits = [.. Enumerable.Range(0, 2).Select(c => features.Select((f, i) => (double)f * w[(c * 64) + i]).Sum())];
        double sum = logits.Sum(l => Math.Exp(l));
        Assert.Equal(logits.Select(l => (float)(Math.Exp(l) / sum)), Run(changed), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void The_seed_decides_the_new_weights()
    {
        Module module = Architecture.Find("mlp").Build(new() { Input = [5] });

        float[] Weights(ulong seed) => HeadReplacement.Apply(module, 4, seed).Main.Nodes[^2].Inputs[1]!.Constant!.AsFloats().ToArray();

        Assert.Equal(Weights(1), Weights(1));
        Assert.NotEqual(Weights(1), Weights(2));
    }

    [Fact]
    public void A_convolution_of_one_position_is_a_dense_layer()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 1, 1, 3]));
        Value w = GraphBuilder.Constant(TensorData.FromFloats([5, 1, 1, 3], new float[15]), "w");
        Value y = builder.Add(new Conv2D(1, 1, PaddingMode.Same), [x, w], "logits").Output;
        Value shape = GraphBuilder.Constant(TensorData.FromInts([2], [1, 5]), "shape");
        y = builder.Add(new Reshape([1, 5]), [y, shape], "flat").Output;
        builder.Output(builder.Add(new Softmax(), [y], "y").Output);

        Module changed = HeadReplacement.Apply(GraphBuilder.Module([builder.Build()]), 2);

        Assert.Equal(["fully_connected", "softmax"], changed.Main.Nodes.Select(n => n.Op.Schema.Name));
        Assert.Equal([1, 2], changed.Main.Outputs[0].Type.Shape);
    }

    [Fact]
    public void Models_without_such_a_head_are_refused()
    {
        Module multiplied = TestModels.Scaled(2, "x", 3);

        Diagnostic problem = Assert.Single(Assert.Throws<DiagnosticException>(() => HeadReplacement.Apply(multiplied, 2)).Diagnostics);

        Assert.Equal("mul 'y'", problem.Found);
        Assert.Throws<DiagnosticException>(() => HeadReplacement.Apply(Architecture.Find("mlp").Build(), 1));
    }

    [SharedFact]
    public void A_third_party_classifier_takes_a_new_head()
    {
        string path = Path.Combine(SharedFolder.Path, "models", "pretrainedResnet", "pretrainedResnet.tflite");
        Model model = Model.Load(path);

        Model changed = Model.Read(Model.Of(HeadReplacement.Apply(model.Module, 3)).ToTfLite());

        Shape input = changed.Inputs[0].Type.Shape.With(0, 1);
        float[] y = changed.Run(TensorData.FromFloats(input, new float[input.ElementCount]))[0].AsFloats().ToArray();
        Assert.Equal(3, y.Length);
        Assert.Equal(1, y.Sum(), 1e-5);
    }

    private static Module Cut(Module module, int nodes)
    {
        Module copy = module.Clone();
        GraphPatch patch = new();
        patch.Replace(copy.Main.Outputs[0], copy.Main.Nodes[^(nodes + 1)].Output);
        patch.ApplyTo(copy, copy.Main, copy.Main.Nodes[^1]);
        return copy;
    }

    private static float[] Run(Module module)
    {
        Model model = Model.Of(module);
        Shape input = model.Inputs[0].Type.Shape;
        return model.Run(TensorData.FromFloats(input, [.. Enumerable.Range(0, (int)input.ElementCount).Select(i => (i % 9) / 4f)]))[0].AsFloats().ToArray();
    }
}
