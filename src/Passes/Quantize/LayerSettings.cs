using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Quantize;

/// <summary>What holds for one layer after the recipe and all rules that match it.</summary>
/// <param name="KeepFloat">Why the layer stays float, or <see langword="null"/> when nobody asked for it.</param>
internal sealed record LayerSettings(string? KeepFloat, WeightGranularity Weights, RangeEstimator Estimator, DType Activations);

/// <summary>Applies the rules of a recipe to names.</summary>
internal static class LayerRules
{
    public static LayerSettings For(QuantizationRecipe recipe, Node node) =>
        For(recipe, node.Name, node.Op is FullyConnected ? recipe.DenseWeights : recipe.Weights);

    /// <summary>Settings of a graph input: only the estimator means something.</summary>
    public static LayerSettings For(QuantizationRecipe recipe, Value input) => For(recipe, input.Name, recipe.Weights);

    /// <exception cref="DiagnosticException">Rules match no layer and no input; all of them are listed.</exception>
    public static void RequireUse(QuantizationRecipe recipe, Graph graph, Graph original)
    {
        ImmutableArray<string> names = [.. graph.Nodes.Select(n => n.Name), .. graph.Inputs.Select(v => v.Name)];
        ImmutableArray<Diagnostic> unused =
        [
            .. recipe.Rules.Where(r => !names.Any(r.Matches)).Select(r =>
            {
                string? merged = original.Nodes.FirstOrDefault(n => r.Matches(n.Name))?.Name;
                return new Diagnostic(DiagnosticId.RuleMatchesNothing, "a per-layer rule matches no layer")
                {
                    At = [$"recipe '{recipe.Name}'", $"rule {r}"],
                    Found = merged is null ? null : $"only '{merged}', which becomes a part of another layer before quantization",
                    Expected = "a pattern that is found in the name of a layer or of an input",
                    Hint = "'optc inspect --layers' lists the layers of a model",
                };
            }),
        ];
        if (!unused.IsEmpty)
        {
            throw new DiagnosticException(unused);
        }
    }

    private static LayerSettings For(QuantizationRecipe recipe, string name, WeightGranularity weights)
    {
        LayerSettings settings = new(null, weights, recipe.Estimator, recipe.Activations);
        foreach (LayerRule rule in recipe.Rules.Where(r => r.Matches(name)))
        {
            settings = new(
                rule.KeepFloat switch
                {
                    true => rule.Because ?? $"kept float by rule {rule}",
                    false => null,
                    null => settings.KeepFloat,
                },
                rule.Weights ?? settings.Weights,
                rule.Estimator ?? settings.Estimator,
                rule.Activations ?? settings.Activations);
        }

        return settings;
    }
}
