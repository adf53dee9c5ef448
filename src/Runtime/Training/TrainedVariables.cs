using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Runtime.Training;

/// <summary>Finds what a training changes in a model.</summary>
internal static class TrainedVariables
{
    /// <summary>Names of operands that training changes.</summary>
    private static readonly string[] Trainable = ["w", "bias", "gamma", "beta", "alpha"];

    /// <summary>Names of such operands where there is one for each gate, behind the name of the gate.</summary>
    private static readonly string[] TrainableOfGates = ["weights", "recurrent", "peephole", "bias", "norm"];

    /// <summary>All variables, with the forms that layers see of them, and the layers that normalize over the batch.</summary>
    /// <exception cref="DiagnosticException">There is none to train, or a rule for layers matches none.</exception>
    public static (ImmutableArray<TrainedVariable> Variables, ImmutableArray<FormedWeight> Forms, ImmutableArray<NormalizationPair> Normalizations) Find(
        Graph source, TrainingOptions options)
    {
        Dictionary<Value, TrainedVariable> found = [];
        HashSet<string> names = [];
        float RateOf(string layer) => options.Rates.LastOrDefault(r => r.Matches(layer))?.Factor ?? 1;
        ImmutableArray<NormalizationPair> pairs = NormalizationPair.FindAll(source);
        ImmutableArray<NormalizationPair> normalizations = [.. pairs.Where(p => RateOf(p.Name) != 0)];
        foreach (NormalizationPair pair in normalizations)
        {
            found.Add(pair.Factors, new(pair.Gamma, pair.Name, "gamma", pair.Factors, RateOf(pair.Name)));
            found.Add(pair.Offsets, new(pair.Beta, pair.Name, "beta", pair.Offsets, RateOf(pair.Name)));
            names.UnionWith([pair.Gamma, pair.Beta]);
        }

        foreach (Node node in source.Nodes)
        {
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] is { Constant.DType: DType.F32 } constant
                    && !found.ContainsKey(constant)
                    && i < node.Op.Schema.Inputs.Length
                    && node.Op.Schema.Inputs[i].TrimEnd('?') is var operand
                    && IsTrainable(operand))
                {
                    string name = $"{node.Name}/{operand}";
                    for (int copy = 2; !names.Add(name); copy++)
                    {
                        name = $"{node.Name}/{operand}_{copy}";
                    }

                    found.Add(constant, new(name, node.Name, operand, constant, RateOf(node.Name)));
                }
            }
        }

        ImmutableArray<Diagnostic> unused =
        [
            .. options.Rates.Where(r => !found.Values.Any(v => r.Matches(v.Layer)) && !pairs.Any(p => r.Matches(p.Name))).Select(r => new Diagnostic(
                DiagnosticId.RuleMatchesNothing, "a per-layer rule matches no layer that can be trained")
            {
                Found = $"'{r.Pattern}'",
                Expected = "a pattern that is found in the name of a layer with weights",
                Hint = "'optc inspect --layers' lists the layers of a model",
            }),
        ];
        return !unused.IsEmpty ? throw new DiagnosticException(unused)
            : found.Values.All(v => v.Rate == 0) ? throw new DiagnosticException(
                new Diagnostic(DiagnosticId.InvalidOption, "there is nothing to train")
                {
                    Found = found.Count == 0 ? "a model without weights" : "every layer is frozen",
                })
            : WithForms([.. found.Values], normalizations, options);
    }

    private static (ImmutableArray<TrainedVariable>, ImmutableArray<FormedWeight>, ImmutableArray<NormalizationPair>) WithForms(
        ImmutableArray<TrainedVariable> found, ImmutableArray<NormalizationPair> normalizations, TrainingOptions options)
    {
        found = options.RateOf is { } rateOf ? [.. found.Select(v => v.Rate == 0 ? v : v with { Rate = v.Rate * rateOf(v) })] : found;
        ImmutableArray<FormedWeight> forms =
        [
            .. found.Select(v => (Variable: v, Form: options.Forms?.Invoke(v))).Where(f => f.Form is not null).Select(f => FormedWeight.Of(f.Variable, f.Form!)),
        ];
        Dictionary<string, TrainedVariable> latent = forms.ToDictionary(f => f.Latent.Name, f => f.Latent);
        return (
            [
                .. found.Select(v => latent.GetValueOrDefault(v.Name, v)),
                .. forms.SelectMany(f => new[] { f.Codebook, f.LogScale }).OfType<TrainedVariable>(),
                .. ActivationGrids.Variables(options.Activations.Values),
            ],
            forms,
            normalizations);
    }

    private static bool IsTrainable(string operand) =>
        Trainable.Contains(operand) || TrainableOfGates.Contains(operand[(operand.LastIndexOf('_') + 1)..]);
}
