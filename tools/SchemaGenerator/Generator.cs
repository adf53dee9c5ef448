namespace Optc.Tools.SchemaGenerator;

/// <summary>Makes the C# files of a schema.</summary>
public static class Generator
{
    private const string SchemaFile = "tflite.schema";
    private const string NamespaceName = "Optc.Formats.TfLite";

    /// <summary>The generated files by name, the same on every run.</summary>
    /// <param name="schemaText">The text of <c>tflite.schema</c>.</param>
    /// <exception cref="FormatException">The text is no schema.</exception>
    public static IReadOnlyDictionary<string, string> Generate(string schemaText)
    {
        Schema schema = SchemaParser.Parse(schemaText);
        CSharpTypes types = new(schema);
        TypeEmitter typeEmitter = new(schema, types, SchemaFile, NamespaceName);
        CodecEmitter codecEmitter = new(schema, types, SchemaFile, NamespaceName);
        return new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["Enums.g.cs"] = typeEmitter.Enums(),
            ["Unions.g.cs"] = typeEmitter.Unions(),
            ["UnionTables.g.cs"] = typeEmitter.Tables(ofUnions: true),
            ["Tables.g.cs"] = typeEmitter.Tables(ofUnions: false),
            ["SchemaReader.g.cs"] = codecEmitter.Reader(),
            ["SchemaWriter.g.cs"] = codecEmitter.Writer(),
        };
    }
}
