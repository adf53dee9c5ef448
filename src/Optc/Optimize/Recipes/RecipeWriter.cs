using System.Globalization;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace Optc.Optimize.Recipes;

/// <summary>Prints recipes as YAML, in one form for equal recipes.</summary>
internal static class RecipeWriter
{
    public static string Write(OptimizationRecipe recipe)
    {
        StringBuilder text = new();
        text.Append("name: ").Append(Scalar(recipe.Name)).Append('\n');
        if (recipe.Description is { Length: > 0 } description)
        {
            text.Append("description: ").Append(Scalar(description)).Append('\n');
        }

        text.Append(recipe.Steps.IsEmpty ? "steps: []\n" : "steps:\n");
        foreach (OptimizationStep step in recipe.Steps)
        {
            text.Append(Write(step));
        }

        return text.ToString();
    }

    /// <summary>One entry of the list of steps.</summary>
    public static string Write(OptimizationStep step)
    {
        StepForm form = StepForms.Of(step);
        (string Name, YamlNode Value)[] keys = [.. form.Keys.Select(k => (k.Name, Value: k.Get(step))).Where(k => k.Value is not null).Select(k => (k.Name, k.Value!))];
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"  - {form.Name}{(keys.Length == 0 ? "" : ":")}\n");
        foreach ((string name, YamlNode value) in keys)
        {
            text.Append(CultureInfo.InvariantCulture, $"      {name}:");
            if (value is YamlMappingNode map)
            {
                text.Append('\n');
                foreach ((YamlNode key, YamlNode entry) in map.Children)
                {
                    text.Append(CultureInfo.InvariantCulture, $"        {Scalar(TextOf(key))}: {Scalar(TextOf(entry))}\n");
                }
            }
            else
            {
                text.Append(' ').Append(Scalar(TextOf(value))).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string TextOf(YamlNode node) => ((YamlScalarNode)node).Value ?? "";

    /// <summary>A text as it is where every reader takes it for that, else in quotes.</summary>
    private static string Scalar(string text)
    {
        if (text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && !text.EndsWith(':') && !text.EndsWith(' ') && !text.Contains(": ", StringComparison.Ordinal)
            && text.All(c => char.IsAsciiLetterOrDigit(c) || " _-.,:/+=()%'".Contains(c, StringComparison.Ordinal)))
        {
            return text;
        }

        if (!text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufeff' || char.IsSurrogate(c)))
        {
            return $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
        }

        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                _ when c is >= ' ' and <= '~' => c.ToString(),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
            });
        }

        return quoted.Append('"').ToString();
    }
}
