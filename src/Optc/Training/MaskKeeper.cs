using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>Sets the masks of a run as its pruning asks, and proves them at the end.</summary>
internal sealed class MaskKeeper
{
    private readonly Pruning _pruning;
    private readonly Trainer _trainer;
    private readonly ImmutableArray<TrainedVariable> _variables;
    private readonly long _steps;
    private readonly long _every;

    /// <exception cref="DiagnosticException">No layer is concerned.</exception>
    public MaskKeeper(Pruning pruning, Trainer trainer, Func<TrainedVariable, bool> concerns, long steps)
    {
        (_pruning, _trainer, _steps) = (pruning, trainer, steps);
        _variables = [.. trainer.Variables.Where(v => v.Rate != 0 && concerns(v))];
        _every = pruning.Every > 0 ? pruning.Every : Math.Max(1, steps / 100);
        if (_variables.IsEmpty)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "there is no layer to prune")
            {
                Found = pruning.Layers is null ? "a model without trained weights of two dimensions" : $"'{pruning.Layers}'",
                Hint = "'optc inspect --layers' lists the layers of a model; depthwise layers are pruned only if asked for",
            });
        }
    }

    /// <summary>Which variables of a model are pruned.</summary>
    public static Func<TrainedVariable, bool> Concerned(Pruning pruning, Graph graph)
    {
        HashSet<Value> depthwise = [.. graph.Nodes.Where(n => n.Op is DepthwiseConv2D).Select(n => n.Inputs[1]).OfType<Value>()];
        return variable => pruning.Concerns(variable, depthwise.Contains(variable.Source));
    }

    /// <summary>True once the weights are as sparse as they are going to be.</summary>
    public bool IsFinal(long step) => _pruning.KeepsOnly || _pruning.Schedule.At(step, _steps) == _pruning.Schedule.Final;

    /// <summary>Looks at the weights before a step, and after the last one, if it is time.</summary>
    public void Before(long step)
    {
        bool isBorder = step == 0 || step == _steps || (IsFinal(step) && !IsFinal(step - 1));
        if (_pruning.KeepsOnly ? step != 0 : !isBorder && (step % _every != 0 || IsFinal(step)))
        {
            return;
        }

        double sparsity = _pruning.Schedule.At(step, _steps);
        foreach (TrainedVariable variable in _variables)
        {
            float[] scores = _trainer.Content(variable).ToArray();
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i] = Math.Abs(scores[i]);
            }

            _trainer.SetMask(variable, _pruning.KeepsOnly ? Array.ConvertAll(scores, s => s != 0) : _pruning.Pattern.Mask(scores, variable, sparsity));
        }
    }
}
