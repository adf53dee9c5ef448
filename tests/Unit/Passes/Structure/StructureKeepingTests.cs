using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Tests.Unit.Ir;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Passes.Structure;

/// <summary>Weights with planted structures go through every pass, and what they are bound to holds of what comes out.</summary>
public sealed class StructureKeepingTests
{
    public static TheoryData<string> Passes => [.. PassSet.All.Select(p => p.Name)];

    public static TheoryData<string> Pipes => [.. Pipelines.All.Select(p => p.Name)];

    public static TheoryData<string> Recipes => [.. QuantizationRecipe.All.Select(r => r.Name)];

    public static TheoryData<string> Architectures => [.. Architecture.All.Select(a => a.Name)];

    /// <summary>The pipeline compares before and after every pass; that it can fail is tested below.</summary>
    [Theory]
    [MemberData(nameof(Passes))]
    public void A_pass_keeps_structures(string name) => Check(new Pipeline(name, [PassSet.Find(name)!], []));

    [Theory]
    [MemberData(nameof(Pipes))]
    public void A_pipeline_keeps_structures(string name) => Check(Pipelines.Find(name)!);

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Quantization_keeps_structures(string name)
    {
        QuantizationRecipe recipe = QuantizationRecipe.All.Single(r => r.Name == name) with { RequireInteger = false, MinimumElements = 0 };
        int integers = 0;
        for (int seed = 0; seed < 40; seed++)
        {
            Module source = Plant(RandomGraph.Make(seed), seed);
            Module result = Quantizer.Quantize(source, recipe, FloatModel.Data(source, count: 2)).Module;
            integers += Structured(result).Count(d => d.DType is not DType.F32);
        }

        Assert.InRange(integers, 20, int.MaxValue);
    }

    /// <summary>From the built-in architecture through folding to integers: every weight that was bound still is.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_weight_of_an_architecture_is_bound_to_the_end(string name)
    {
        Module source = Plant(Architecture.Find(name).Build(new() { Width = 0.25 }), seed: 3);
        Dictionary<string, WeightStructure> bound = ByLayer(source);
        Assert.NotEmpty(bound);

        Module prepared = Pipelines.PrepareForQuantization.Run(source);

        Assert.All(ByLayer(prepared), layer => Assert.Equal(bound[layer.Key].Mask?.Zeros, layer.Value.Mask?.Zeros));
        Assert.Equal(bound.Keys.Order(), ByLayer(prepared).Keys.Order());

        // Integers are a grid by themselves.
        Module integers = Quantizer.Quantize(prepared, QuantizationRecipe.DynamicRange with { MinimumElements = 0 }).Module;
        Assert.Equal(
            bound.Where(b => b.Value.Mask is not null || b.Value.Codebook is not null).Select(b => b.Key).Order(),
            ByLayer(integers).Where(b => b.Value.Mask is not null || b.Value.Codebook is not null).Select(b => b.Key).Order());
    }

    [Fact]
    public void A_pass_that_loses_a_structure_is_named_with_layer_expected_and_found()
    {
        Module module = Plant(RandomGraph.Make(1), seed: 1);
        Node layer = module.Main.Nodes.First(n => n.Inputs.Any(v => v?.Constant?.Structure?.Mask is not null));
        int operand = layer.Inputs.ToList().FindIndex(v => v?.Constant?.Structure?.Mask is not null);
        string zeros = $"{layer.Inputs[operand]!.Constant!.Structure!.Mask!.Zeros} zeros";

        Diagnostic problem = Assert.Throws<DiagnosticException>(() => new Pipeline("one", [new Forgetful(layer.Name, operand)], []).Run(module)).Diagnostics[0];

        Assert.Equal(DiagnosticId.StructureBroken, problem.Id);
        Assert.Contains("'forgetful'", problem.Message, StringComparison.Ordinal);
        Assert.Contains(problem.At, at => at.Contains(layer.Name, StringComparison.Ordinal));
        Assert.Equal((zeros, "none"), (problem.Expected, problem.Found));
    }

    [Fact]
    public void A_pass_that_breaks_values_is_stopped_by_the_verifier()
    {
        Module module = Plant(RandomGraph.Make(1), seed: 1);
        Node layer = module.Main.Nodes.First(n => n.Inputs.Any(v => v?.Constant?.Structure?.Mask is not null));
        int operand = layer.Inputs.ToList().FindIndex(v => v?.Constant?.Structure?.Mask is not null);

        Assert.Equal(DiagnosticId.StructureBroken, Assert.Throws<DiagnosticException>(
            () => new Pipeline("one", [new Forgetful(layer.Name, operand, Keep: true)], []).Run(module)).Diagnostics[0].Id);
    }

    [Theory]
    [InlineData("reshape")]
    [InlineData("transpose")]
    [InlineData("squeeze")]
    [InlineData("cast")]
    public void A_weight_that_is_folded_from_a_constant_keeps_its_structure(string op)
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 6);
        TensorData data = PlantedWeight.Make(new(5), op is "transpose" ? [6, 4] : [4, 6, 1], op is "transpose" ? 1 : 0, grid: true, codes: 5, masked: true);
        Value constant = GraphBuilder.Constant(data, "w0");
        Value w = op switch
        {
            "reshape" => model.Add("w", new Reshape([4, 6]), constant),
            "squeeze" => model.Add("w", new Squeeze([2]), constant),
            "cast" => model.Add("w", new Cast(DType.F32), model.Add("r", new Reshape([4, 6]), constant)),
            _ => model.Add("w", new Transpose(), constant, PassModel.Ints("p", 1, 0)),
        };
        Module module = model.Output(model.Add("y", new FullyConnected(), x, w)).Build();

        Module folded = new Pipeline("fold", [PassSet.FoldConstants], []).Run(module);

        TensorData result = PassModel.Find(folded, "y").Inputs[1]!.Constant!;
        Assert.Equal(data.Structure!.Mask!.Zeros, result.Structure!.Mask!.Zeros);
        Assert.Equal(data.Structure.Grid!.Scales, result.Structure.Grid!.Scales);
        Assert.Equal((5, 1, 0), (result.Structure.Codebook!.Codes, result.Structure.Codebook.Groups, result.Structure.Grid.Axis));
        Assert.Empty(result.Check());
    }

    [Fact]
    public void Equal_weights_are_shared_only_with_equal_structures()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 6);
        TensorData data = PlantedWeight.Make(new(5), [4, 6], 0, grid: false, codes: 5, masked: false);
        Value a = model.Add("a", new FullyConnected(), x, GraphBuilder.Constant(data, "w"));
        Value b = model.Add("b", new FullyConnected(), x, GraphBuilder.Constant(data.With(null), "w2"));
        Module module = model.Output(model.Add("y", new Add(), a, b)).Build();

        Module merged = Pipelines.Simplify.Run(module);

        Assert.NotNull(PassModel.Find(merged, "a").Inputs[1]!.Constant!.Structure);
    }

    private static void Check(Pipeline pipeline)
    {
        int bound = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            Module after = pipeline.Run(Plant(RandomGraph.Make(seed), seed));
            bound += Structured(after).Count();
        }

        Assert.InRange(bound, 60, int.MaxValue);
    }

    private static IEnumerable<TensorData> Structured(Module module) =>
        module.Main.Nodes.SelectMany(n => n.Inputs).Where(v => v?.Constant?.Structure is not null).Select(v => v!.Constant!);

    private static Dictionary<string, WeightStructure> ByLayer(Module module) => module.Main.Nodes
        .Where(n => n.Inputs.Any(v => v?.Constant?.Structure is not null))
        .ToDictionary(n => n.Name, n => n.Inputs.First(v => v?.Constant?.Structure is not null)!.Constant!.Structure!);

    /// <summary>Puts structured weights in place of those of layers.</summary>
    internal static Module Plant(Module module, int seed)
    {
        Random random = new(seed);
        Module result = module.Clone();
        foreach (PrunableWeight weight in PrunableWeight.Of(result.Main).Where(w => w.Source is { Constant.DType: DType.F32 }))
        {
            Value planted = GraphBuilder.Constant(PlantedWeight.Random(random, weight.Source!.Type.Shape, weight.Kernel.OutputsInnermost ? 3 : 0), weight.Source.Name);
            foreach (Node node in weight.Source.Users.Distinct().ToArray())
            {
                GraphPatch patch = new();
                foreach (int i in Enumerable.Range(0, node.Inputs.Length).Where(i => node.Inputs[i] == weight.Source))
                {
                    patch.SetInput(node, i, planted);
                }

                patch.ApplyTo(result, result.Main, node);
            }
        }

        Verifier.ThrowIfBroken(result);
        return result;
    }

    /// <summary>Replaces a weight by one that knows nothing of its structure, or does not fit it.</summary>
    private sealed record Forgetful(string Layer, int Operand, bool Keep = false) : IPass
    {
        public string Name => "forgetful";

        public string Summary => "for tests";

        public void Run(Module module, PassContext context)
        {
            Node node = PassModel.Find(module, Layer);
            Value weight = node.Inputs[Operand]!;
            float[] values = Keep ? [.. weight.Constant!.AsFloats().ToArray().Select(v => v + 1)] : weight.Constant!.AsFloats().ToArray();
            GraphPatch patch = new();
            patch.SetInput(node, Operand, GraphBuilder.Constant(
                TensorData.FromFloats(weight.Type.Shape, values).With(Keep ? weight.Constant!.Structure : null), weight.Name));
            patch.ApplyTo(module, module.Main, node);
        }
    }
}
