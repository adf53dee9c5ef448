using System.Text.Json;
using Optc.Optimize;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Architecture;

/// <summary>The published schema of recipe files, which is printed from the keys that the reader knows.</summary>
public sealed class RecipeSchemaTests
{
    /// <summary><c>docs/recipe.schema.json</c> is printed from the declarations of the steps.</summary>
    [Fact]
    public void The_schema_of_recipes_is_current() => GoldenFile.At("docs/recipe.schema.json").ShouldMatch(OptimizationRecipe.Schema);

    [Fact]
    public void Every_key_is_documented_and_has_a_kind()
    {
        JsonElement steps = JsonDocument.Parse(OptimizationRecipe.Schema).RootElement.GetProperty("$defs");
        int keys = 0;
        foreach (JsonProperty step in steps.EnumerateObject())
        {
            JsonElement own = step.Value.GetProperty("properties").GetProperty(step.Name);
            Assert.EndsWith(".", own.GetProperty("description").GetString(), StringComparison.Ordinal);
            foreach (JsonProperty key in own.GetProperty("oneOf")[0].GetProperty("properties").EnumerateObject())
            {
                keys++;
                Assert.EndsWith(".", key.Value.GetProperty("description").GetString(), StringComparison.Ordinal);
                Assert.True(key.Value.TryGetProperty("type", out _) || key.Value.TryGetProperty("enum", out _), $"{step.Name}.{key.Name} has no type");
            }
        }

        Assert.Equal(8, steps.EnumerateObject().Count());
        Assert.True(keys > 40, $"{keys} keys");
    }

    /// <summary>The keys that the built-in recipes print are those of the schema.</summary>
    [Fact]
    public void Every_printed_key_is_in_the_schema()
    {
        JsonElement steps = JsonDocument.Parse(OptimizationRecipe.Schema).RootElement.GetProperty("$defs");
        foreach (OptimizationRecipe recipe in OptimizationRecipe.All)
        {
            string step = "";
            foreach (string line in recipe.ToYaml().Split('\n').SkipWhile(l => l != "steps:").Skip(1).Where(l => l.Length > 0))
            {
                if (line.StartsWith("  - ", StringComparison.Ordinal))
                {
                    step = line[4..].TrimEnd(':');
                }
                else
                {
                    string key = line.Trim().Split(':')[0];
                    Assert.True(steps.GetProperty(step).GetProperty("properties").GetProperty(step).GetProperty("oneOf")[0].GetProperty("properties").TryGetProperty(key, out _), $"{step}.{key}");
                }
            }
        }
    }
}
