using System.CommandLine;
using Optc.Ir;
using Optc.Optimize;

namespace Optc.Cli.CommandLine;

/// <summary>A recipe by name or file, with numbers that the command line changes.</summary>
/// <param name="recipe">Name of a built-in recipe, or path of a file.</param>
internal sealed class RecipeOptions(string recipe, int? epochs, double? sparsity, int? codes)
{
    /// <summary>The path, when it is a file.</summary>
    public string? File => OptimizationRecipe.Find(recipe) is null ? recipe : null;

    public static Option<string> Recipe(string defaultName) => new("--recipe", "-r")
    {
        HelpName = "NAME|FILE",
        Description = "What is done: the name of a recipe that 'optc recipes' lists, or a YAML file.",
        DefaultValueFactory = _ => defaultName,
    };

    public static Option<string> Data() => new("--data", "-d")
    {
        HelpName = "DATA",
        Description = "Labelled data to train on: an .npz with 'x' and 'y', .npy or IDX with the labels in --y FILE, or a folder with a folder for each class.",
        Required = true,
    };

    public static Option<string?> Test() => new("--test") { HelpName = "DATA", Description = "Labelled data on which the models of all stages are scored; nothing is chosen by them." };

    public static Option<string?> Metric() => new("--metric") { HelpName = "NAME", Description = "Score: accuracy, top-K, auc, mse or mae; accuracy for losses over classes unless given, else mse." };

    public static Option<int?> Epochs() => Number(new("--epochs") { HelpName = "N", Description = "Epochs of every 'fine-tune' of the recipe." }, 1, int.MaxValue);

    public static Option<double?> Sparsity()
    {
        Option<double?> option = new("--sparsity") { HelpName = "PART", CustomParser = SharedOptions.ParseOptionalNumber, Description = "Sparsity of every 'prune' of the recipe." };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && result.GetValueOrDefault<double?>() is not (>= 0 and < 1))
            {
                result.AddError($"--sparsity is '{text}', but has to be a number from 0 to below 1");
            }
        });
        return option;
    }

    public static Option<int?> Codes() => Number(new("--codes") { HelpName = "N", Description = "Codes of every 'cluster' of the recipe." }, 2, 256);

    public static Option<bool> EmptyClasses() => new("--allow-empty-classes") { Description = "Train although some classes have no samples." };

    public static Option<ulong> Seed() => new("--seed") { HelpName = "S", Description = "Of order, augmentation and all that is drawn; the same seed gives the same file.", DefaultValueFactory = _ => 0 };

    /// <summary>The metric of a name, else the one that suits the losses of a recipe.</summary>
    public static Metric MetricOf(string? name, OptimizationRecipe recipe) =>
        name is not null ? Optc.Metric.Parse(name)
        : recipe.Steps.OfType<FineTuneStep>().LastOrDefault() is { } tune && !Runtime.Training.Loss.Parse(tune.Loss).TakesClasses ? Optc.Metric.MeanSquaredError
        : Optc.Metric.Accuracy;

    /// <exception cref="DiagnosticException">There is no such recipe, it cannot be read, or has no step that a number is for.</exception>
    public OptimizationRecipe Load()
    {
        OptimizationRecipe? found = OptimizationRecipe.Find(recipe);
        if (found is null && !System.IO.File.Exists(recipe) && !recipe.Contains('.') && !recipe.Contains('/'))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such recipe")
            {
                Found = $"'{recipe}'",
                Expected = $"{string.Join(", ", OptimizationRecipe.All.Select(r => r.Name))}, or the name of a YAML file",
                Hint = "'optc recipes' lists them; 'optc recipes NAME' prints one, to be changed",
            });
        }

        found ??= OptimizationRecipe.Load(recipe);
        found = Changed<FineTuneStep>(found, "--epochs", "fine-tune", epochs, (s, v) => s with { Epochs = (int)v });
        found = Changed<PruneStep>(found, "--sparsity", "prune", sparsity, (s, v) => s with { Sparsity = v });
        return Changed<ClusterStep>(found, "--codes", "cluster", codes, (s, v) => s with { Codes = (int)v });
    }

    private static OptimizationRecipe Changed<TStep>(OptimizationRecipe recipe, string option, string step, double? number, Func<TStep, double, TStep> change)
        where TStep : OptimizationStep
    {
        if (number is not { } value)
        {
            return recipe;
        }

        return recipe.Steps.Any(s => s is TStep)
            ? recipe with { Steps = [.. recipe.Steps.Select(s => s is TStep own ? change(own, value) : s)] }
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"{option} is for a step that the recipe does not have")
            {
                At = [recipe.Name],
                Expected = $"a recipe with '{step}'",
            });
    }

    private static Option<int?> Number(Option<int?> option, int low, int high)
    {
        option.Validators.Add(result => SharedOptions.RequireRange(result, option, low, high));
        return option;
    }
}
