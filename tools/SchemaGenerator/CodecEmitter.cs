using System.Diagnostics;
using System.Globalization;

namespace Optc.Tools.SchemaGenerator;

/// <summary>Emits what reads and writes the tables of a schema.</summary>
internal sealed class CodecEmitter(Schema schema, CSharpTypes types, string schemaFile, string namespaceName)
{
    private const string FlatBuffers = "Optc.Formats.FlatBuffers";

    public string Reader()
    {
        SourceText source = new(schemaFile, namespaceName, FlatBuffers);
        source.Line();
        source.Open("internal static partial class SchemaReader");
        source.Line($"public const string Root = \"{schema.Root}\";");
        foreach (TableType table in schema.Tables)
        {
            source.Line();
            Reader(source, table);
        }

        foreach (UnionType union in schema.Unions)
        {
            source.Line();
            source.OpenSwitch(
                $"private static Func<FlatTable?, {union.InterfaceName}>? Select{union.Name}(byte code)", "code");
            foreach (UnionMember member in union.Members)
            {
                source.Line(string.Create(CultureInfo.InvariantCulture, $"{member.Code} => static table => ")
                    + $"table is FlatTable content ? Read{member.Table}(content) : new {types.Table(member.Table)}(),");
            }

            source.Line("_ => null,");
            source.CloseSwitch();
        }

        source.Close();
        return source.ToString();
    }

    public string Writer()
    {
        SourceText source = new(schemaFile, namespaceName, "System.Diagnostics", FlatBuffers);
        source.Line();
        source.Open("internal static partial class SchemaWriter");
        bool isFirst = true;
        foreach (TableType table in schema.Tables)
        {
            if (!isFirst)
            {
                source.Line();
            }

            isFirst = false;
            Writer(source, table);
        }

        foreach (UnionType union in schema.Unions)
        {
            source.Line();
            string parameters = $"FlatBufferWriter writer, {union.InterfaceName}? value";
            source.OpenSwitch($"private static FlatOffset Write{union.Name}({parameters})", "value");
            source.Line("null => default,");
            foreach (UnionMember member in union.Members)
            {
                source.Line($"{types.Table(member.Table)} record => Write{member.Table}(writer, record),");
            }

            source.Line("_ => throw new UnreachableException(value.GetType().Name),");
            source.CloseSwitch();
        }

        source.Close();
        return source.ToString();
    }

    private void Reader(SourceText source, TableType table)
    {
        string expected = string.Create(
            CultureInfo.InvariantCulture, $"table.Expect(\"{table.Name}\", {table.SlotCount});");
        source.Open($"public static {table.CSharpName} Read{table.Name}(FlatTable table)");
        source.Line(expected);
        Field[] fields = [.. table.Fields.Where(field => field.IsProperty)];
        string before = table.IsCompletedByHand ? $"{table.CSharpName} record = new()" : "return new()";
        if (fields.Length == 0)
        {
            source.Line(before + ";");
        }
        else
        {
            source.Open(before);
            foreach (Field field in fields)
            {
                source.Line($"{field.PropertyName} = table.{Access(field)},");
            }

            source.Close(";");
        }

        if (table.IsCompletedByHand)
        {
            source.Line($"return Complete{table.Name}(record, table);");
        }

        source.Close();
    }

    private string Access(Field field)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"{field.Slot}, \"{field.Name}\"");
        string absent = types.Default(field) is string value ? ", " + value : "";
        return field.Type switch
        {
            { Kind: FieldKind.Scalar, Target: "bool" } => $"Bool({place}{absent})",
            { Kind: FieldKind.Scalar or FieldKind.Enum } => $"Scalar<{types.Element(field.Type)}>({place}{absent})",
            { Kind: FieldKind.String } => $"String({place})",
            { Kind: FieldKind.Table } => $"Table({place}, Read{field.Type.Target})",
            { Kind: FieldKind.Union } => $"Union<I{field.Type.Target}>({place}, Select{field.Type.Target})",
            { Kind: FieldKind.ScalarVector, Target: "bool" } => $"BoolVector({place})",
            { Kind: FieldKind.ScalarVector or FieldKind.EnumVector } => $"Vector<{types.Element(field.Type)}>({place})",
            { Kind: FieldKind.ByteVector } => $"ByteVector({place})",
            { Kind: FieldKind.TableVector } => $"TableVector({place}, Read{field.Type.Target})",
            _ => throw new UnreachableException(field.ToString()),
        };
    }

    private void Writer(SourceText source, TableType table)
    {
        source.Open($"public static FlatOffset Write{table.Name}(FlatBufferWriter writer, {table.CSharpName} record)");
        Field[] fields = [.. table.Fields.Where(field => field.IsProperty)];
        Field[] children = [.. fields.Where(field => field.Type.Kind is not FieldKind.Scalar and not FieldKind.Enum)];
        foreach (Field child in children.Reverse())
        {
            source.Line($"FlatOffset {Naming.ToLocal(child.PropertyName)} = {Child(child)};");
        }

        foreach (Field field in fields)
        {
            source.Line(Add(field));
        }

        if (table.IsCompletedByHand)
        {
            source.Line($"Complete{table.Name}(writer, record);");
        }

        source.Line("return writer.FinishTable();");
        source.Close();
    }

    private static string Child(Field field)
    {
        string value = $"record.{field.PropertyName}";
        string alignment = field.Alignment > 0
            ? string.Create(CultureInfo.InvariantCulture, $", alignment: {field.Alignment}")
            : "";
        string guard = field.IsAlwaysWritten ? "" : $"{value}.IsEmpty ? default : ";
        return field.Type switch
        {
            { Kind: FieldKind.String } => $"writer.String({value})",
            { Kind: FieldKind.Table } => $"{value} is null ? default : Write{field.Type.Target}(writer, {value})",
            { Kind: FieldKind.Union } => $"Write{field.Type.Target}(writer, {value})",
            { Kind: FieldKind.ScalarVector, Target: "bool" } => $"{guard}writer.BoolVector({value})",
            { Kind: FieldKind.ScalarVector or FieldKind.EnumVector } => $"{guard}writer.Vector({value}{alignment})",
            { Kind: FieldKind.ByteVector } => $"{guard}writer.ByteVector({value}{alignment})",
            { Kind: FieldKind.TableVector } => $"{guard}writer.TableVector({value}, Write{field.Type.Target})",
            _ => throw new UnreachableException(field.ToString()),
        };
    }

    private string Add(Field field)
    {
        string slot = field.Slot.ToString(CultureInfo.InvariantCulture);
        string absent = types.Default(field) is string value ? ", " + value : "";
        string local = Naming.ToLocal(field.PropertyName);
        return field.Type.Kind switch
        {
            FieldKind.Scalar or FieldKind.Enum => $"writer.Add({slot}, record.{field.PropertyName}{absent});",
            FieldKind.Union =>
                $"writer.AddUnion({slot}, (byte)(record.{field.PropertyName}?.UnionType ?? default), {local});",
            _ => $"writer.Add({slot}, {local});",
        };
    }
}
