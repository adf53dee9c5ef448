using System.Globalization;

namespace Optc.Tools.SchemaGenerator;

/// <summary>Emits enums, unions and tables as C# types.</summary>
internal sealed class TypeEmitter(Schema schema, CSharpTypes types, string schemaFile, string namespaceName)
{
    public string Enums()
    {
        SourceText source = new(schemaFile, namespaceName);
        foreach (EnumType type in schema.Enums)
        {
            source.Line();
            source.Line(
                $"/// <summary>Enum <c>{type.Name}</c>; values that are not listed occur in newer files.</summary>");
            source.Open($"public enum {type.CSharpName} : {CSharpTypes.Scalar(type.Scalar)}");
            foreach (EnumMember member in type.Members)
            {
                source.Line(string.Create(CultureInfo.InvariantCulture, $"{member.CSharpName} = {member.Value},"));
            }

            source.Close();
        }

        return source.ToString();
    }

    public string Unions()
    {
        SourceText source = new(schemaFile, namespaceName);
        foreach (UnionType union in schema.Unions)
        {
            source.Line();
            source.Line($"/// <summary>Codes of union <c>{union.Name}</c>.</summary>");
            source.Open($"public enum {union.CodeName} : byte");
            source.Line("None = 0,");
            foreach (UnionMember member in union.Members)
            {
                source.Line(string.Create(CultureInfo.InvariantCulture, $"{member.Table} = {member.Code},"));
            }

            source.Close();
            source.Line();
            source.Line($"/// <summary>A table of union <c>{union.Name}</c>.</summary>");
            source.Open($"public partial interface {union.InterfaceName}");
            source.Line("/// <summary>The code that announces this table in a file.</summary>");
            source.Line($"{union.CodeName} UnionType {{ get; }}");
            source.Close();
        }

        return source.ToString();
    }

    /// <param name="ofUnions">Whether the tables that stand in a union are wanted, or the others.</param>
    public string Tables(bool ofUnions)
    {
        SourceText source = new(schemaFile, namespaceName, "System.Collections.Immutable");
        foreach (TableType table in schema.Tables.Where(table => UnionsOf(table).Count > 0 == ofUnions))
        {
            source.Line();
            Table(source, table);
        }

        return source.ToString();
    }

    private List<(UnionType Union, int Code)> UnionsOf(TableType table) =>
        [.. schema.Unions.SelectMany(union => union.Members.Where(member => member.Table == table.Name)
            .Select(member => (union, member.Code)))];

    private void Table(SourceText source, TableType table)
    {
        List<(UnionType Union, int Code)> unions = UnionsOf(table);
        string places = string.Concat(unions.Select(place => string.Create(
            CultureInfo.InvariantCulture, $"; code {place.Code} of union <c>{place.Union.Name}</c>")));
        source.Line($"/// <summary>Table <c>{table.Name}</c>{places}.</summary>");
        string bases = unions.Count == 0
            ? ""
            : " : " + string.Join(", ", unions.Select(place => place.Union.InterfaceName));
        Field[] fields = [.. table.Fields.Where(field => field.IsProperty)];
        if (fields.Length == 0 && unions.Count == 0)
        {
            source.Line($"public sealed partial record {table.CSharpName};");
            return;
        }

        source.Open($"public sealed partial record {table.CSharpName}{bases}");
        bool isFirst = true;
        foreach (Field field in fields)
        {
            if (!isFirst)
            {
                source.Line();
            }

            isFirst = false;
            source.Line(Property(field));
        }

        foreach ((UnionType union, _) in unions)
        {
            if (!isFirst)
            {
                source.Line();
            }

            isFirst = false;
            source.Line(
                $"{union.CodeName} {union.InterfaceName}.UnionType => {union.CodeName}.{table.Name};");
        }

        if (fields.Length == 0 && unions.Any(place => place.Union.Name.StartsWith("BuiltinOptions", StringComparison.Ordinal)))
        {
            source.Line();
            source.Line("bool IOperatorOptions.HasFields => false;");
        }

        if (fields.Any(IsVector))
        {
            source.Line();
            Equality(source, table.CSharpName, fields);
        }

        source.Close();
    }

    private string Property(Field field)
    {
        string type = types.Property(field.Type);
        return (field.Type.Kind, types.Default(field)) switch
        {
            (FieldKind.ScalarVector or FieldKind.EnumVector or FieldKind.TableVector, _) =>
                $"public {type} {field.PropertyName} {{ get; init => field = value.IsDefault ? [] : value; }} = [];",
            (_, null) => $"public {type} {field.PropertyName} {{ get; init; }}",
            (_, string value) => $"public {type} {field.PropertyName} {{ get; init; }} = {value};",
        };
    }

    private static bool IsVector(Field field) => field.Type.Kind
        is FieldKind.ScalarVector or FieldKind.EnumVector or FieldKind.TableVector or FieldKind.ByteVector;

    private static void Equality(SourceText source, string name, Field[] fields)
    {
        source.Line("/// <summary>Compares contents, vectors element by element.</summary>");
        source.Line($"public bool Equals({name}? other) => ReferenceEquals(this, other) || (other is not null");
        foreach (Field field in fields)
        {
            string comparison = field switch
            {
                _ when IsVector(field) => $"VectorEquality.Same({field.PropertyName}, other.{field.PropertyName})",
                { Type.Kind: FieldKind.Scalar, Type.Target: "float32" or "float64" } =>
                    $"{field.PropertyName}.Equals(other.{field.PropertyName})",
                { Type.Kind: FieldKind.Union } => $"Equals({field.PropertyName}, other.{field.PropertyName})",
                _ => $"{field.PropertyName} == other.{field.PropertyName}",
            };
            source.Line($"    && {comparison}{(field == fields[^1] ? ");" : "")}");
        }

        source.Line();
        source.Open("public override int GetHashCode()");
        source.Line("HashCode hash = new();");
        foreach (Field field in fields)
        {
            source.Line(IsVector(field)
                ? $"VectorEquality.Add(ref hash, {field.PropertyName});"
                : $"hash.Add({field.PropertyName});");
        }

        source.Line("return hash.ToHashCode();");
        source.Close();
    }
}
