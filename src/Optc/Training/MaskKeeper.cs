using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Prune;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>Sets the masks of a run as its pruning asks.</summary>
internal sealed class MaskKeeper
{
    private readonly Pruning _pruning;
    private readonly Trainer _trainer;
    private readonly ImmutableArray<(TrainedVariable Variable, PrunableWeight Weight)> _weights;
    private readonly long _steps;
    private readonly long _every;
    private readonly Func<IReadOnlyDictionary<string, float[]>> _gradients;

    /// <param name="gradients">Of the loss with regard to the variables, as they are now.</param>
    /// <exception cref="DiagnosticException">No layer is concerned.</exception>
    public MaskKeeper(Pruning pruning, Trainer trainer, Graph graph, long steps, Func<IReadOnlyDictionary<string, float[]>> gradients)
    {
        (_pruning, _trainer, _steps, _gradients) = (pruning, trainer, steps, gradients);
        Dictionary<Value, TrainedVariable> variables = trainer.Variables.Where(v => v.Rate != 0).ToDictionary(v => v.Source);
        ImmutableArray<(PrunableWeight Weight, string? Reason)> all = pruning.Weights(graph);
        _weights =
        [
            .. all.Where(w => w.Reason is null && variables.ContainsKey(w.Weight.Source!)).Select(w => (variables[w.Weight.Source!], w.Weight)),
        ];
        _every = pruning.Every > 0 ? pruning.Every : Math.Max(1, steps / 100);
        if (_weights.IsEmpty)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "there is no layer to prune")
            {
                Found = all.IsEmpty ? "a model without weights that can be pruned" : string.Join("; ", all.Select(w => $"'{w.Weight.Name}': {w.Reason ?? "it is frozen"}")),
                Hint = "'optc inspect --layers' lists the layers of a model; depthwise layers are pruned only if asked for",
            });
        }
    }

    /// <summary>True once the weights are as sparse as they are going to be.</summary>
    public bool IsFinal(long step) => _pruning.KeepsOnly || _pruning.Schedule.At(step, _steps) == _pruning.Schedule.Final;

    /// <summary>Looks at the weights before a step, and after the last one, if it is time.</summary>
    public void Before(long step)
    {
        bool isBorder = step == 0 || (IsFinal(step) && !IsFinal(step - 1));
        if (_pruning.KeepsOnly ? step != 0 : !isBorder && (step % _every != 0 || IsFinal(step)))
        {
            return;
        }

        IReadOnlyDictionary<string, float[]>? gradients = _pruning.Criterion.NeedsGradients && !_pruning.KeepsOnly ? _gradients() : null;
        ImmutableArray<PrunableWeight> now =
        [
            .. _weights.Select(w => w.Weight with { Values = _trainer.Content(w.Variable).ToArray(), Gradients = gradients?[w.Variable.Name] ?? default }),
        ];
        foreach (((TrainedVariable variable, _), bool[] mask) in _weights.Zip(Masks(_pruning, now, _pruning.Schedule.At(step, _steps))))
        {
            _trainer.SetMask(variable, mask);
        }
    }

    /// <summary>The masks of weights at a sparsity.</summary>
    public static ImmutableArray<bool[]> Masks(Pruning pruning, ImmutableArray<PrunableWeight> weights, double sparsity)
    {
        if (pruning.KeepsOnly)
        {
            return [.. weights.Select(w => Array.ConvertAll(w.Values.ToArray(), v => v != 0))];
        }

        double final = pruning.Schedule.Final;
        double part = final == 0 ? 1 : Math.Min(1, sparsity / final);
        if (pruning.Pattern != PruningPattern.Unstructured)
        {
            return [.. weights.Select(w => pruning.Pattern.Mask(pruning.Criterion.Scores(w), w.Kernel, sparsity, part))];
        }

        return
        [
            .. pruning.Distribution.Plan(weights, final, PruningSelection.Everything, pruning.Criterion, part)
                .Layers.Select(l => l.Mask()),
        ];
    }
}
