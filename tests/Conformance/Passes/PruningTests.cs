using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Tests.Conformance.Models;
using Optc.Tests.Conformance.Quantization;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Passes;

/// <summary>Pruning without training on a third-party model: what the remaining weights make up for.</summary>
public sealed class PruningTests
{
    private const int CalibrationSamples = 128;
    private const int TestPictures = 2000;
    private const int Threads = 2;

    private static readonly PruningSelection Selection = PruningSelection.Everything;

    /// <summary>The table of <c>docs/results/pruning.md</c>; second order is better than magnitudes in every row.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        Module original = FrontendSet.Read(ReferenceModel.Find("pretrainedResnet").ReadFile(), "pretrainedResnet");
        Pictures training = Pictures.Load("train", CalibrationSamples);
        Pictures test = Pictures.Load("test", TestPictures);
        double reference = test.Accuracy(original);
        StringBuilder table = new(string.Create(CultureInfo.InvariantCulture,
            $"""
            # Pruning without training

            MLPerf Tiny's ResNet-8 (`pretrainedResnet`), pruned as it is: no labels, no training. *By magnitude* sets the smallest weights to zero;
            *by second order* (`SecondOrderPruning`) chooses what the others can make up for and adapts them, with {CalibrationSamples} training pictures
            of the shared CIFAR-10 pack. Scored on {TestPictures} test pictures of it, which are JPEG, so that the figures are below the published
            ones; they are to be compared with each other. *Global* ranks the whole network, by magnitude over the root mean square of the channel, or
            by the second-order cost relative to the result of the layer. Made by `./build.sh bless`, compared in CI.

            | zeros | spread | by magnitude | by second order |
            |---|---|---:|---:|
            | none | | {reference * 100:0.00} % | {reference * 100:0.00} % |

            """));
        foreach ((string zeros, double sparsity, SparsityDistribution distribution, (int Dropped, int Group)? groups) in new (string, double, SparsityDistribution, (int, int)?)[]
        {
            ("50 %", 0.5, SparsityDistribution.Uniform, null),
            ("50 %", 0.5, SparsityDistribution.Global, null),
            ("70 %", 0.7, SparsityDistribution.Uniform, null),
            ("70 %", 0.7, SparsityDistribution.Global, null),
            ("2 of 4", 0.5, SparsityDistribution.Uniform, (2, 4)),
        })
        {
            double plain = test.Accuracy(ByMagnitude(original, sparsity, distribution, groups));
            SecondOrderOptions options = new() { Distribution = distribution, Selection = Selection, Groups = groups, Threads = Threads };
            (Module pruned, ImmutableArray<SecondOrderLayer> layers) = SecondOrderPruning.Apply(original, training.AsCalibration(), sparsity, options);
            double adapted = test.Accuracy(pruned);
            string spread = groups is not null ? "input channels" : distribution == SparsityDistribution.Global ? "global" : "uniform";
            table.AppendLine(CultureInfo.InvariantCulture, $"| {zeros} | {spread} | {plain * 100:0.00} % | {adapted * 100:0.00} % |");

            Assert.True(adapted > plain, table.ToString());
            Assert.All(layers, l => Assert.Null(l.Note));
            Assert.All(PrunableWeight.Of(pruned.Main).Zip(layers), p => Assert.Equal(p.Second.Plan.Zeros, p.First.Source!.Constant!.Structure?.Mask?.Zeros ?? 0));
        }

        ChannelGroups channels = ChannelGroups.Of(original.Main);
        table.Append(
            """

            Whole channels, those of the smallest weights in every group, removed so that the tensors shrink (`RemoveChannels`), and the same with the layers behind
            them realigned by least squares on the same pictures (`Realignment`).

            | channels removed | weights left | removed | and realigned |
            |---|---:|---:|---:|

            """);
        foreach (double fraction in new[] { 0.125, 0.25, 0.5 })
        {
            TiedChannel[] removed = [.. new ChannelChoice(fraction).Choose(channels).SelectMany(p => p.Removed)];
            Module shrunk = RemoveChannels.Apply(original, channels, removed);
            Module realigned = RemoveChannels.ApplyAndRealign(original, channels, removed, training.AsCalibration(), threads: Threads);
            (double plain, double repaired) = (test.Accuracy(shrunk), test.Accuracy(realigned));
            table.AppendLine(CultureInfo.InvariantCulture, $"| {fraction * 100:0.#} % | {100.0 * Weights(shrunk) / Weights(original):0} % | {plain * 100:0.00} % | {repaired * 100:0.00} % |");
            Assert.True(repaired > plain, table.ToString());
        }

        GoldenFile.At("docs/results/pruning.md").ShouldMatch(table.ToString());
    }

    private static long Weights(Module module) => PrunableWeight.Of(module.Main).Sum(w => (long)w.Kernel.Count);

    private static Module ByMagnitude(Module module, double sparsity, SparsityDistribution distribution, (int Dropped, int Group)? groups)
    {
        Module copy = module.Clone();
        PruningCriterion criterion = distribution == SparsityDistribution.Global ? PruningCriterion.NormalizedMagnitude : PruningCriterion.Magnitude;
        foreach (PlannedSparsity layer in distribution.Plan(PrunableWeight.Of(copy.Main), sparsity, Selection, criterion).Layers)
        {
            PrunableWeight weight = layer.Weight;
            bool[] mask = groups is { } some ? PruningMask.OfGroups(criterion.Scores(weight), weight.Kernel, some.Dropped, some.Group) : layer.Mask();
            Node node = weight.Source!.Users[0];
            GraphPatch patch = new();
            patch.SetInput(node, 1, GraphPatch.Constant(
                TensorData.FromFloats(weight.Source.Type.Shape, (float[])[.. weight.Values.ToArray().Zip(mask, (w, k) => k ? w : 0)]), weight.Source.Name));
            patch.ApplyTo(copy, copy.Main, node);
        }

        return copy;
    }
}
