using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Prune;
using Optc.Structure;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Ir;
using Optc.Tests.Unit.Passes;
using Xunit;

namespace Optc.Tests.Unit.Library.Structure;

public sealed class DiscoveryTests
{
    /// <summary>The masks that pruning makes are found again by their names.</summary>
    [Theory]
    [InlineData("elements")]
    [InlineData("channels")]
    [InlineData("2:4")]
    [InlineData("1:4")]
    [InlineData("blocks 1x4")]
    [InlineData("blocks 4x1")]
    [InlineData("blocks 4x4")]
    [InlineData("blocks 1x16")]
    public void Zeros_are_named_by_the_rule_that_made_them(string pattern)
    {
        foreach (Shape shape in (Shape[])[[32, 64], [32, 3, 3, 16]])
        {
            float[] w = Numbers(new(3), (int)shape.ElementCount);
            KernelShape kernel = KernelShape.OutputsFirst(shape);
            bool[] kept = pattern switch
            {
                "elements" => PruningMask.Unstructured(Magnitudes(w), 0.5),
                "channels" => PruningMask.Blocks(Magnitudes(w), kernel.Count / kernel.Outputs, 1, kernel.Count / kernel.Outputs, 0.25),
                "2:4" => PruningMask.OfGroups(Magnitudes(w), kernel, 2, 4),
                "1:4" => PruningMask.OfGroups(Magnitudes(w), kernel, 3, 4),
                _ => Blocks(pattern, w, kernel),
            };

            WeightStructure found = Single(Dense(Masked(shape, w, kept)));

            Assert.Equal(pattern, found.Mask!.Pattern);
            Assert.Equal(kept, found.Mask.Kept.AsEnumerable());
            Assert.Null(found.Codebook);
        }
    }

    [Fact]
    public void Blocks_of_a_depthwise_weight_run_along_its_taps()
    {
        Shape shape = [1, 4, 4, 32];
        float[] w = Numbers(new(3), 512);
        bool[] kept = PruningMask.Blocks(Magnitudes(w), KernelShape.Depthwise(shape), 1, 4, 0.5);

        Assert.Equal("blocks 1x4", Single(Depthwise(Masked(shape, w, kept))).Mask!.Pattern);
    }

    [Fact]
    public void A_few_zeros_are_no_mask()
    {
        float[] w = Numbers(new(3), 400);
        w.AsSpan(0, 79).Clear();
        Assert.Empty(WeightStructures.Of(WeightStructures.Discover(Dense(TensorData.FromFloats([20, 20], w)))));
        w[79] = 0;
        Assert.Equal(80, Single(Dense(TensorData.FromFloats([20, 20], w))).Mask!.Zeros);
        Assert.Empty(WeightStructures.Of(WeightStructures.Discover(Dense(TensorData.FromFloats([20, 20], w)), new() { LeastSparsity = 0.3 })));
    }

    [Fact]
    public void Repeated_values_are_a_codebook_of_the_tensor_or_else_of_each_channel()
    {
        Random random = new(8);
        TensorData shared = TensorData.FromFloats([8, 40], [.. Enumerable.Range(0, 320).Select(_ => 0.1f * random.Next(-3, 5))]);
        Codebook book = Single(Dense(shared)).Codebook!;
        Assert.Equal((8, 1, true), (book.Codes, book.Groups, book.PinsZero));

        TensorData own = TensorData.FromFloats([64, 32], [.. Enumerable.Range(0, 64 * 32).Select(i => (1 + (i / 32 * 0.013f)) * random.Next(1, 9))]);
        book = Single(Dense(own)).Codebook!;
        Assert.Equal((8, 64, 0, false), (book.Codes, book.Groups, book.Axis, book.PinsZero));
        Assert.Empty(WeightStructures.Discover(Dense(own)).Main.Nodes[0].Inputs[1]!.Constant!.Check());
    }

    /// <summary>A tiny weight has few values by its size alone.</summary>
    [Fact]
    public void Values_that_hardly_repeat_are_no_codebook()
    {
        Assert.Empty(WeightStructures.Of(WeightStructures.Discover(Dense(TensorData.FromFloats([4, 2], [1, 2, 3, 1, 2, 3, 1, 2])))));
        Assert.Empty(WeightStructures.Of(WeightStructures.Discover(Dense(TensorData.FromFloats([30, 30], Numbers(new(1), 900))))));
    }

    [Fact]
    public void Integer_weights_show_their_structure_too()
    {
        Random random = new(8);
        sbyte[] codes = [.. Enumerable.Range(0, 1024).Select(_ => (sbyte)(random.Next(2) == 0 ? 0 : random.Next(1, 8) * 16))];

        WeightStructure found = Single(Integers([32, 32], codes));

        Assert.Equal((8, 1), (found.Codebook!.Codes, found.Codebook.Groups));
        Assert.Equal(codes.Count(c => c == 0), found.Mask!.Zeros);
        sbyte[] ordinary = [.. Enumerable.Range(0, 4096).Select(_ => (sbyte)random.Next(-127, 128))];
        Assert.Empty(WeightStructures.Of(WeightStructures.Discover(Integers([64, 64], ordinary))));
    }

    [Fact]
    public void What_is_carried_stays_and_the_rest_is_added()
    {
        TensorData planted = PlantedWeight.Make(new(4), [16, 32], 0, grid: true, codes: 6, masked: true);
        TensorData carried = planted.With(planted.Structure! with { Codebook = null, Mask = new("2:4", planted.Structure.Mask!.Kept) });

        WeightStructure found = Single(Dense(carried));

        Assert.Equal((6, 1, "2:4"), (found.Codebook!.Codes, found.Codebook.Groups, found.Mask!.Pattern));
        Assert.Equal(planted.Structure.Grid, found.Grid);
    }

    [Fact]
    public void The_given_model_stays_as_it_is()
    {
        Module module = Dense(TensorData.FromFloats([8, 40], new float[320]));

        Module found = WeightStructures.Discover(module);

        Assert.Empty(WeightStructures.Of(module));
        Assert.Equal(320, Assert.Single(WeightStructures.Of(found)).Structure.Mask!.Zeros);
    }

    [Fact]
    public void An_inspection_says_what_weights_are_bound_to_and_how_that_is_known()
    {
        TensorData planted = PlantedWeight.Make(new(4), [16, 32], 0, grid: true, codes: 6, masked: true);
        TensorData own = TensorData.FromFloats([64, 32], [.. Enumerable.Range(0, 64 * 32).Select(i => (1 + (i / 32 * 0.013f)) * (1 + (i % 8)))]);
        float[] w = Numbers(new(3), 2048);
        TensorData grouped = Masked([32, 64], w, PruningMask.OfGroups(Magnitudes(w), KernelShape.OutputsFirst([32, 64]), 2, 4));

        Assert.Equal("kept: zeros, 6 codes, 8-bit grid", Read(planted));
        Assert.Equal("found: 8 codes in each channel", Read(own));
        Assert.Equal("found: 2:4", Read(grouped));
        Assert.Equal("", Read(TensorData.FromFloats([32, 64], w)));

        static string Read(TensorData weight) => Assert.Single(Model.Read(Model.Of(Dense(weight)).ToTfLite()).Inspect().Weights).Structure;
    }

    /// <summary>What a third party quantized shows a structure only where it has one: ordinary 8-bit weights do not.</summary>
    [SharedFact]
    public void An_ordinary_model_shows_no_codebooks()
    {
        Model model = Model.Load(Path.Combine(SharedFolder.Path, "models", "kws_ref_model", "kws_ref_model.tflite")).DiscoverStructures();

        Assert.DoesNotContain(WeightStructures.Of(model.Module), w => w.Structure.Codebook is { Groups: 1 });
        Verifier.ThrowIfBroken(model.Module);
    }

    private static bool[] Blocks(string pattern, float[] w, KernelShape kernel)
    {
        int[] size = [.. pattern["blocks ".Length..].Split('x').Select(int.Parse)];
        return PruningMask.Blocks(Magnitudes(w), kernel, size[0], size[1], 0.5);
    }

    private static float[] Magnitudes(float[] w) => [.. w.Select(Math.Abs)];

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static TensorData Masked(Shape shape, float[] w, bool[] kept) => TensorData.FromFloats(shape, [.. w.Zip(kept, (v, k) => k ? v : 0)]);

    private static WeightStructure Single(Module module) => Assert.Single(WeightStructures.Of(WeightStructures.Discover(module))).Structure;

    private static Module Dense(TensorData weight)
    {
        PassModel model = new();
        Value w = GraphBuilder.Constant(weight, "w");
        return weight.Shape.Rank == 4
            ? model.Output(model.Add("y", new Conv2D(1, 1, PaddingMode.Same), model.Input("x", 1, 4, 4, weight.Shape[3]), w)).Build()
            : model.Output(model.Add("y", new FullyConnected(), model.Input("x", 1, weight.Shape[1]), w)).Build();
    }

    private static Module Depthwise(TensorData weight)
    {
        PassModel model = new();
        return model.Output(model.Add(
            "y", new DepthwiseConv2D(1, 1, PaddingMode.Same, 1), model.Input("x", 1, 4, 4, weight.Shape[3]), GraphBuilder.Constant(weight, "w"))).Build();
    }

    private static Module Integers(Shape shape, sbyte[] codes)
    {
        PassModel model = new();
        Value w = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, shape, codes), "w", new QuantParams(0.1f, 0));
        return model.Output(model.Add("y", new FullyConnected(AsymmetricInputs: true), model.Input("x", 1, shape[1]), w)).Build();
    }
}
