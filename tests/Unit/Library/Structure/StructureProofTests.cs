using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Structure;
using Optc.Tests.Unit.Ir;
using Optc.Tests.Unit.Passes;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library.Structure;

public sealed class StructureProofTests
{
    private static readonly string[] Layers = ["conv", "depthwise", "dense"];

    /// <summary>From the float model with its normalization to the bytes of the integer model.</summary>
    [Fact]
    public void Integers_keep_what_the_float_model_was_bound_to()
    {
        Module module = Network(grid: true);
        byte[] file = Model.Of(FloatModel.Quantize(module).Module).ToTfLite();

        StructureProof proof = StructureProof.Verify(module, file);

        Assert.True(proof.Holds);
        Assert.Equal(Layers.SelectMany(l => new[] { (l, "zeros kept"), (l, "distinct codes"), (l, "codes unchanged") }), proof.Results.Select(r => (r.Layer, r.What)));
        Assert.All(proof.Results.Where(r => r.What != "distinct codes"), r => Assert.Equal(r.Expected, r.Found));
        Assert.Same(proof, proof.ThrowIfBroken());
    }

    [Fact]
    public void A_float_codebook_is_looked_for_in_each_channel()
    {
        Module module = Network(grid: false);

        StructureProof proof = StructureProof.Verify(module, Model.Of(FloatModel.Quantize(module).Module).ToTfLite());

        Assert.True(proof.Holds);
        Assert.Contains(proof.Results, r => r is { Layer: "conv", What: "distinct codes of each group" });
        Assert.DoesNotContain(proof.Results, r => r.What == "codes unchanged");
    }

    [Fact]
    public void A_float_file_keeps_everything()
    {
        Module module = Network(grid: true);

        Assert.True(StructureProof.Verify(module, Model.Of(module).ToTfLite()).Holds);
        Assert.True(StructureProof.Verify(module, Model.Of(module).Apply(Optc.Passes.Pipelines.PrepareForQuantization).ToTfLite()).Holds);
        Assert.True(StructureProof.Verify(module, Model.Of(module).Quantize(QuantizationRecipe.Float16).ToTfLite()).Holds);
    }

    /// <summary>The int8 path that knows nothing of grids breaks clusters, and is found out.</summary>
    [Fact]
    public void What_was_lost_is_found()
    {
        Module module = Network(grid: true);
        Module careless = Stripped(module);
        byte[] file = Model.Of(FloatModel.Quantize(careless).Module).ToTfLite();

        StructureProof proof = StructureProof.Verify(module, file);

        Assert.False(proof.Holds);
        InvariantResult lost = proof.Results.First(r => r is { Layer: "conv", Holds: false });
        Diagnostic problem = Assert.Throws<DiagnosticException>(proof.ThrowIfBroken).Diagnostics[0];
        Assert.Equal(DiagnosticId.StructureBroken, problem.Id);
        Assert.Equal((lost.Expected, lost.Found), (problem.Expected, problem.Found));
        Assert.Contains("conv", problem.At[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_zero_is_found()
    {
        Module module = Network(grid: true);
        Module changed = module.Clone();
        Value weight = PassModel.Find(changed, "conv").Inputs[1]!;
        TensorData data = weight.Constant!;
        int zero = data.Structure!.Mask!.Kept.IndexOf(false);
        GraphPatch patch = new();
        patch.SetInput(PassModel.Find(changed, "conv"), 1, GraphBuilder.Constant(data.With(zero, 1e-20f).With(null), weight.Name));
        patch.ApplyTo(changed, changed.Main, PassModel.Find(changed, "conv"));

        InvariantResult lost = StructureProof.Verify(module, Model.Of(changed).ToTfLite()).Results.First(r => !r.Holds);

        int zeros = data.Structure.Mask.Zeros;
        Assert.Equal(("conv", "zeros kept", $"{zeros} of {zeros}"), (lost.Layer, lost.What, lost.Expected));
    }

    [Fact]
    public void A_weight_that_is_missing_or_has_another_shape_is_found()
    {
        Module module = Network(grid: true);

        Assert.Contains(StructureProof.Verify(module, Model.Of(RandomGraph.Make(1)).ToTfLite()).Results, r => r is { What: "weight in the file", Found: "none", Holds: false });
    }

    [Fact]
    public void Models_without_structures_have_nothing_to_prove() =>
        Assert.Empty(StructureProof.Verify(RandomGraph.Make(1), Model.Of(RandomGraph.Make(1)).ToTfLite()).Results);

    private static Module Stripped(Module module)
    {
        Module result = module.Clone();
        foreach (Value value in result.Main.Nodes.SelectMany(n => n.Inputs).OfType<Value>().Where(v => v.Constant is not null))
        {
            GraphPatch.Bind(value, null);
        }

        return result;
    }

    private static Module Network(bool grid)
    {
        PassModel model = new();
        Random random = new(6);
        Value y = model.Input("x", 1, 6, 6, 3);
        y = model.Add("conv", new Conv2D(1, 1, PaddingMode.Same), y, Weight("conv/w", [6, 3, 3, 3], 0));
        y = model.Add("scale", new Mul(), y, PassModel.Floats("gamma", [6], 1, 0.3f, 2, 0.7f, 1.1f, 3));
        y = model.Add("shift", new Add(FusedActivation.Relu), y, PassModel.Random("beta", 1, 6));
        y = model.Add("depthwise", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1, FusedActivation.Relu), y, Weight("depthwise/w", [1, 3, 3, 6], 3));
        y = model.Add("flat", new Reshape([1, 216]), y);
        return model.Output(model.Add("dense", new FullyConnected(), y, Weight("dense/w", [4, 216], 0))).Build();

        Value Weight(string name, Shape shape, int axis) => GraphBuilder.Constant(PlantedWeight.Make(random, shape, axis, grid, codes: 6, masked: true), name);
    }
}
