using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Optimize.Recipes;

namespace Optc.Optimize;

/// <summary>What is done to a model, step by step: prune, cluster, quantize-aware, fine-tune, quantize.</summary>
/// <remarks>
/// Prune, cluster and quantize-aware say what the next fine-tune brings about; several of them before one fine-tune are one joint run.
/// Without a fine-tune behind them, zeros and shared values are made in one shot.
/// </remarks>
/// <param name="Name">In reports.</param>
/// <param name="Steps">In their order.</param>
public sealed record OptimizationRecipe(string Name, ImmutableArray<OptimizationStep> Steps)
{
    /// <summary>One sentence.</summary>
    public string? Description { get; init; }

    /// <summary>The recipes that come with optc.</summary>
    public static ImmutableArray<OptimizationRecipe> All => BuiltInRecipes.All;

    /// <summary>The recipe of that name that comes with optc, or <see langword="null"/>.</summary>
    public static OptimizationRecipe? Find(string name) => All.FirstOrDefault(r => r.Name == name);

    /// <summary>Reads a recipe.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="DiagnosticException">It is no recipe; all that is wrong with it is listed, with lines and columns.</exception>
    public static OptimizationRecipe Parse(string yaml, string source = "recipe") => new RecipeReader(source).Read(yaml);

    /// <summary>Reads a recipe from a file.</summary>
    /// <exception cref="DiagnosticException">The file cannot be read, or is no recipe.</exception>
    public static OptimizationRecipe Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Data.DataFile.NotReadable(path, problem);
        }
    }

    /// <summary>The recipe as YAML, every key with its value; equal recipes give the same text, and reading it gives an equal recipe.</summary>
    public string ToYaml() => RecipeWriter.Write(this);

    /// <summary>The JSON schema of recipe files.</summary>
    public static string Schema => RecipeSchema.Write();

    /// <summary>Does to a model what the recipe says.</summary>
    /// <param name="model">Float.</param>
    /// <param name="train">Labelled samples; integers such as pictures of bytes count as numbers.</param>
    /// <param name="test">Samples that score the models of all stages; nothing is chosen by them.</param>
    /// <exception cref="DiagnosticException">
    /// The recipe contradicts itself, does not fit the model or the data, or the result does not keep the structure of its weights.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; with a work folder the same call goes on from there.</exception>
    public Optimization Run(Model model, Dataset train, Dataset? test = null, OptimizationOptions? options = null)
    {
        options ??= new();
        Require();
        return new RecipeRunner(model, train, test, options).Run(this, options.Work, options.Progress);
    }

    /// <summary>The recipe with a value for everything that depends on other steps: what is really done.</summary>
    public OptimizationRecipe Resolved()
    {
        ImmutableArray<OptimizationStep>.Builder steps = ImmutableArray.CreateBuilder<OptimizationStep>(Steps.Length);
        for (int i = 0; i < Steps.Length; i++)
        {
            steps.Add(Steps[i] switch
            {
                ClusterStep cluster => cluster with
                {
                    Begin = cluster.Begin ?? (OfRun(i).OfType<PruneStep>().FirstOrDefault() is { Schedule: "polynomial" } prune && IsTrained(i) ? Math.Min(prune.End, 0.95) : 0),
                    Freeze = cluster.Freeze ?? (IsTrained(i) && OfRun(i).Any(s => s is PruneStep or QuantizeAwareStep) ? 0.85 : 1),
                },
                FineTuneStep { Distill: null } tune => tune with { Distill = tune.Classifies ? 0.7 : 0 },
                var other => other,
            });
        }

        return this with { Steps = steps.MoveToImmutable() };
    }

    /// <summary>What contradicts itself, each with the number of its step from 0 on, or -1 for the recipe as a whole.</summary>
    internal IEnumerable<(int Step, Diagnostic Problem)> Contradictions()
    {
        if (Steps.IsEmpty)
        {
            yield return (-1, Wrong("the recipe has no steps", "an empty list", "at least one step"));
        }

        for (int i = 0; i < Steps.Length; i++)
        {
            OptimizationStep step = Steps[i];
            if (step is PruneStep or ClusterStep or QuantizeAwareStep && Steps.Take(i).Reverse().TakeWhile(s => s is not FineTuneStep).Any(s => s.GetType() == step.GetType()))
            {
                string name = StepForms.Of(step).Name;
                yield return (i, Wrong($"'{name}' stands twice before one training", $"a second '{name}'", "one of them, or 'fine-tune' between them"));
            }

            switch (step)
            {
                case QuantizeStep when i < Steps.Length - 1:
                    yield return (i, Wrong("'quantize' is not the last step", $"'{StepForms.Of(Steps[i + 1]).Name}' behind it", "'quantize' at the end, since integers are not trained"));
                    break;
                case QuantizeAwareStep when !IsTrained(i):
                    yield return (i, Wrong("'quantize-aware' has no training", "no 'fine-tune' behind it", "'fine-tune' after 'quantize-aware'; without training 'quantize' alone does the same"));
                    break;
                case QuantizeAwareStep when Steps[^1] is QuantizeStep { Recipe: var recipe } && !recipe.StartsWith("static-", StringComparison.Ordinal):
                    yield return (i, Wrong("'quantize-aware' trains for another kind of integers than 'quantize' makes", recipe, "static-int8 or static-int16x8"));
                    break;
                case PruneStep { Rules.IsEmpty: false, Distribution: not "uniform" } prune:
                    yield return (i, Wrong("'rules' and 'distribution' both spread the zeros", prune.Distribution, "one of them"));
                    break;
                case PruneStep { Pattern: not "elements" } prune when prune.Distribution != "uniform" || !prune.Rules.IsEmpty:
                    yield return (i, Wrong("only single elements are spread over layers", $"pattern {prune.Pattern}", "pattern elements, or distribution uniform without rules"));
                    break;
                case PruneStep { Schedule: "polynomial" } prune when prune.End < prune.Begin:
                    yield return (i, Wrong("pruning ends before it begins", string.Create(CultureInfo.InvariantCulture, $"begin {prune.Begin}, end {prune.End}"), "an end behind the beginning"));
                    break;
                case ClusterStep { RelativeError: not null, BitsPerWeight: not null }:
                    yield return (i, Wrong("'relative-error' and 'bits-per-weight' both choose the codes", "both", "one of them"));
                    break;
                case ClusterStep { Begin: { } begin, Freeze: { } freeze } when freeze < begin:
                    yield return (i, Wrong("codes are frozen before there are any", string.Create(CultureInfo.InvariantCulture, $"begin {begin}, freeze {freeze}"), "'freeze' behind 'begin'"));
                    break;
                case FineTuneStep { ValidationPart: 0 } tune when tune.Patience > 0 || tune.KeepBest:
                    yield return (i, Wrong("'patience' and 'keep-best' need scores", "validation-part 0", "a part of the data, such as 0.1"));
                    break;
                case FineTuneStep { Classifies: false, Distill: > 0 } tune:
                    yield return (i, Wrong("this loss has no scores of classes that could be taught", $"loss {tune.Loss}", "distill 0, or a loss over classes"));
                    break;
            }
        }
    }

    /// <summary>Refuses a recipe that contradicts itself.</summary>
    /// <exception cref="DiagnosticException">It does.</exception>
    internal void Require()
    {
        ImmutableArray<Diagnostic> problems =
        [
            .. Contradictions().Select(c => c.Problem with { At = c.Step < 0 ? [Name] : [Name, string.Create(CultureInfo.InvariantCulture, $"step {c.Step + 1}")] }),
        ];
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }
    }

    /// <inheritdoc/>
    public bool Equals(OptimizationRecipe? other) => other is not null && ToYaml() == other.ToYaml();

    /// <inheritdoc/>
    public override int GetHashCode() => ToYaml().GetHashCode(StringComparison.Ordinal);

    /// <summary>The steps that share the training of a step, itself included.</summary>
    private IEnumerable<OptimizationStep> OfRun(int step) => Steps.Take(step).Reverse().TakeWhile(IsAsking).Concat(Steps.Skip(step).TakeWhile(IsAsking));

    private bool IsTrained(int step) => Steps.Skip(step).SkipWhile(IsAsking).FirstOrDefault() is FineTuneStep;

    private static bool IsAsking(OptimizationStep step) => step is PruneStep or ClusterStep or QuantizeAwareStep;

    private static Diagnostic Wrong(string message, string found, string expected) => new(DiagnosticId.InvalidOption, message) { Found = found, Expected = expected };
}
