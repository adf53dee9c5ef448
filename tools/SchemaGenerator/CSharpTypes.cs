using System.Diagnostics;

namespace Optc.Tools.SchemaGenerator;

/// <summary>How a schema looks in C#: type names, defaults, names of tables.</summary>
internal sealed class CSharpTypes(Schema schema)
{
    private readonly Dictionary<string, string> tableNames =
        schema.Tables.ToDictionary(table => table.Name, table => table.CSharpName);

    public static string Scalar(string name) => name switch
    {
        "bool" => "bool",
        "int8" => "sbyte",
        "uint8" => "byte",
        "int16" => "short",
        "uint16" => "ushort",
        "int32" => "int",
        "uint32" => "uint",
        "int64" => "long",
        "uint64" => "ulong",
        "float32" => "float",
        "float64" => "double",
        _ => throw new UnreachableException(name),
    };

    public string Table(string name) => tableNames[name];

    /// <summary>The type of one element of a vector, or of a field that is none.</summary>
    public string Element(FieldType type) => type.Kind switch
    {
        FieldKind.Scalar or FieldKind.ScalarVector => Scalar(type.Target),
        FieldKind.Enum or FieldKind.EnumVector => Enum(type.Target).CSharpName,
        FieldKind.String => "string",
        FieldKind.Table or FieldKind.TableVector => Table(type.Target),
        FieldKind.Union => "I" + type.Target,
        FieldKind.ByteVector => "byte",
        _ => throw new UnreachableException(type.ToString()),
    };

    public string Property(FieldType type) => type.Kind switch
    {
        FieldKind.Scalar or FieldKind.Enum => Element(type),
        FieldKind.String or FieldKind.Table or FieldKind.Union => Element(type) + "?",
        FieldKind.ByteVector => "ReadOnlyMemory<byte>",
        _ => $"ImmutableArray<{Element(type)}>",
    };

    /// <summary>The default as a C# expression; null where it is the default of the C# type.</summary>
    public string? Default(Field field) => field switch
    {
        { Default: null } => null,
        { Type.Kind: FieldKind.Enum } => EnumDefault(field),
        { Type.Target: "float32" } => field.Default + "f",
        _ => field.Default,
    };

    private EnumType Enum(string name) => schema.Enums.Single(type => type.Name == name);

    private string EnumDefault(Field field)
    {
        EnumType type = Enum(field.Type.Target);
        return $"{type.CSharpName}.{type.Members.Single(member => member.SchemaName == field.Default).CSharpName}";
    }
}
