using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Optimize.Explore;

/// <summary>A leaf of the tree: a recipe with a name.</summary>
/// <param name="Name">E.g. <c>pruned 50 %, 16 codes, PCQAT</c>.</param>
internal sealed record PlannedTrial(string Name, OptimizationRecipe Recipe);

/// <summary>
/// The ways to deploy a model: as it is, pruned, clustered, pruned and clustered; each quantized after training, or with a training that rounds,
/// and the last one also in one joint run.
/// </summary>
/// <remarks>
/// Recipes of a branch begin with the same steps, so that a <see cref="StageStore"/> trains these once. The order goes from the root outwards, so
/// that a budget which ends early has seen every kind of branch rather than every number of one.
/// </remarks>
internal static class DeploymentTree
{
    private const int StagesOfChain = 3;

    public static ImmutableArray<PlannedTrial> Of(ExplorationOptions options)
    {
        ImmutableArray<OptimizationStep> steps = options.Settings.Steps;
        PruneStep prune = steps.OfType<PruneStep>().FirstOrDefault() ?? new();
        ClusterStep cluster = (steps.OfType<ClusterStep>().FirstOrDefault() ?? new()) with { Begin = null, Freeze = null };
        QuantizeAwareStep aware = steps.OfType<QuantizeAwareStep>().FirstOrDefault() ?? new();
        FineTuneStep tune = steps.OfType<FineTuneStep>().LastOrDefault() ?? new();
        QuantizeStep quantize = steps.OfType<QuantizeStep>().FirstOrDefault() ?? new();
        List<PlannedTrial> trials = [];

        Add("", "", []);
        foreach (double sparsity in options.Sparsities)
        {
            Add(NameOf(sparsity), "P", [prune with { Sparsity = sparsity }, tune]);
        }

        foreach (int codes in options.Codes)
        {
            Add(NameOf(codes), "C", [cluster with { Codes = codes }, tune]);
        }

        foreach (double sparsity in options.Sparsities)
        {
            foreach (int codes in options.Codes)
            {
                OptimizationStep[] joint = [prune with { Sparsity = sparsity }, cluster with { Codes = codes }, aware, tune with { Epochs = tune.Epochs * StagesOfChain }];
                AddOne($"{NameOf(sparsity)}, {NameOf(codes)}, PCQAT in one run", joint);
            }
        }

        foreach (double sparsity in options.Sparsities)
        {
            foreach (int codes in options.Codes)
            {
                Add($"{NameOf(sparsity)}, {NameOf(codes)}", "PC", [prune with { Sparsity = sparsity }, tune, cluster with { Codes = codes }, tune]);
            }
        }

        return [.. trials];

        void Add(string branch, string kept, OptimizationStep[] prefix)
        {
            string start = branch.Length == 0 ? "" : $"{branch}, ";
            AddOne($"{start}PTQ", prefix);
            AddOne($"{start}{kept}QAT", [.. prefix, aware, tune]);
        }

        void AddOne(string name, OptimizationStep[] own) => trials.Add(new(name, new OptimizationRecipe(name, [.. own, quantize]).Resolved()));
    }

    private static string NameOf(double sparsity) => string.Create(CultureInfo.InvariantCulture, $"pruned {100 * sparsity:0.##} %");

    private static string NameOf(int codes) => string.Create(CultureInfo.InvariantCulture, $"{codes} codes");
}
