using System.Collections.Immutable;

namespace Optc.Optimize.Recipes;

/// <summary>The recipes that come with optc.</summary>
internal static class BuiltInRecipes
{
    private static readonly PruneStep Prune = new();
    private static readonly ClusterStep Cluster = new() { Depthwise = true };
    private static readonly QuantizeAwareStep QuantizeAware = new();
    private static readonly QuantizeStep Quantize = new();

    /// <summary>In the order of what they do.</summary>
    public static ImmutableArray<OptimizationRecipe> All { get; } =
    [
        Of("prune", "Half of the weights zero, then int8.", Prune, Tune(6), Quantize),
        Of("cluster", "16 values for each weight tensor, then int8.", Cluster, Tune(6), Quantize),
        Of("prune-cluster", "Half of the weights zero and 16 values for the others, in one run, then int8.", Prune, Cluster, Tune(8), Quantize),
        Of("qat", "Quantization-aware training, then int8.", QuantizeAware, Tune(6), Quantize),
        Of("pqat", "Half of the weights zero, trained for int8 in the same run.", Prune, QuantizeAware, Tune(8), Quantize),
        Of("cqat", "16 values for each weight tensor, trained for int8 in the same run.", Cluster, QuantizeAware, Tune(8), Quantize),
        Of("pcqat", "Half of the weights zero and 16 values for the others, trained for int8, all in one run.", Prune, Cluster, QuantizeAware, Tune(10), Quantize),
        Of(
            "pcqat-staged",
            "The same in three runs, as TensorFlow's toolkit chains them: zeros, then shared values, then int8.",
            Prune, Tune(4), Cluster, Tune(3), QuantizeAware, Tune(3), Quantize),
    ];

    private static FineTuneStep Tune(int epochs) => new() { Epochs = epochs };

    private static OptimizationRecipe Of(string name, string description, params ImmutableArray<OptimizationStep> steps) =>
        new OptimizationRecipe(name, steps) { Description = description }.Resolved();
}
