using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Optc.Optimize.Recipes;

/// <summary>Prints the JSON schema of recipe files, by which editors complete and check them.</summary>
/// <remarks>Source: JSON Schema, draft 2020-12.</remarks>
internal static class RecipeSchema
{
    public static string Write()
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes, new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            writer.WriteString("title", "Recipe of optc");
            writer.WriteString("description", "What 'optc optimize --recipe FILE' does to a model, step by step.");
            writer.WriteString("type", "object");
            WriteRoot(writer);
            writer.WriteStartObject("$defs");
            foreach (StepForm form in StepForms.All)
            {
                Write(writer, form);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static void WriteRoot(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("properties");
        WriteText(writer, "name", "Name of the recipe in reports; that of the file unless given.");
        WriteText(writer, "description", "What it does, in a sentence.");
        writer.WriteStartObject("steps");
        writer.WriteString("description", "In their order. 'prune', 'cluster' and 'quantize-aware' say what the next 'fine-tune' brings about; several of them are one run.");
        writer.WriteString("type", "array");
        writer.WriteNumber("minItems", 1);
        writer.WriteStartObject("items");
        writer.WriteStartArray("oneOf");
        writer.WriteStartObject();
        writer.WriteString("description", "A step as it is.");
        writer.WriteStartArray("enum");
        foreach (StepForm form in StepForms.All)
        {
            writer.WriteStringValue(form.Name);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        foreach (StepForm form in StepForms.All)
        {
            writer.WriteStartObject();
            writer.WriteString("$ref", $"#/$defs/{form.Name}");
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
        WriteRequired(writer, "steps");
        writer.WriteBoolean("additionalProperties", false);
    }

    private static void Write(Utf8JsonWriter writer, StepForm form)
    {
        writer.WriteStartObject(form.Name);
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        writer.WriteStartObject(form.Name);
        writer.WriteString("description", form.Summary);
        writer.WriteStartArray("oneOf");
        writer.WriteStartObject();
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        foreach (RecipeKey key in form.Keys)
        {
            writer.WriteStartObject(key.Name);
            writer.WriteString("description", key.Summary);
            key.WriteSchema(writer);
            WriteDefault(writer, form, key);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteEndObject();
        writer.WriteStartObject();
        writer.WriteString("description", "Nothing: every key as it is.");
        writer.WriteString("type", "null");
        writer.WriteEndObject();
        if (!form.Keys.IsEmpty)
        {
            writer.WriteStartObject();
            writer.WriteString("description", $"Short for '{form.Keys[0].Name}'. {form.Keys[0].Summary}");
            form.Keys[0].WriteSchema(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        WriteRequired(writer, form.Name);
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteEndObject();
    }

    private static void WriteDefault(Utf8JsonWriter writer, StepForm form, RecipeKey key)
    {
        if (key.Get(form.Start) is not YamlDotNet.RepresentationModel.YamlScalarNode { Value: { } text })
        {
            return;
        }

        writer.WritePropertyName("default");
        if (text is "true" or "false" || double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _))
        {
            writer.WriteRawValue(text);
        }
        else
        {
            writer.WriteStringValue(text);
        }
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string description)
    {
        writer.WriteStartObject(name);
        writer.WriteString("description", description);
        writer.WriteString("type", "string");
        writer.WriteEndObject();
    }

    private static void WriteRequired(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartArray("required");
        writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
