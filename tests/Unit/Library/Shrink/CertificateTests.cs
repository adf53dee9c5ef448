using Optc.Certificates;
using Optc.Ir;
using Optc.Passes.Shrink;
using Optc.Shrink;
using Optc.Tests.Fuzzing;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Library.Shrink;

/// <summary>What is written about a shrink is accepted by the checker, which shares no code with it.</summary>
public sealed class CertificateTests
{
    public static TheoryData<string> Models => [.. ModelFiles.Names().Where(n => n.StartsWith("models", StringComparison.Ordinal))];

    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Of_third_party_models_are_accepted(string name) => Accepted(Model.Read(ModelFiles.Load(name)), ShrinkRules.All);

    [SharedTheory]
    [InlineData("dead")]
    [InlineData("unread")]
    [InlineData("const")]
    [InlineData("sat")]
    [InlineData("mix")]
    public void Of_planted_channels_are_accepted(string variant) => Accepted(OfFile(PlantedModel.Make(Model.Load(Path.Combine(SharedFolder.Path, "models", "kws_ref_model", "kws_ref_model.tflite")).Module, variant)), ShrinkRules.All);

    [Fact]
    public void Of_small_models_are_accepted()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            Accepted(OfFile(SmallModel.Dense(seed, inputs: 1)), ShrinkRules.All);
            Accepted(OfFile(SmallModel.Image(seed, pixels: 1)), ShrinkRules.All);
            Accepted(OfFile(SmallModel.Image(seed, pixels: 3)), ShrinkRules.All);
        }
    }

    private static Model OfFile(Module module) => Model.Read(Model.Of(module).ToTfLite());

    private static void Accepted(Model model, ShrinkRules rules)
    {
        ShrinkResult result = model.Shrink(new() { Rules = rules });

        CertificateVerification verification = ShrinkCertificate.Verify(result.Certificate, result.Original, result.File);

        Assert.Equal(result.File.Length, verification.ResultBytes);
    }
}
