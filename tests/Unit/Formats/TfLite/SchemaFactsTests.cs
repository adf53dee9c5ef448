using System.Text.Json;
using Optc.Tests.Snapshots;
using Optc.Tools.SchemaGenerator;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>Compares <c>tflite.schema</c> with the facts that were taken from the official schema.</summary>
public sealed class SchemaFactsTests
{
    private static readonly Schema Ours = SchemaParser.Parse(
        File.ReadAllText(Path.Combine(RepositoryFolder.Path, "src", "Formats", "TfLite", "tflite.schema")));

    private static JsonElement Facts() => JsonDocument.Parse(
        File.ReadAllText(Path.Combine(SharedFolder.Path, "specs", "tflite-schema.json"))).RootElement;

    [SharedFact]
    public void Enums_have_the_members_of_the_official_schema() => Assert.Equal(
        Facts().GetProperty("enums").EnumerateArray().SelectMany(type => type.GetProperty("members").EnumerateArray()
            .Select(member => $"{Text(type, "name")} {Text(type, "underlying")} {Text(member, "name")} "
                + member.GetProperty("value"))),
        Ours.Enums.SelectMany(type => type.Members.Select(
            member => $"{type.Name} {type.Scalar} {member.SchemaName} {member.Value}")));

    [SharedFact]
    public void Unions_have_the_members_of_the_official_schema() => Assert.Equal(
        Facts().GetProperty("unions").EnumerateArray().SelectMany(union => union.GetProperty("members").EnumerateArray()
            .Where(member => member.GetProperty("code").GetInt32() != 0)
            .Select(member => $"{Text(union, "name")} {member.GetProperty("code")} {Text(member, "table")}")),
        Ours.Unions.SelectMany(union => union.Members.Select(member => $"{union.Name} {member.Code} {member.Table}")));

    [SharedFact]
    public void Tables_have_the_fields_of_the_official_schema()
    {
        string[] official = [.. Facts().GetProperty("tables").EnumerateArray().SelectMany(table =>
            table.GetProperty("fields").EnumerateArray()
                .Where(field => Text(field.GetProperty("type"), "kind") != "union_type")
                .Select(field => $"{Text(table, "name")} {Describe(field)}"))];

        Assert.Equal(
            official,
            Ours.Tables.SelectMany(table => table.Fields.Select(field => $"{table.Name} {Describe(field)}")));
    }

    private static string Describe(Field field)
    {
        string type = field.Type.Kind switch
        {
            FieldKind.Union => "union " + field.Type.Target,
            FieldKind.ScalarVector or FieldKind.EnumVector or FieldKind.TableVector or FieldKind.ByteVector =>
                $"[{field.Type.Target}]",
            _ => field.Type.Target,
        };
        string? value = field switch
        {
            { Default: null } => "0",
            { Type.Kind: FieldKind.Enum } => Ours.Enums.Single(candidate => candidate.Name == field.Type.Target)
                .Members.Single(member => member.SchemaName == field.Default).Value.ToString(),
            _ => field.Default,
        };
        int slot = field.Type.Kind == FieldKind.Union ? field.Slot + 1 : field.Slot;
        return $"{slot} {field.Name} : {type} = {value} align {field.Alignment} "
            + (field.IsDeprecated ? "deprecated" : "");
    }

    private static string Describe(JsonElement field)
    {
        JsonElement type = field.GetProperty("type");
        JsonElement value = field.GetProperty("default");
        string text = value.ValueKind switch
        {
            JsonValueKind.True => "true",
            JsonValueKind.Number when value.GetDouble() != 0 => value.GetRawText(),
            _ => "0",
        };
        int alignment = field.TryGetProperty("force_align", out JsonElement given) ? given.GetInt32() : 0;
        bool isDeprecated = field.GetProperty("deprecated").GetBoolean();
        return $"{field.GetProperty("id")} {Text(field, "name")} : {TypeName(type)} = {text} align {alignment} "
            + (isDeprecated ? "deprecated" : "");
    }

    private static string TypeName(JsonElement type) => Text(type, "kind") switch
    {
        "vector" => $"[{TypeName(type.GetProperty("element"))}]",
        "union_value" => "union " + Text(type, "union"),
        "string" => "string",
        string kind => Text(type, kind),
    };

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}
