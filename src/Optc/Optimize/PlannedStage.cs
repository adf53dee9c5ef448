using System.Collections.Immutable;
using Optc.Optimize.Recipes;

namespace Optc.Optimize;

/// <summary>Steps of a recipe that make one model together.</summary>
/// <param name="Steps">Up to and with the one that does the work: a training, or a change of the graph; or steps without training.</param>
internal sealed record PlannedStage(ImmutableArray<OptimizationStep> Steps)
{
    /// <summary>The names of the steps.</summary>
    public string Name => string.Join(" + ", Steps.Select(s => StepForms.Of(s).Name));

    /// <summary>The steps as a recipe has them; stages of equal text do the same.</summary>
    public string Text => string.Concat(Steps.Select(RecipeWriter.Write));

    public PruneStep? Prune => Steps.OfType<PruneStep>().SingleOrDefault();

    public ClusterStep? Cluster => Steps.OfType<ClusterStep>().SingleOrDefault();

    public QuantizeAwareStep? QuantizeAware => Steps.OfType<QuantizeAwareStep>().SingleOrDefault();

    public FineTuneStep? FineTune => Steps[^1] as FineTuneStep;

    /// <summary>The stages of a recipe, without its quantization.</summary>
    public static ImmutableArray<PlannedStage> Of(OptimizationRecipe recipe)
    {
        List<PlannedStage> stages = [];
        List<OptimizationStep> asked = [];
        foreach (OptimizationStep step in recipe.Steps)
        {
            switch (step)
            {
                case PruneStep or ClusterStep or QuantizeAwareStep:
                    asked.Add(step);
                    break;
                case FineTuneStep:
                    stages.Add(new([.. asked, step]));
                    asked.Clear();
                    break;
                default:
                    Close();
                    if (step is not QuantizeStep)
                    {
                        stages.Add(new([step]));
                    }

                    break;
            }
        }

        Close();
        return [.. stages];

        void Close()
        {
            if (asked.Count > 0)
            {
                stages.Add(new([.. asked]));
                asked.Clear();
            }
        }
    }
}
