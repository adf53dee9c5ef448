using System.Collections.Immutable;
using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Tests.Conformance.Models;
using Optc.Tests.Snapshots;
using Xunit;
using Xunit.Abstractions;

namespace Optc.Tests.Conformance.Passes;

/// <summary>Third-party models without some of their channels compute what they do with these channels masked.</summary>
public sealed class ChannelTests(ITestOutputHelper output)
{
    /// <summary>Relative to the largest value of the output; sums over channels have fewer terms and are taken in another order.</summary>
    private const double FloatTolerance = 1e-5;

    public static TheoryData<string> Names() => [.. SharedFolder.Exists ? ReferenceModel.All.Select(m => m.Name) : ["(missing)"]];

    [SharedTheory]
    [MemberData(nameof(Names))]
    public void Models_without_channels_compute_what_masked_ones_do(string name)
    {
        ReferenceModel model = ReferenceModel.Find(name);
        Module module = FrontendSet.Read(model.ReadFile(), name);
        ChannelGroups groups = ChannelGroups.Of(module.Main);
        Random random = new(7);
        TiedChannel[] removed =
        [
            .. groups.All.Where(g => g.WhyFixed is null).SelectMany(g => g.Channels.Skip(1).Where(_ => random.NextDouble() < 0.4)),
        ];
        foreach (ChannelGroup group in groups.All)
        {
            output.WriteLine($"{group.Name}: {group.Channels.Length} channels of {group.Makers.Length} layers{(group.WhyFixed is { } reason ? $", {reason}" : "")}");
        }

        Module masked = RemoveChannels.Mask(module, groups, removed);
        Module shrunk = FrontendSet.Read(TfLiteBackend.ToArray(RemoveChannels.Apply(module, groups, removed)), name);

        Assert.Equal(module.Main.Inputs.Select(v => (v.Name, v.Type)), shrunk.Main.Inputs.Select(v => (v.Name, v.Type)));
        Assert.Equal(module.Main.Outputs.Select(v => (v.Name, v.Type)), shrunk.Main.Outputs.Select(v => (v.Name, v.Type)));
        if (removed.Length > 0)
        {
            Assert.True(Weights(shrunk) < Weights(module));
        }

        if (name != PipelineTests.CustomOperators)
        {
            Comparison result = PipelineTests.Compare(model, masked, shrunk);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{removed.Length} channels removed, {Weights(module)} numbers become {Weights(shrunk)}; {result}"));
            Assert.True(result.IsFloat ? result.MaxRelative <= FloatTolerance : result.Differing == 0, result.ToString());
        }
    }

    /// <summary>Of the networks that are known, only what reaches the outputs is fixed.</summary>
    [SharedTheory]
    [InlineData("pretrainedResnet", 7)]
    [InlineData("kws_ref_model", 6)]
    [InlineData("kws_ref_model_float32", 6)]
    [InlineData("vww_96_float", 15)]
    [InlineData("vww_96_int8", 15)]
    [InlineData("ad01_fp32", 10)]
    public void Only_the_classifier_is_fixed(string name, int expected)
    {
        ImmutableArray<ChannelGroup> all = ChannelGroups.Of(FrontendSet.Read(ReferenceModel.Find(name).ReadFile(), name).Main).All;

        Assert.Equal(expected, all.Length);
        Assert.Equal([.. Enumerable.Repeat(true, expected - 1), false], all.Select(g => g.WhyFixed is null));
    }

    private static long Weights(Module module) => module.Main.Values().Where(v => v.Constant is not null).Sum(v => v.Type.ElementCount);
}
