using System.Collections.Immutable;
using System.Text;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Optc.Structure;
using Optc.Tests.Unit.Ir;
using Optc.Tests.Unit.Passes;
using Optc.Tests.Unit.Passes.Structure;
using Xunit;

namespace Optc.Tests.Unit.Library.Structure;

/// <summary>Structures of float weights live on in files, and files that were changed behind them are refused.</summary>
public sealed class StructureRecordTests
{
    private const string Entry = "optc.weight_structure";

    [Fact]
    public void A_file_keeps_every_structure()
    {
        int bound = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            Module before = StructureKeepingTests.Plant(RandomGraph.Make(seed), seed);

            Module after = Model.Read(Model.Of(before).ToTfLite()).Module;

            ImmutableArray<BoundWeight> expected = WeightStructures.Of(before);
            ImmutableArray<BoundWeight> found = WeightStructures.Of(after);
            Assert.Equal(expected.Length, found.Length);
            Assert.All(expected.Zip(found), pair => Same(pair.First.Structure, pair.Second.Structure));
            Assert.DoesNotContain(after.Metadata, m => m.Name == Entry);
            bound += found.Length;
        }

        Assert.InRange(bound, 60, int.MaxValue);
    }

    [Fact]
    public void The_same_bytes_come_out_of_reading_and_writing()
    {
        byte[] file = Model.Of(StructureKeepingTests.Plant(RandomGraph.Make(5), 5)).ToTfLite();

        Assert.Equal(file, Model.Read(file).ToTfLite());
    }

    [Fact]
    public void Two_weights_of_one_name_are_told_apart()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4);
        TensorData first = PlantedWeight.Make(new(1), [4, 4], 0, grid: true, codes: 3, masked: false);
        TensorData second = PlantedWeight.Make(new(2), [4, 4], 0, grid: false, codes: 5, masked: true);
        Value y = model.Add("a", new FullyConnected(), x, GraphBuilder.Constant(first, "w"));
        Module module = model.Output(model.Add("b", new FullyConnected(), y, GraphBuilder.Constant(second, "w"))).Build();

        BoundWeight[] found = [.. WeightStructures.Of(Model.Read(Model.Of(module).ToTfLite()).Module)];

        Same(first.Structure!, found[0].Structure);
        Same(second.Structure!, found[1].Structure);
    }

    [Fact]
    public void Half_precision_keeps_its_record()
    {
        Module module = Layer(PlantedWeight.Make(new(1), [4, 8], 0, grid: true, codes: 5, masked: true));
        Module half = Quantizer.Quantize(module, QuantizationRecipe.Float16 with { MinimumElements = 0 }).Module;

        Module read = Model.Read(Model.Of(half).ToTfLite()).Module;

        TensorData weight = PassModel.Find(read, "y").Inputs[1]!.Producer!.Inputs[0]!.Constant!;
        Assert.Equal((DType.F16, 5), (weight.DType, weight.Structure!.Codebook!.Codes));
    }

    [Fact]
    public void Integers_carry_no_record()
    {
        Module module = Layer(PlantedWeight.Make(new(1), [4, 8], 0, grid: true, codes: 5, masked: true));
        Module integers = Quantizer.Quantize(module, QuantizationRecipe.DynamicRange with { MinimumElements = 0 }).Module;
        Assert.NotNull(PassModel.Find(integers, "y").Inputs[1]!.Constant!.Structure);

        Assert.Equal(-1, Encoding.UTF8.GetString(Model.Of(integers).ToTfLite()).IndexOf(Entry, StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_without_structures_has_no_record() =>
        Assert.Equal(-1, Encoding.UTF8.GetString(Model.Of(RandomGraph.Make(3)).ToTfLite()).IndexOf(Entry, StringComparison.Ordinal));

    /// <summary>As another tool would that trains on and knows nothing of the record.</summary>
    [Theory]
    [InlineData("zeros", "a weight does not keep its zeros", "7", "at least 8")]
    [InlineData("codes", "a weight does not keep its distinct codes", "4", "3 at most")]
    [InlineData("grid", "a weight does not keep its values on their grid", "a value 0.400 of a step beside it", "whole steps")]
    [InlineData("name", "a weight with a structure is not there", "none", "a constant of this name")]
    [InlineData("type", "a weight with a structure is no float any more", "i8", "f32 or f16")]
    [InlineData("shape", "a weight does not keep its a scale for each channel", "4", "2")]
    public void A_file_that_was_changed_is_refused_with_layer_expected_and_found(string what, string message, string found, string expected)
    {
        float[] values = [0, 0.5f, 0, 1, 0, 2, 0, 4, 0, 8, 0, 16, 0, 8, 0, 16];
        TensorData weight = TensorData.FromFloats([4, 4], values).With(new WeightStructure
        {
            Mask = new("elements", [.. values.Select(v => v != 0)]),
            Codebook = new(3),
            Grid = new([0.5f, 2, 8, 8], 0),
        });
        Module written = StructureRecord.Attach(Layer(weight));
        float[] changed = [.. values];
        (int at, float value) = what switch { "zeros" => (0, 0.5f), "codes" => (15, 32), "grid" => (1, 0.7f), _ => (0, 0f) };
        changed[at] = value;
        TensorData other = what switch
        {
            "type" => TensorData.From<sbyte>(DType.I8, [4, 4], new sbyte[16]),
            "shape" => TensorData.FromFloats([2, 8], changed),
            _ => TensorData.FromFloats([4, 4], changed),
        };
        Module file = Layer(other, what is "name" ? "other" : "w", written.Metadata);

        Diagnostic problem = Assert.Single(Refused(file).Diagnostics);

        Assert.Equal((DiagnosticId.StructureBroken, message, found, expected), (problem.Id, problem.Message, problem.Found, problem.Expected));
        Assert.Contains(problem.At, a => what is "name" ? a.Contains("'w'", StringComparison.Ordinal) : a.Contains("'y'", StringComparison.Ordinal));
        Assert.Contains(Entry, problem.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"version\": 2, \"weights\": []}")]
    [InlineData("{\"version\": 1}")]
    [InlineData("{\"version\": 1, \"weights\": [{}]}")]
    [InlineData("{\"version\": 1, \"weights\": [7]}")]
    [InlineData("{\"version\": 1, \"weights\": [{\"tensor\": null}]}")]
    [InlineData("{\"version\": 1, \"weights\": [{\"tensor\": \"w\", \"codebook\": {}}]}")]
    [InlineData("{\"version\": 1, \"weights\": [{\"tensor\": \"w\", \"codebook\": {\"codes\": 1e99, \"groups\": 1, \"axis\": 0, \"pins_zero\": true}}]}")]
    [InlineData("{\"version\": 1, \"weights\": [{\"tensor\": \"w\", \"grid\": {\"bits\": 8, \"axis\": 0, \"scales\": [\"a\"]}}]}")]
    [InlineData("{\"version\": 1, \"weights\": [{\"tensor\": \"w\", \"mask\": {\"pattern\": 4, \"zeros\": 1}}]}")]
    public void A_damaged_record_is_refused(string text)
    {
        Module file = Layer(PlantedWeight.Make(new(1), [4, 4], 0, grid: false, codes: 0, masked: false), "w", [(Entry, Encoding.UTF8.GetBytes(text))]);

        Assert.Equal(DiagnosticId.MalformedFile, Assert.Single(Refused(file).Diagnostics).Id);
    }

    /// <summary>Numbers that are well formed and make no sense.</summary>
    [Theory]
    [InlineData("\"codebook\": {\"codes\": 0, \"groups\": 1, \"axis\": 0, \"pins_zero\": true}")]
    [InlineData("\"codebook\": {\"codes\": 99, \"groups\": 3, \"axis\": 0, \"pins_zero\": true}")]
    [InlineData("\"codebook\": {\"codes\": 99, \"groups\": 2000000000, \"axis\": 0, \"pins_zero\": true}")]
    [InlineData("\"codebook\": {\"codes\": 99, \"groups\": 1, \"axis\": 7, \"pins_zero\": true}")]
    [InlineData("\"grid\": {\"bits\": 40, \"axis\": 0, \"scales\": [1]}")]
    [InlineData("\"grid\": {\"bits\": 8, \"axis\": -1, \"scales\": [1]}")]
    [InlineData("\"grid\": {\"bits\": 8, \"axis\": 0, \"scales\": []}")]
    [InlineData("\"grid\": {\"bits\": 8, \"axis\": 0, \"scales\": [-1]}")]
    [InlineData("\"grid\": {\"bits\": 8, \"axis\": 0, \"scales\": [1e40]}")]
    [InlineData("\"mask\": {\"pattern\": \"elements\", \"zeros\": 17}")]
    public void A_record_that_makes_no_sense_is_refused(string part)
    {
        byte[] text = Encoding.UTF8.GetBytes("{\"version\": 1, \"weights\": [{\"tensor\": \"w\", " + part + "}]}");
        Module file = Layer(PlantedWeight.Make(new(1), [4, 4], 0, grid: false, codes: 0, masked: false), "w", [(Entry, text)]);

        Assert.All(Refused(file).Diagnostics, d => Assert.True(d.Id == DiagnosticId.StructureBroken || d.Id == DiagnosticId.MalformedFile));
    }

    private static DiagnosticException Refused(Module file) =>
        Assert.Throws<DiagnosticException>(() => Model.Read(Optc.Backends.TfLite.TfLiteBackend.ToArray(file), "file"));

    private static Module Layer(TensorData weight, string name = "w", ImmutableArray<(string, ReadOnlyMemory<byte>)>? metadata = null)
    {
        PassModel model = new();
        Value x = model.Input("x", 1, weight.Shape[1]);
        bool isFloat = weight.DType is DType.F32;
        Value w = GraphBuilder.Constant(weight, name, isFloat ? null : new QuantParams(0.1f, 0));
        Module module = model.Output(model.Add("y", new FullyConnected(AsymmetricInputs: !isFloat), x, w)).Build();
        return metadata is null ? module : GraphBuilder.Module(module.Graphs, module.Signatures, metadata.Value);
    }

    private static void Same(WeightStructure expected, WeightStructure found)
    {
        Assert.Equal(expected.Codebook, found.Codebook);
        Assert.Equal(expected.Grid?.Scales.AsEnumerable(), found.Grid?.Scales.AsEnumerable());
        Assert.Equal((expected.Grid?.Axis, expected.Grid?.Bits), (found.Grid?.Axis, found.Grid?.Bits));
        Assert.Equal(expected.Mask?.Pattern, found.Mask?.Pattern);

        // Values that are zero beside the mask belong to it from then on.
        Assert.True(expected.Mask is null || expected.Mask.Kept.Zip(found.Mask!.Kept).All(p => p.First || !p.Second));
    }
}
