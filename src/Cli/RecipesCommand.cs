using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Optimize;

namespace Optc.Cli;

internal sealed class RecipesCommand : Verb
{
    private readonly Argument<string?> _name = new("name")
    {
        HelpName = "NAME",
        Description = "Recipe to print as YAML; left out, all are listed.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _schema = new("--schema") { Description = "Print the JSON schema of recipe files, by which editors complete and check them." };

    public RecipesCommand(Terminal terminal)
        : base("recipes", "List the recipes of 'optc optimize', or print one to start from.", terminal)
    {
        UsageErrors.RefuseOptions(_name);
        Arguments.Add(_name);
        Options.Add(_schema);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("what there is", "optc recipes"),
        new("a recipe with every key, to be changed", "optc recipes pcqat"),
        new("the schema for editors", "optc recipes --schema"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        if (arguments.GetValue(_schema))
        {
            Terminal.WriteHelp(OptimizationRecipe.Schema);
            return ExitCode.Success;
        }

        if (arguments.GetValue(_name) is { } name)
        {
            OptimizationRecipe recipe = new RecipeOptions(name, null, null, null) is { File: null } known
                ? known.Load()
                : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such recipe")
                {
                    Found = $"'{name}'",
                    Expected = string.Join(", ", OptimizationRecipe.All.Select(r => r.Name)),
                });
            Terminal.WriteText(recipe.ToYaml());
            Terminal.WriteJson(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("name", recipe.Name);
                writer.WriteString("description", recipe.Description);
                writer.WriteString("yaml", recipe.ToYaml());
                writer.WriteEndObject();
            });
            return ExitCode.Success;
        }

        Grid table = new("recipe", "what it does");
        foreach (OptimizationRecipe recipe in OptimizationRecipe.All)
        {
            table.Add(recipe.Name, recipe.Description ?? "");
        }

        table.PrintTo(Terminal);
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("recipes");
            foreach (OptimizationRecipe recipe in OptimizationRecipe.All)
            {
                writer.WriteStartObject();
                writer.WriteString("name", recipe.Name);
                writer.WriteString("description", recipe.Description);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
        return ExitCode.Success;
    }
}
