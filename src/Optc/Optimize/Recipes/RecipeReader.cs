using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Optc.Optimize.Recipes;

/// <summary>Reads recipes, and says all that is wrong with one at once.</summary>
/// <param name="source">What to call the text in messages.</param>
internal sealed class RecipeReader(string source)
{
    private const string Name = "name";
    private const string Description = "description";
    private const string Steps = "steps";

    private readonly List<Diagnostic> _problems = [];

    /// <exception cref="DiagnosticException">It is no recipe.</exception>
    public OptimizationRecipe Read(string yaml)
    {
        OptimizationRecipe? recipe = RootOf(yaml) is { } root ? Recipe(root) : null;
        return _problems.Count == 0 ? recipe! : throw new DiagnosticException([.. _problems]);
    }

    private YamlMappingNode? RootOf(string yaml)
    {
        YamlStream stream = [];
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException problem)
        {
            string found = problem.InnerException?.Message ?? problem.Message;
            _problems.Add(new(DiagnosticId.MalformedFile, "the recipe is no YAML") { At = At(problem.Start), Found = found });
            return null;
        }

        switch (stream.Documents)
        {
            case [{ RootNode: YamlMappingNode root }]:
                return root;
            case [{ RootNode: var other }]:
                Wrong("the recipe is no map", other, Describe(other), $"a map with '{Steps}'");
                return null;
            case []:
                _problems.Add(new(DiagnosticId.InvalidOption, "the recipe is empty") { At = [source], Expected = $"a map with '{Steps}', as 'optc recipes pcqat' prints one" });
                return null;
            default:
                Wrong("the file holds several documents", stream.Documents[1].RootNode, $"{stream.Documents.Count} documents", "one recipe");
                return null;
        }
    }

    private OptimizationRecipe? Recipe(YamlMappingNode root)
    {
        string name = Path.GetFileNameWithoutExtension(source);
        string? description = null;
        YamlSequenceNode? list = null;
        foreach ((YamlNode key, YamlNode value) in root.Children)
        {
            switch ((key as YamlScalarNode)?.Value)
            {
                case Name when value is YamlScalarNode { Value: { Length: > 0 } text }:
                    name = text;
                    break;
                case Description when value is YamlScalarNode text:
                    description = text.Value;
                    break;
                case Steps when value is YamlSequenceNode steps:
                    list = steps;
                    break;
                case Steps:
                    Wrong($"'{Steps}' is no list", value, Describe(value), "a list, in which each entry begins with '-'");
                    return null;
                case Name or Description:
                    Wrong($"'{key}' is no text", value, Describe(value), "a text");
                    break;
                default:
                    UnknownKey("there is no such key in a recipe", key, [Name, Description, Steps]);
                    break;
            }
        }

        if (list is null && _problems.Count > 0)
        {
            return null;
        }

        if (list is null)
        {
            Wrong($"the recipe has no '{Steps}'", root, "none", $"'{Steps}' with a list of steps");
            return null;
        }

        ImmutableArray<OptimizationStep>.Builder read = ImmutableArray.CreateBuilder<OptimizationStep>();
        foreach (YamlNode node in list.Children)
        {
            if (Step(node) is { } step)
            {
                read.Add(step);
            }
        }

        OptimizationRecipe recipe = new(name, read.ToImmutable()) { Description = description };
        if (_problems.Count == 0)
        {
            _problems.AddRange(recipe.Contradictions().Select(c => c.Problem with { At = At((c.Step < 0 ? list : list.Children[c.Step]).Start) }));
        }

        return recipe;
    }

    /// <summary>A word for a step as it is, or a map of one word to keys, or to the first key's value.</summary>
    private OptimizationStep? Step(YamlNode node)
    {
        (YamlNode? key, YamlNode? content) = node switch
        {
            YamlScalarNode word => (word, null),
            YamlMappingNode { Children: { Count: 1 } only } => (only[0].Key, only[0].Value),
            _ => ((YamlNode?)null, (YamlNode?)null),
        };
        if (key is not YamlScalarNode { Value: { } name })
        {
            string found = node is YamlMappingNode { Children.Count: > 1 } ? "a map of several words; its keys may lack two blanks in front" : Describe(node);
            Wrong("this is no step", node, found, "the name of a step, with its keys indented below it");
            return null;
        }

        if (StepForms.All.FirstOrDefault(f => f.Name == name) is not { } form)
        {
            UnknownKey("there is no such step", key, [.. StepForms.All.Select(f => f.Name)]);
            return null;
        }

        return content switch
        {
            null or YamlScalarNode { Value: null or "" } => form.Start,
            YamlMappingNode keys => Keys(form, keys),
            YamlScalarNode when !form.Keys.IsEmpty => Set(form.Start, form, form.Keys[0], content),
            _ => NoKeys(form, content),
        };
    }

    private OptimizationStep? NoKeys(StepForm form, YamlNode content)
    {
        Wrong($"'{form.Name}' is followed by something else than keys", content, Describe(content), form.Keys.IsEmpty ? "nothing" : "keys, indented below it");
        return null;
    }

    private OptimizationStep Keys(StepForm form, YamlMappingNode keys)
    {
        OptimizationStep step = form.Start;
        foreach ((YamlNode key, YamlNode value) in keys.Children)
        {
            string? name = (key as YamlScalarNode)?.Value;
            if (form.Keys.FirstOrDefault(k => k.Name == name) is { } known)
            {
                step = Set(step, form, known, value);
            }
            else
            {
                UnknownKey($"there is no such key in '{form.Name}'", key, [.. form.Keys.Select(k => k.Name)]);
            }
        }

        return step;
    }

    private OptimizationStep Set(OptimizationStep step, StepForm form, RecipeKey key, YamlNode value)
    {
        if (key.Set(step, value) is { } changed)
        {
            return changed;
        }

        Wrong($"'{key.Name}' of '{form.Name}' has a value that is not allowed", value, Describe(value), key.Expected);
        return step;
    }

    private void UnknownKey(string message, YamlNode key, string[] known)
    {
        string? name = (key as YamlScalarNode)?.Value;
        string? near = name is null ? null : NearestWord.Of(name, known);
        _problems.Add(new(DiagnosticId.InvalidOption, message)
        {
            At = At(key.Start),
            Found = Describe(key),
            Expected = string.Join(", ", known),
            Hint = near is null ? null : $"did you mean '{near}'?",
        });
    }

    private void Wrong(string message, YamlNode node, string found, string expected) =>
        _problems.Add(new(DiagnosticId.InvalidOption, message) { At = At(node.Start), Found = found, Expected = expected });

    private ImmutableArray<string> At(Mark mark) => [source, string.Create(CultureInfo.InvariantCulture, $"line {mark.Line}, column {mark.Column}")];

    // Never the content of maps and lists, which may hold themselves.
    private static string Describe(YamlNode node) => node switch
    {
        YamlScalarNode { Value: null or "" } => "nothing",
        YamlScalarNode scalar => $"'{scalar.Value}'",
        YamlSequenceNode => "a list",
        YamlMappingNode => "a map",
        _ => "an alias",
    };
}
