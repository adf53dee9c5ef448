using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Bounds;
using Optc.Passes.Shrink;
using Optc.Report;
using Optc.Shrink;
using Optc.Tests.Fuzzing;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Passes.Shrink;

/// <summary>How much goes of third-party models, and that their outputs stay.</summary>
public sealed class ShrinkingFiguresTests
{
    public static TheoryData<string> Models => [.. ModelFiles.Names().Where(n => n.StartsWith("models", StringComparison.Ordinal))];

    /// <summary>Figures of an independent prototype, by which a mistake in either would show.</summary>
    [SharedTheory]
    [InlineData("original", true, 22016, 2656768)]
    [InlineData("dead", true, 13440, 1608576)]
    [InlineData("unread", true, 14400, 1704768)]
    [InlineData("const", true, 21195, 2560095)]
    [InlineData("sat", true, 17472, 2100672)]
    [InlineData("mix", true, 7131, 825903)]
    [InlineData("dead", false, 17334, null)]
    [InlineData("unread", false, 14400, null)]
    [InlineData("const", false, 21495, null)]
    [InlineData("sat", false, 19345, null)]
    [InlineData("mix", false, 10347, null)]
    public void Planted_channels_are_found(string variant, bool folds, int weights, int? macs)
    {
        Module module = PlantedModel.Make(Model.Load(Path.Combine(SharedFolder.Path, "models", "kws_ref_model", "kws_ref_model.tflite")).Module, variant);

        (Module small, _, _) = Shrinking.Apply(module, folds ? ShrinkRules.All : ShrinkRules.All & ~(ShrinkRules.Fold | ShrinkRules.FoldPadded));

        Assert.Equal(weights, Weights(small));
        Assert.Equal(macs ?? MultiplyAccumulates.Of(small.Main), MultiplyAccumulates.Of(small.Main));
        SameOutputs.OnStructuredInputs(module, small, 64);
    }

    [SharedTheory]
    [InlineData("vww_96_int8", 29066, 3727313)]
    [InlineData("hello_world_int8", 168, 168)]
    [InlineData("micro_speech_quantized", 16640, 336000)]
    [InlineData("ad01_int8", 264192, 264192)]
    public void Trained_models_shrink_as_far_as_is_known(string name, int weights, int macs)
    {
        Module module = Model.Load(Path.Combine(SharedFolder.Path, "models", name, $"{name}.tflite")).Module;

        (Module small, _, _) = Shrinking.Apply(module, ShrinkRules.All);

        Assert.Equal(weights, Weights(small));
        Assert.Equal(macs, MultiplyAccumulates.Of(small.Main));
    }

    [SharedFact]
    public void Intervals_alone_find_half_of_what_enumeration_finds()
    {
        Module module = Model.Load(Path.Combine(SharedFolder.Path, "models", "hello_world_int8", "hello_world_int8.tflite")).Module;

        (Module small, _, bool isEnumeration) = Shrinking.Apply(module, ShrinkRules.All & ~ShrinkRules.Enumeration);

        Assert.False(isEnumeration);
        Assert.Equal(220, Weights(small));
    }

    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Files_give_the_same_outputs_never_grow_and_shrink_once(string name)
    {
        Model model = Model.Read(ModelFiles.Load(name));

        ShrinkResult result = model.Shrink();

        Assert.True(result.File.Length <= result.Original.Length, $"{result.Original.Length} became {result.File.Length}");
        if (model.Module.Main.Nodes.All(n => n.Op is not OpaqueTfLite))
        {
            SameOutputs.OnStructuredInputs(model.Module, Model.Read(result.File).Module, 32);
        }

        ShrinkResult again = result.Model.Shrink();
        Assert.True(again.File.Span.SequenceEqual(result.File.Span), $"{result.File.Length} became {again.File.Length}");
    }

    private static long Weights(Module module) => module.Main.Nodes
        .Where(n => n.Op is ISumsProducts)
        .Sum(n => n.Inputs[1]!.Constant!.Shape.ElementCount);
}
